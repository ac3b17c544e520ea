"""Packets to an address that vanish, or that somebody on the way refuses to carry.

What it looks for
    SYNs that are never answered, on one port or on all, while other ports or neighbouring addresses answer; the router
    behind which they vanish though it carries others on, by SYNs of growing TTL to both; and ICMP "prohibited" or
    "unreachable" from somebody nearer than the address can be. Which ports of an address are reset or refused in
    set-up; whether such a reset is forged is the question of `tcp-rst-injection`.

What it sends
    A handshake with a control's address and with the target's. If the second fails: the same on another port, once
    more, and SYNs of growing TTL to both.

When it is wrong
    A host that is down, its firewall, a site without power and an address taken from the routing table are as silent as
    a black hole. Only the place tells: behind a router that carries on what goes to another port of the address, or to
    neighbours that stand farther away. Where the way back is cut, SYNs arrive everywhere and nothing is to be seen.

Papers
    Padmanabhan et al., "A multi-perspective view of Internet censorship in Myanmar", FOCI 2021.
    Bush et al., "Internet Optometry: Assessing the Broken Glasses in Internet Reachability", IMC 2009.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from fingerprint.capture import Capture
from fingerprint.conversations.path.syn_sweeps import Dies, OtherWay, SynShot, by_place, drawn, nearest_way, refusals
from fingerprint.conversations.path.unreachable import OF_THE_HOST, PROHIBITED
from fingerprint.conversations.reachability import (
    ROUTED_BITS,
    Reach,
    Requests,
    alive_meanwhile,
    are_neighbours,
    known_distance,
    syn_acks_unheard,
)
from fingerprint.conversations.segments import RST
from fingerprint.conversations.streams import Stream
from fingerprint.probing.addresses_tried import addresses_tried
from fingerprint.steps import Probe, Target
from fingerprint.technique import (
    Cited,
    Clue,
    Facets,
    Finding,
    Inconclusive,
    Location,
    Subject,
    Technique,
    Trigger,
    cite,
)

# A SYN carries no payload that could be looked at.
_BY_PAYLOAD = {"tcp.timeout.payload": 0.0001, "tcp.timeout.entropy": 0.0001, "tcp.reset.payload": 0.0001}
_SILENT_INNOCENTS = {
    "server-down": 0.9, "server-refuses": 0.5, "path-failure": 0.6, "local-network": 0.3, "corporate-proxy": 0.3,
    "chosen-filter": 0.3, "capture-fault": 0.1, "loss": 0.01, "congestion": 0.02, "innocent": 0.02, "*": 0.02,
}  # fmt: skip
SYN_UNANSWERED = Clue(
    id="syn-unanswered",
    says="{syns} SYNs to port {port} of {address} were never answered; other addresses answered meanwhile",
    group="reach",
    given={"tcp.timeout": 0.9, **_BY_PAYLOAD, **_SILENT_INNOCENTS},
    source="RFC 9293: a host that is up answers a SYN; a firewall, a dead host and a black hole do not; set by hand",
)
NOTHING_ANSWERS = Clue(
    id="no-port-answers",
    says="ports {ports} of {address} left {syns} SYNs unanswered; other addresses answered meanwhile",
    group="reach",
    given={"ip.drop": 0.9, **_SILENT_INNOCENTS},
    source="as syn-unanswered; set by hand",
)
OTHER_PORT_ANSWERS = Clue(
    id="other-port-of-it-answers",
    says="port {other} of {address} answers, port {port} never does",
    group="port-pair",
    given={
        **{f"tcp.{did}.port": 0.9 for did in ("timeout", "reset", "refused")},
        **{f"tcp.{did}": 0.005 for did in ("timeout", "reset", "refused")}, **_BY_PAYLOAD,
        "server-refuses": 0.9, "server-down": 0.1, "ordinary": 0.9, "corporate-proxy": 0.9, "chosen-filter": 0.9,
        "split-tcp": 0.9, "path-failure": 0.3, "local-network": 0.3, "innocent": 0.5, "*": 0.5,
    },
    source="DESIGN: another port of that address answers; a firewall at the server does the same; set by hand",
)  # fmt: skip
# What is not at the far end: the far end would have to stand where the router does. A failing path of several follows
# source ports, which differ from SYN to SYN; a withdrawn route takes the neighbours along that are routed with it.
_NOT_THERE = {
    "capture-fault": 0.0005, "corporate-proxy": 0.0005, "chosen-filter": 0.0005, "local-network": 0.0005,
    "innocent": 0.0002, "*": 0.0002,
}  # fmt: skip
PORT_DIES_ON_THE_WAY = Clue(
    id="port-dies-on-the-way",
    says="SYNs to port {port} die behind router {router}, {hop} hops away, which carries on those to port {other}",
    group="place",
    given={
        "tcp.timeout": 0.8, **dict.fromkeys(_NOT_THERE, 0.0002), "innocent": 0.00002, "*": 0.00002,
        "server-refuses": 0.0002, "server-down": 0.0002, "path-failure": 0.001, "loss": 0.0002,
    },
    source="RFC 792: the routers' own reports; set by hand",
)  # fmt: skip
DIES_BEFORE_NEIGHBOURS = Clue(
    id="dies-where-neighbours-pass",
    says="SYNs to {address} die behind router {router}, {hop} hops away; those to {other} go on for {beyond} hops",
    group="place",
    given={
        "ip.drop": 0.8, "tcp.timeout": 0.8, **_NOT_THERE, "server-refuses": 0.0005, "server-down": 0.0015,
        "path-failure": 0.005, "loss": 0.0005,
    },
    source="RFC 792; RFC 7454 section 6.1.3 (no longer prefix is routed apart); set by hand",
)  # fmt: skip
DIES_BEFORE_FELLOWS = Clue(
    id="dies-where-others-of-its-operator-pass",
    says="SYNs to {address} die behind router {router}, {hop} hops away; those to {other} go on for {beyond} hops",
    group="place",
    given={**DIES_BEFORE_NEIGHBOURS.given, "server-down": 0.002, "path-failure": 0.006},
    source="ripe-680: addresses of one allocation have one operator; they may be routed apart; set by hand",
)
DIES_AT_THE_FAR_SIDE = Clue(
    id="dies-at-the-far-side",
    says="SYNs to {address} came as far as router {router}, {hop} hops away, the last before those that answer",
    group="place",
    given={
        "ip.drop": 0.05, "tcp.timeout": 0.05, "server-down": 0.9, "server-refuses": 0.9, "path-failure": 0.1,
        "innocent": 0.02, "*": 0.02,
    },
    source="RFC 792; a dead host and its firewall stand behind their last router; set by hand",
)  # fmt: skip
RESET_ON_THE_WAY = Clue(
    id="reset-of-a-syn-that-died",
    says="SYNs to port {port} of {address} are reset from {hop} hops on; port {other} of it is {reach} away",
    group="place",
    given={
        "tcp.reset": 0.8, **dict.fromkeys(_NOT_THERE, 0.0002), "innocent": 0.00002, "*": 0.00002, "split-tcp": 0.0005,
        "captive-portal": 0.0002,
    },
    source="RFC 791: what died on the way was read by nobody behind; set by hand",
)  # fmt: skip
PROHIBITED_ON_THE_WAY = Clue(
    id="prohibited-on-the-way",
    says="{sender} said '{said}' {took:.0f} ms after the SYN to {address}; {other} is {rtt:.0f} ms away",
    group="refusal",
    given={
        "ip.unreachable": 0.8, "server-refuses": 0.001, "server-down": 0.0003, "path-failure": 0.001,
        "corporate-proxy": 0.0008, "chosen-filter": 0.0008, "local-network": 0.0008, "innocent": 0.0001, "*": 0.0001,
    },
    source="RFC 1812 section 5.2.7.1: codes 9, 10 and 13 are administrative; set by hand",
)  # fmt: skip
UNREACHABLE_ON_THE_WAY = Clue(
    id="unreachable-on-the-way",
    says="{sender} said '{said}' {took:.0f} ms after the SYN to {address}; {other} is {rtt:.0f} ms away",
    group="refusal",
    given={
        "ip.unreachable": 0.5, "path-failure": 0.5, "server-down": 0.3, "local-network": 0.1, "server-refuses": 0.05,
        "innocent": 0.001, "*": 0.001,
    },
    source="RFC 1812 section 5.2.7.1: a router without a route says so, and so does one that was told to; set by hand",
)  # fmt: skip
REFUSED_BY_THE_FAR_SIDE = Clue(
    id="refused-by-the-far-side",
    says="{sender} said '{said}' {took:.0f} ms after the SYN to {address}: no sooner than the far side could",
    group="refusal",
    given={
        "ip.unreachable": 0.05, "server-down": 0.8, "server-refuses": 0.8, "path-failure": 0.2, "innocent": 0.01,
        "*": 0.01,
    },
    source="RFC 1122 section 3.2.2.1, RFC 1812: firewalls and last routers say so of dead and closed hosts; by hand",
)  # fmt: skip
WAY_BACK = Clue(
    id="syn-ack-unheard",
    says="{address} answered the SYN {answers} times, and the client repeated it {copies} times as if it heard nothing",
    group="observation",
    given={},
    source="RFC 9293 section 3.8.1: what was acknowledged is not repeated",
)
# Forged resets came at 0.13-0.5 of the round trip, true ones at 0.96-1.02; a report as early is not the far side's.
SOONER_RATIO = 0.7
# A gap below this is scheduling noise of the capture point, not distance.
LEAST_GAP_S = 0.003


@dataclass(frozen=True, slots=True, kw_only=True)
class IpBlocking(Technique):
    """Thresholds: SYNs without an answer, and seconds that one of them was waited for, before silence counts."""

    clues = (
        SYN_UNANSWERED, NOTHING_ANSWERS, OTHER_PORT_ANSWERS, PORT_DIES_ON_THE_WAY, DIES_BEFORE_NEIGHBOURS,
        DIES_BEFORE_FELLOWS, DIES_AT_THE_FAR_SIDE, RESET_ON_THE_WAY, PROHIBITED_ON_THE_WAY, UNREACHABLE_ON_THE_WAY,
        REFUSED_BY_THE_FAR_SIDE, WAY_BACK,
    )  # fmt: skip

    syns: int = 3
    listen_s: float = 2.0

    def probe(self, target: Target) -> Probe:
        """Handshakes with control and target; ports and places once one failed."""
        shows = (SYN_UNANSWERED, PROHIBITED_ON_THE_WAY, OTHER_PORT_ANSWERS)
        yield from addresses_tried(target, shows=shows, listen_s=self.listen_s)

    def analyse(self, capture: Capture) -> Iterator[Finding]:
        """Every address that did not answer, beside those that did."""
        failing = [r for r in capture.reaches if any(p.failing for p in r.ports.values())]
        for reach in failing:
            if reach.dead:
                yield from self._silent(capture, reach)
            for requests in reach.ports.values():
                if requests.failing and requests.refused:
                    yield from _refused(capture, reach, requests)
                elif requests.failing and requests.reset:
                    yield from _port_pair(reach, requests)
                    yield from _reset(capture, reach, requests)
        for stream in capture.streams:
            yield from _unheard(stream)

    def _silent(self, capture: Capture, reach: Reach) -> Iterator[Finding]:
        """Ports that never answered: which, beside what, and where the SYNs end."""
        long = [p for p in reach.dead if p.syns >= self.syns and _waited_s(p) >= self.listen_s]
        if not long:
            why = f"{reach.dead[0].syns} unanswered SYNs, want {self.syns} and {self.listen_s:g} s of listening"
            yield _unsure(why, reach, reach.dead[0])
            return
        fellows = alive_meanwhile(capture.reaches, reach, long)
        if not fellows and not reach.alive:
            yield _unsure("nothing else answered meanwhile: the client's own line may be down", reach, long[0])
            return
        words: dict[str, Any]
        whole = not reach.alive and len(long) > 1
        places = by_place(capture.syn_shots)
        where = {p.port: nearest_way(places, reach, p) for p in long}
        if whole:
            subject = Subject(address=reach.address, protocol="ip")
            ports = " and ".join(str(p.port) for p in sorted(long, key=lambda p: p.port))
            words = {"address": reach.address, "ports": ports, "syns": sum(p.syns for p in long)}
            dead = [_first(s) for p in long for s in p.dead]
            facets = Facets(trigger=Trigger(field="ip.dst", value=reach.address))
            yield cite(NOTHING_ANSWERS, subject, *dead, *map(_first, fellows[:2]), facets=facets, **words)
        for p in long:
            subject = _subject(reach, "ip" if whole else "tcp", p.port)
            if not whole:
                words = {"address": reach.address, "port": p.port}
                beside = [*map(_first, (fellows or reach.alive)[:2])]
                for s in p.dead:
                    tried = _subject(reach, "tcp", p.port, s.trial)
                    yield cite(SYN_UNANSWERED, tried, _first(s), *beside, syns=len(s.rows), **words)
                yield from _port_pair(reach, p)
            place = where[p.port]
            if place is not None:
                yield _located(reach, p, subject, place)
        if not any(place is not None and place.convicts(reach) for place in where.values()):
            why = "a black hole, a dead host and its firewall are alike from here; SYNs of growing TTL to it and to"
            yield _unsure(f"{why} a neighbour, or a second vantage, would tell", reach, long[0])


def _located(reach: Reach, requests: Requests, subject: Subject, place: OtherWay) -> Finding:
    at, same = place.at, place.address == reach.address
    if not place.convicts(reach):
        if at.beyond_hops > 1:
            why = f"SYNs end behind {at.last.router}, in the client's own network or no nearer than the address may be"
            return _unsure(why, reach, requests)
        clue, facets = DIES_AT_THE_FAR_SIDE, Facets()
    elif same:
        clue = PORT_DIES_ON_THE_WAY
        facets = _facets(at, Trigger(field="tcp.dport", value=str(requests.port)))
    else:
        close = are_neighbours(reach.address, place.address, ROUTED_BITS)
        clue = DIES_BEFORE_NEIGHBOURS if close else DIES_BEFORE_FELLOWS
        facets = _facets(at, Trigger(field="ip.dst", value=reach.address))
    shown = [*(s for m in at.misses for s in m.syns), Cited(at.last.capture, at.last.number)]
    shown += [Cited(o.died.capture, o.died.number) if o.died else o.syns[0] for o in at.others[:3]]
    return cite(
        clue, subject, *shown, facets=facets, address=reach.address, port=requests.port, hop=at.link[0],
        router=at.last.router, other=place.port if same else place.address, beyond=at.beyond_hops,
    )  # fmt: skip


def _facets(at: Dies, trigger: Trigger) -> Facets:
    return Facets(position="in-path", trigger=trigger, location=Location(hop=at.hop, link=at.link, address=at.router))


def _port_pair(reach: Reach, requests: Requests) -> Iterator[Finding]:
    other = reach.other_port(requests.port)
    if other is None or not requests.failing:
        return
    failing = (*requests.dead, *requests.reset, *(s for s, _ in requests.refused))
    answer = next(s for s in other.alive[0].head if not s.from_client)
    facets = Facets(trigger=Trigger(field="tcp.dport", value=str(requests.port)))
    words: dict[str, Any] = {"address": reach.address, "other": other.port, "port": requests.port}
    yield cite(
        OTHER_PORT_ANSWERS, _subject(reach, "tcp", requests.port), *map(_first, failing), answer, facets=facets, **words
    )


def _reset(capture: Capture, reach: Reach, requests: Requests) -> Iterator[Finding]:
    """Where a SYN is reset that was too short of hops to come as far as the address."""
    other = reach.other_port(requests.port)
    places = by_place(capture.syn_shots)
    mine = places.get((reach.client, reach.address, requests.port), ())
    ways = places.get((reach.client, reach.address, other.port), ()) if other else ()
    at = drawn(mine, ways)
    if at is None or other is None or at.at_home(reach):
        return
    went_on = [s.died for s in at.hits if s.died]
    shown = [*(s.syns[0] for s in at.hits), at.reach.syns[0], *(Cited(d.capture, d.number) for d in went_on)]
    if at.below and at.below.died:
        shown.append(Cited(at.below.died.capture, at.below.died.number))
    resets = [Cited(x.capture, x.number) for s in at.hits for x in s.stream.head if x.flags & RST and not x.from_client]
    facets = Facets(
        position="on-path" if went_on else None,
        trigger=Trigger(field="tcp.dport", value=str(requests.port)),
        location=Location(hop=at.hop, link=(at.hop - 1, at.hop), address=went_on[0].router if went_on else None),
    )
    yield cite(
        RESET_ON_THE_WAY, _subject(reach, "tcp", requests.port), *shown, facets=facets, forged=resets,
        port=requests.port, address=reach.address, hop=at.hop, other=other.port, reach=at.reach.ttl_hops,
    )  # fmt: skip


def _refused(capture: Capture, reach: Reach, requests: Requests) -> Iterator[Finding]:
    """What ICMP says of an address, and whether its sender stands on the way there."""
    other = known_distance(capture.reaches, reach, requests, capture.rtt_samples)
    sweep = by_place(capture.syn_shots).get((reach.client, reach.address, requests.port), ())
    where = next(refusals(sweep), None)
    for stream, report in requests.refused:
        subject = _subject(reach, "ip", requests.port, stream.trial)
        shown = (Cited(report.capture, report.sent), Cited(report.capture, report.number))
        words: dict[str, Any] = {"sender": report.sender, "said": report.says, "address": reach.address}
        words["took"] = report.elapsed_s * 1e3
        if report.at_home(reach.client):
            yield Inconclusive(f"{report.sender} refuses; it stands in the client's own network", shown, subject)
            continue
        if other is None:
            yield Inconclusive(f"{report.sender} refuses, and how far {reach.address} is is not known", shown, subject)
            continue
        gap_s = other.rtt_s - report.elapsed_s
        sooner = report.elapsed_s < SOONER_RATIO * other.rtt_s and gap_s > LEAST_GAP_S
        if not sooner:
            yield cite(REFUSED_BY_THE_FAR_SIDE, subject, *shown, **words)
            continue
        foreign = report.says in OF_THE_HOST  # the host itself cannot have said so yet
        clue = PROHIBITED_ON_THE_WAY if report.says in PROHIBITED or foreign else UNREACHABLE_ON_THE_WAY
        pair = reach.other_port(requests.port)
        trigger = Trigger(field="tcp.dport", value=str(requests.port)) if pair else None
        yield cite(
            clue, subject, *shown, *other.sample, facets=Facets(
                position="in-path", trigger=trigger or Trigger(field="ip.dst", value=reach.address),
                location=_refusing(where),
            ), other=other.address, rtt=other.rtt_s * 1e3, **words,
        )  # fmt: skip


def _refusing(where: tuple[int, SynShot] | None) -> Location | None:
    if where is None or where[1].refused is None:
        return None
    return Location(hop=where[0], link=(where[0] - 1, where[0]), address=where[1].refused.sender)


def _unheard(stream: Stream) -> Iterator[Finding]:
    """Seen from the server's side: SYN-ACKs go out, and the client goes on asking."""
    answers, again = syn_acks_unheard(stream)
    if len(answers) < 2 or len(again) < 2:
        return
    subject = Subject(address=stream.server.address, port=stream.server.port, protocol="tcp", trial=stream.trial)
    words: dict[str, Any] = {"address": stream.server.address, "answers": len(answers), "copies": len(again)}
    yield cite(WAY_BACK, subject, *answers, *again, **words)
    why = "the answers to the client's SYN do not reach it; where they are lost is not to be seen from here"
    yield Inconclusive(why, tuple(Cited(s.capture, s.number) for s in again), subject)


def _waited_s(requests: Requests) -> float:
    return max((s.end_ns - s.first_ns) / 1e9 for s in requests.dead)


def _first(stream: Stream) -> Cited:
    return Cited(stream.capture, int(stream.rows[0]) + 1)


def _subject(reach: Reach, protocol: str, port: int | None = None, trial: str | None = None) -> Subject:
    return Subject(address=reach.address, port=port, protocol=protocol, trial=trial)


def _unsure(why: str, reach: Reach, requests: Requests) -> Inconclusive:
    return Inconclusive(why, tuple(map(_first, requests.dead)), _subject(reach, "tcp", requests.port))
