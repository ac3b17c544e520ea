"""What one client asked one address over UDP: what was answered, refused, and left without a word, by port and payload.

A host that hears a datagram for a closed port says so (RFC 1122 section 3.2.2.1: ICMP port unreachable). Where a host
does that, silence on another port is no closed port; where it answers one payload, silence on another is no dead host.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from fingerprint.conversations.path.unreachable import OF_THE_HOST, Unreachable
from fingerprint.conversations.udp.datagrams import DatagramFlow
from fingerprint.messages.first_payload import UNKNOWN

# FIELD section 2, of QUIC: a datagram may be lost, so it takes three over two seconds, and some listening.
COPIES, SPAN_S, LISTEN_S = 3, 2.0, 3.0
# DESIGN, "What a qualifier needs": what passes elsewhere must do so within a minute.
BESIDE_NS = 60 * 10**9
# RFC 3489 section 11.1 and RFC 8489 section 5: what carries the cookie is, to a server of the older kind, a transaction
# id like any other, so that whoever answers the classic request answers the other as well.
SAME_SERVICE = {"stun": "stun-classic"}
# RTP is told by two bits, so that a fourth of all noise looks like it.
MEANINGLESS = frozenset({UNKNOWN, "rtp", "rtcp"})
_LETTERS = re.compile(rb"[\x20-\x7e]+")


@dataclass(slots=True, kw_only=True)
class Place:
    """One client and one address."""

    client: str
    address: str
    flows: list[DatagramFlow] = field(default_factory=list)
    refusals: list[Unreachable] = field(default_factory=list)  # by the host itself

    def silent(self, port: int) -> tuple[DatagramFlow, ...]:
        """Flows to a port that were repeated, listened to, and met with nothing at all."""
        refused = {r.flow for r in self.refusals}
        return tuple(f for f in self.flows if f.server.port == port and is_silent(f) and f.flow not in refused)

    def ports(self) -> tuple[int, ...]:
        """Ports that were asked, in order."""
        return tuple(dict.fromkeys(f.server.port for f in self.flows))

    def refused_beside(self, flow: DatagramFlow) -> tuple[Unreachable, ...]:
        """The host's refusals of other ports about that time."""
        return tuple(
            r for r in self.refusals if r.port != flow.server.port and abs(r.time_ns - flow.first_ns) <= BESIDE_NS
        )

    def answered_beside(self, flow: DatagramFlow, *, here: bool) -> tuple[DatagramFlow, ...]:
        """Flows that were answered about that time: ``here`` on the same port, otherwise on others."""
        return tuple(
            f
            for f in self.flows
            if f.answered
            and (f.server.port == flow.server.port) == here
            and min(abs(f.first_ns - flow.last_ns), abs(f.last_heard_ns - flow.first_ns)) <= BESIDE_NS
        )


def is_silent(flow: DatagramFlow) -> bool:
    """Whether an answer was due, by how often it was asked for and how long it was waited for."""
    return (
        not flow.answered
        and flow.client_datagrams >= COPIES
        and flow.span_s >= SPAN_S
        and flow.span_s + flow.waited_s >= LISTEN_S
    )


def places(flows: Iterable[DatagramFlow], refusals: Iterable[Unreachable]) -> tuple[Place, ...]:
    """Every pair of client and address, in order of appearance; what was sent to die on the way is left out."""
    out: dict[tuple[int, str, str], Place] = {}
    for flow in flows:
        if flow.sent_to_die or not flow.client_datagrams:
            continue
        key = (flow.capture, flow.client.address, flow.server.address)
        here = out.setdefault(key, Place(client=flow.client.address, address=flow.server.address))
        here.flows.append(flow)
    for r in refusals:
        met = out.get((r.capture, r.client.address, r.address))
        if met is not None and r.protocol == "udp" and r.sender == r.address and r.says in OF_THE_HOST:
            met.refusals.append(r)
    return tuple(out.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class PayloadPair:
    """One kind of first payload that meets silence where others are answered.

    ``why`` says what shows that the server would answer it: ``variant`` (it answers another form of the same request),
    ``anything`` (it answers letters as well as random bytes, just as many), ``also`` (it answers this kind on this very
    port at another time), or None.
    """

    place: Place
    port: int
    kind: str
    silent: tuple[DatagramFlow, ...]
    answered: tuple[DatagramFlow, ...]  # other payloads, on the same port, about the same time
    why: str | None
    shown_by: tuple[DatagramFlow, ...]
    contradicted: bool  # this kind was answered there between the failures


def payload_pairs(place: Place, kinds: Iterable[str]) -> tuple[PayloadPair, ...]:
    """For every port and every kind of payload that was met with silence, what was answered beside it."""
    out = []
    wanted = frozenset(kinds)
    for port in place.ports():
        by_kind: dict[str, list[DatagramFlow]] = {}
        for f in place.silent(port):
            if f.kind in wanted:
                by_kind.setdefault(f.kind, []).append(f)
        for kind, silent in by_kind.items():
            beside = {
                f.trial: f for s in silent for f in place.answered_beside(s, here=True) if not _is_like(f, silent)
            }
            answered = tuple(f for f in beside.values() if f.kind != kind)
            why, shown_by = _speaks(place, silent[0], answered)
            between = [
                f
                for f in place.flows
                if f.answered
                and f.kind == kind
                and f.server.port == port
                and silent[0].first_ns < f.first_ns < silent[-1].last_ns
            ]
            out.append(
                PayloadPair(
                    place=place,
                    port=port,
                    kind=kind,
                    silent=tuple(silent),
                    answered=answered,
                    why=why,
                    shown_by=shown_by,
                    contradicted=bool(between),
                )
            )
    return tuple(out)


def _is_like(flow: DatagramFlow, silent: Sequence[DatagramFlow]) -> bool:
    return flow.payload in {s.payload for s in silent}


def _speaks(
    place: Place, silent: DatagramFlow, answered: Sequence[DatagramFlow]
) -> tuple[str | None, tuple[DatagramFlow, ...]]:
    """What shows that the server would have answered.

    A service that knows its own messages only answers some, however random they look; one that answers letters and
    noise of a given length answers that length.
    """
    variant = [f for f in answered if f.kind == SAME_SERVICE.get(silent.kind)]
    if variant:
        return "variant", tuple(variant[:2])
    strange = [f for f in answered if f.kind in MEANINGLESS and len(f.payload) == len(silent.payload)]
    letters = [f for f in strange if _LETTERS.fullmatch(f.payload)]
    noise = [f for f in strange if f not in letters]
    if letters and noise:
        return "anything", (letters[0], noise[0])
    also = [f for f in place.flows if f.answered and f.kind == silent.kind and f.server.port == silent.server.port]
    return ("also", tuple(also[:2])) if also else (None, ())


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadPort:
    """A port on which several addresses are silent that answer or refuse the same payload on other ports."""

    port: int
    kind: str
    places: tuple[Place, ...]
    silent: tuple[DatagramFlow, ...]
    refused: tuple[Unreachable, ...]  # of other ports, by those very hosts: at least one a host
    answered: tuple[DatagramFlow, ...]  # on other ports, the same kind of payload
    unwitnessed: tuple[Place, ...]  # places that are silent on it too, but refuse nothing else
    open_elsewhere: bool  # it was answered or refused by some address


def dead_ports(found: Iterable[Place], ports: frozenset[int]) -> tuple[DeadPort, ...]:
    """Each of ``ports`` that is silent somewhere, by client and kind of payload."""
    out: list[DeadPort] = []
    by_client: dict[str, list[Place]] = {}
    for place in found:
        by_client.setdefault(place.client, []).append(place)
    for places_ in by_client.values():
        asked = dict.fromkeys(port for place in places_ for port in place.ports() if port in ports)
        for port in asked:
            heard = any(f.answered for place in places_ for f in place.flows if f.server.port == port)
            refused = any(r.port == port for place in places_ for r in place.refusals)
            kinds = dict.fromkeys(f.kind for place in places_ for f in place.silent(port))
            out += [_dead(places_, port, kind, open_elsewhere=heard or refused) for kind in kinds]
    return tuple(out)


def _dead(places_: Sequence[Place], port: int, kind: str, *, open_elsewhere: bool) -> DeadPort:
    hosts: list[Place] = []
    unwitnessed: list[Place] = []
    silent: list[DatagramFlow] = []
    refused: list[Unreachable] = []
    answered: list[DatagramFlow] = []
    for place in places_:
        mine = [f for f in place.silent(port) if f.kind == kind]
        said = [r for f in mine for r in place.refused_beside(f) if _kind_of(place, r) == kind]
        if not mine:
            continue
        silent += mine
        (hosts if said else unwitnessed).append(place)
        refused += said[:2]
        answered += [f for s in mine[:1] for f in place.answered_beside(s, here=False) if f.kind == kind][:2]
    return DeadPort(
        port=port,
        kind=kind,
        places=tuple(hosts),
        silent=tuple(silent),
        refused=tuple(refused),
        answered=tuple(answered),
        unwitnessed=tuple(unwitnessed),
        open_elsewhere=open_elsewhere,
    )


def _kind_of(place: Place, refusal: Unreachable) -> str | None:
    return next((f.kind for f in place.flows if f.flow == refusal.flow), None)
