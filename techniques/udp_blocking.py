"""UDP that is dropped by port or by first payload: media, STUN, and whatever is neither DNS, QUIC nor a tunnel.

What it looks for
    Datagrams that were repeated and met with silence, by hosts that answer or refuse others at the time. The port is
    the trigger where it is silent at several addresses whose hosts report their closed ports; the payload, where
    others are answered on the same port, and the server is shown to answer this kind as well.

What it sends
    On request only. STUN requests, in turn with their older form on STUN's own port and with letters and noise on one
    of media; then STUN to several ports of media, each after one beside it, here and at a control's address.

When it is wrong
    Nobody need answer on UDP: an ICE candidate, a closed port behind a firewall and a service that has no word for this
    payload are silent in all innocence. A network's owner may close these ports too. One-way media is unanswered by
    nature, and a mapping that a NAT forgot looks like a flow that was cut: neither is looked at.

Papers
    Zoom support, network firewall settings (UDP 3478, 3479, 8801-8810).
    RFC 8489, Session Traversal Utilities for NAT; RFC 1122 section 3.2.2.1, port unreachable.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

from fingerprint.capture import Capture
from fingerprint.conversations.dns.answers import registrable
from fingerprint.conversations.first_words import chance
from fingerprint.conversations.path.sweeps import Sweep
from fingerprint.conversations.reachability import are_neighbours
from fingerprint.conversations.udp.datagrams import Datagram, DatagramFlow
from fingerprint.conversations.udp.places import DeadPort, PayloadPair, dead_ports, payload_pairs
from fingerprint.probing.payload_bytes import letters, noise, stun
from fingerprint.probing.payloads_tried import LISTEN_S, Pair, PayloadsTried
from fingerprint.steps import Probe, Target
from fingerprint.technique import (
    Cited,
    Clue,
    Evidence,
    Facets,
    Finding,
    Inconclusive,
    Location,
    Subject,
    Technique,
    Trigger,
    cite,
)

# The longest prefixes that are routed between networks (RFC 7454 section 6.1.3).
NETWORK_BITS = {4: 24, 6: 48}
# What tunnels begin with is another technique's; all else is ours.
TUNNELS = ("openvpn", "wireguard")
OURS = ("stun", "stun-classic", "dtls", "rtp", "rtcp", "unknown")

UNANSWERED = Clue(
    id="datagrams-unanswered",
    says="{copies} datagrams ({kind}) to {address}:{port} in {span:.1f} s, and no answer",
    group="silence",
    given={
        "udp.timeout": 0.9, **dict.fromkeys(("server-down", "chosen-filter", "corporate-proxy", "local-network"), 0.9),
        "ordinary": 0.5, "server-refuses": 0.5, "path-failure": 0.5, "capture-fault": 0.1, "nat-timeout": 0.02,
        "loss": 0.01, "congestion": 0.01, "innocent": 0.01, "*": 0.1,
    },
    source="silence is ordinary on UDP; only loss is ruled out by repetition; set by hand",
)  # fmt: skip
PORT_DIES_EVERYWHERE = Clue(
    id="port-dies-everywhere",
    says="{ports} ({use}) are silent at {addresses} addresses of unrelated names and networks, whose hosts report "
    "closed ports by ICMP to the same datagrams",
    group="square",
    given={
        "udp.timeout.port": 0.9, "udp.timeout": 0.005, "ordinary": 0.0002, "server-down": 0.0002,
        "server-refuses": 0.0003, **dict.fromkeys(("local-network", "corporate-proxy", "chosen-filter"), 0.0005),
        "path-failure": 0.0005, "capture-fault": 0.0005, "innocent": 0.0001, "*": 0.005,
    },
    source="RFC 1122 section 3.2.2.1: a host reports a closed port; no two hosts share a mute one by chance; by hand",
)  # fmt: skip


def _by_payload(doubt: float) -> dict[str, float]:
    common = dict.fromkeys(("local-network", "corporate-proxy", "chosen-filter", "loss"), 0.0005)
    named = {"ordinary": doubt, "server-down": doubt, "server-refuses": 0.0003, "path-failure": 0.001}
    return {"udp.timeout.payload": 0.9, "udp.timeout": 0.005, **common, **named, "innocent": 0.0002, "*": 0.005}


OTHER_FORM_ANSWERED = Clue(
    id="other-form-answered",
    says="on {address}:{port} {kind} is silent ({silent} times) and {other} answered in turn ({answered})",
    group="payload-pair",
    given=_by_payload(0.0002),
    source="RFC 8489 section 5, RFC 3489 section 11.1: to an older server the cookie is part of the id; set by hand",
)
ANYTHING_ELSE_ANSWERED = Clue(
    id="anything-else-answered",
    says="on {address}:{port} {kind} is silent ({silent} times); letters and noise of its length are answered in turn "
    "({answered})",
    group="payload-pair",
    given=_by_payload(0.0002),
    source="who answers bytes without meaning, whatever they are, answers these; set by hand",
)
ANSWERED_OTHERWISE = Clue(
    id="answered-at-another-time",
    says="{address}:{port} answers {kind} at another time; now it is silent ({silent} times), while {other} is "
    "answered in turn ({answered})",
    group="payload-pair",
    given=_by_payload(0.003),
    source="a server that spoke a protocol may have stopped; set by hand",
)
PAIRS = {"variant": OTHER_FORM_ANSWERED, "anything": ANYTHING_ELSE_ANSWERED, "also": ANSWERED_OTHERWISE}


DIES_ON_THE_WAY = Clue(
    id="datagrams-die-on-the-way",
    says="{what} to {address} is not reported by routers from {hop} hops on, or draws an answer from there, which "
    "{control} is not and does not",
    group="mid-path",
    # Another technique's clues carry the claim; two actions, so that this one alone opens no question.
    given={**dict.fromkeys(("udp.timeout", "udp.throttle"), 0.6), "path-failure": 0.1, "innocent": 0.05, "*": 0.05},
    source="RFC 792, time exceeded; as mid-path-interference, for bytes that name nobody; set by hand",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class UdpBlocking(Technique):
    """Thresholds of silence live with the facts, in `fingerprint.conversations.udp.places`."""

    clues = (UNANSWERED, PORT_DIES_EVERYWHERE, *PAIRS.values(), DIES_ON_THE_WAY)
    on_request = True

    addresses: int = 2  # at which a port must be silent
    trials: int = 2  # silences of one payload on one port
    # Two silences and three answers, or the other way: one in ten if silence strikes blindly.
    by_chance: float = 0.1
    pairs: int = 3
    # Of the ranges in the table of ports, and what lies beside them; RFC 8489 section 18.6 for STUN's own.
    media_ports: tuple[int, ...] = (8801, 8805, 8810)
    beside_ports: tuple[int, ...] = (8800, 8811, 8799)
    stun_port: int = 3478

    def probe(self, target: Target) -> Probe:
        """STUN in both its forms, STUN among letters and noise on a media port, then the ports one by one."""
        tried = PayloadsTried(target=target, shows=self.clues, pairs=self.pairs, listen_s=LISTEN_S)
        older = (("STUN of RFC 3489", lambda seed: stun(seed, cookie=False)),)
        yield from tried.steps(Pair(over="udp", port=self.stun_port, what="STUN", harmless=older, trigger=stun))
        size = len(stun(""))
        others = (
            ("letters", lambda seed: letters(seed, size)),
            ("noise", lambda seed: noise(seed, size, over="udp")),
        )
        yield from tried.steps(Pair(over="udp", port=self.media_ports[0], what="STUN", harmless=others, trigger=stun))
        yield from tried.ports(self.media_ports, self.beside_ports, stun)

    def analyse(self, capture: Capture) -> Iterator[Finding]:
        """Ports that are silent wherever they were tried, then payloads that are where others are not."""
        places = capture.datagram_places
        uses = _uses(capture)
        yield from self._ports(capture, dead_ports(places, frozenset(uses)), uses)
        for place in places:
            for pair in payload_pairs(place, OURS):
                yield from self._payload(pair)
        for sweep in capture.payload_sweeps:
            if sweep.protocol == "udp" and sweep.name.split(" ")[0] not in TUNNELS:
                yield _placed(sweep)

    def _ports(self, capture: Capture, dead: tuple[DeadPort, ...], uses: dict[int, str]) -> Iterator[Finding]:
        shown = [d for d in dead if _unrelated(capture, d)]
        for d in dead:
            if d not in shown and (d.answered or d.refused):
                yield Inconclusive(self._too_little(d), _cited(d.silent), _subject(d.silent[0], None))
        if not shown:
            return
        ports = ", ".join(str(port) for port in dict.fromkeys(d.port for d in shown))
        trigger = Facets(position="in-path", trigger=Trigger(field="udp.dport", value=ports))
        use = ", ".join(dict.fromkeys(uses[d.port] for d in shown))
        places = {p.address: p for d in shown for p in d.places}
        for place in places.values():
            mine = [f for d in shown for f in d.silent if f.server.address == place.address]
            for flow in mine:
                yield _silence(flow)
            beside = [r for d in shown for r in d.refused]
            answered = [x for d in shown for f in d.answered[:1] for x in _exchange(f)]
            sent = [x for f in mine for x in f.datagrams(from_client=True)]
            yield cite(
                PORT_DIES_EVERYWHERE, _subject(mine[0], None), *sent,
                *(Cited(r.capture, n) for r in beside[:8] for n in (r.sent, r.number)), *answered,
                facets=trigger, ports=ports, use=use, addresses=len(places),
            )  # fmt: skip

    def _too_little(self, dead: DeadPort) -> str:
        several = len(dead.places) + len(dead.unwitnessed)
        what = f"port {dead.port} is silent at {several} addresses, of which {len(dead.places)} report closed ports"
        if dead.open_elsewhere:
            return f"{what}, and is answered or refused by another"
        return f"{what}; want {self.addresses} of unrelated names and networks"

    def _payload(self, pair: PayloadPair) -> Iterator[Finding]:
        why = _why(pair, self.trials, self.by_chance)
        if why is not None:
            if pair.answered:
                yield Inconclusive(why, _cited((*pair.silent, *pair.answered[:2])), _subject(pair.silent[0], None))
            return
        for flow in pair.silent:
            yield _silence(flow)
        yield cite(
            PAIRS[pair.why or ""], _subject(pair.silent[0], None), *(x for f in pair.silent for x in _exchange(f)),
            *(x for f in (*pair.shown_by, *pair.answered[:4]) for x in _exchange(f)),
            facets=Facets(position="in-path", trigger=Trigger(field="payload.first", value=pair.kind)),
            address=pair.place.address, port=pair.port, kind=pair.kind, silent=len(pair.silent),
            answered=len(pair.answered), other=pair.answered[0].kind,
        )  # fmt: skip


def _uses(capture: Capture) -> dict[int, str]:
    """Ports of the table, and what for."""
    return {
        port: str(row["use"])
        for row in capture.known.rows("ports")
        for port in range(int(str(row["low"])), int(str(row["high"])) + 1)
    }


def _unrelated(capture: Capture, dead: DeadPort) -> bool:
    """Whether two of the hosts share neither network nor the end of a name: one operator may have one firewall."""
    ends = [(place.address, {registrable(name) for name in capture.names_of(place.address)}) for place in dead.places]
    return not dead.open_elsewhere and any(
        here and there and not here & there and not are_neighbours(one, other, NETWORK_BITS)
        for (one, here), (other, there) in combinations(ends, 2)
    )


def _why(pair: PayloadPair, trials: int, by_chance: float) -> str | None:
    """What is missing before silence on one payload says anything."""
    what = f"{pair.kind} to {pair.place.address}:{pair.port} was not answered"
    if not pair.answered:
        return f"{what}, and neither was anything else there"
    if pair.contradicted:
        return f"{what}, and was in between"
    if pair.why is None:
        return f"{what}; nothing shows that this server would"
    if len(pair.silent) < trials:
        return f"{what} {len(pair.silent)} times, want {trials}"
    if chance(len(pair.silent), len(pair.silent), len(pair.answered)) > by_chance:
        return f"{what} {len(pair.silent)} times, and others were {len(pair.answered)} times: chance may do that"
    return None


def _silence(flow: DatagramFlow) -> Evidence:
    return cite(
        UNANSWERED, _subject(flow, flow.trial), *flow.datagrams(from_client=True), facets=Facets(position="in-path"),
        copies=flow.client_datagrams, kind=flow.kind, address=flow.server.address, port=flow.server.port,
        span=flow.span_s,
    )  # fmt: skip


def _exchange(flow: DatagramFlow) -> tuple[Datagram, ...]:
    return (*flow.datagrams(from_client=True, at_most=2), *flow.datagrams(from_client=False, at_most=1))


def _cited(flows: tuple[DatagramFlow, ...]) -> tuple[Cited, ...]:
    return tuple(sorted({Cited(x.capture, x.number) for f in flows for x in f.datagrams(from_client=True, at_most=3)}))


def _subject(flow: DatagramFlow, trial: str | None) -> Subject:
    return Subject(address=flow.server.address, port=flow.server.port, protocol="udp", trial=trial)


def _placed(sweep: Sweep) -> Evidence:
    """Where the bytes of a sweep meet what cuts them."""
    shown = (*sweep.hits, *sweep.misses[-2:], *sweep.controls[:4])
    packets = [p for s in shown for p in (*s.sent[:2], *s.replies[:1])]
    reports = [Cited(e.capture, e.number) for s in shown for e in s.died[:1]]
    subject = Subject(address=sweep.address, port=sweep.port or None, protocol=sweep.protocol)
    at = Location(hop=sweep.hop, link=sweep.link, address=sweep.router)
    return cite(
        DIES_ON_THE_WAY, subject, *packets, *reports, facets=Facets(position=sweep.position, location=at),
        what=sweep.name, address=sweep.address, hop=sweep.hop,
        control=sweep.controls[0].name if sweep.controls else "nothing else",
    )  # fmt: skip
