"""Tunnels cut by their first payload: SSH, OpenVPN, WireGuard.

What it looks for
    Over TCP, an SSH banner or an OpenVPN reset that is never acknowledged, or deafness or a reset after it, while
    other first bytes pass on the same address and port. Over UDP, a handshake of OpenVPN or WireGuard that is repeated
    and never answered, while others are on the same port, by a server that is shown to answer this kind.

What it sends
    On request only. To the ports of tunnels, equally long and in turn: bytes that mean nothing, then a banner or a
    handshake; the sweep that places what dropped it.

When it is wrong
    A VPN server is silent by design to whom it does not know, and an SSH server hangs up on who speaks no SSH; both may
    reset whom they have seen too often. Tor looks like TLS and is not told from it here; what looks like nothing at all
    (obfs4) is for `protocol-filtering`. Whether a reset is forged is for `tcp-rst-injection`.

Papers
    Xue et al., "OpenVPN is Open to VPN Fingerprinting", USENIX Security 2022.
    Aryan et al., "Internet Censorship in Iran: A First Look", FOCI 2013 (SSH slowed and cut).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from fingerprint.capture import Capture
from fingerprint.conversations.first_words import FirstWords, Spot, chance, in_turn, spots
from fingerprint.conversations.path.sweeps import Sweep
from fingerprint.conversations.udp.datagrams import Datagram, DatagramFlow
from fingerprint.conversations.udp.places import PayloadPair, payload_pairs
from fingerprint.probing.payload_bytes import SSH_BANNER, letters, noise, openvpn, wireguard
from fingerprint.probing.payloads_tried import Bytes, Pair, PayloadsTried
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

OVER_TCP = ("ssh", "openvpn")
OVER_UDP = ("openvpn", "wireguard")
# RFC 4253 section 4; IANA for OpenVPN; the port of WireGuard's own documentation.
SSH_PORT, OPENVPN_PORT, WIREGUARD_PORT = 22, 1194, 51820

NEVER_ACKNOWLEDGED = Clue(
    id="tunnel-never-acknowledged",
    says="after a complete handshake the first bytes ({kind}) were sent {copies} times in {span:.1f} s, never heard",
    group="silence",
    given={
        "tcp.timeout": 0.9, "server-down": 0.05, "split-tcp": 0.03, "server-refuses": 0.003, "path-failure": 0.003,
        "capture-fault": 0.003, "local-network": 0.003, "nat-timeout": 0.001, "pmtu": 0.001, "innocent": 0.0005,
        "*": 0.001,
    },
    source="RFC 9293 section 3.10.7.4 (a host acknowledges what it receives), RFC 6298 (back-off); set by hand",
)  # fmt: skip
DEAF = Clue(
    id="deaf-after-the-tunnel-began",
    says="the first bytes ({kind}) were acknowledged; {copies} later segments of the client over {span:.1f} s were not",
    group="silence",
    given={
        "tcp.timeout": 0.7, "server-down": 0.05, "split-tcp": 0.03, "nat-timeout": 0.02, "path-failure": 0.01,
        "server-refuses": 0.005, "capture-fault": 0.01, "local-network": 0.01, "innocent": 0.001, "*": 0.002,
    },
    source="a program that hangs leaves its kernel acknowledging (RFC 9293 section 3.10.7.4); set by hand",
)  # fmt: skip


def _pair(*, weak: bool = False, refuses: float = 0.5) -> dict[str, float]:
    doubt = 0.3 if weak else 0.03
    innocents = dict.fromkeys(("path-failure", "loss", "nat-timeout", "split-tcp"), doubt)
    innocents |= {"server-refuses": refuses, "server-down": 0.1 if weak else 0.01, "innocent": 0.05 if weak else 0.02}
    nodes = dict.fromkeys(("tcp.timeout.payload", "tcp.reset.payload"), 0.9)
    return {**nodes, "tcp.timeout": 0.005, "tcp.reset": 0.005, **innocents, "*": 0.01}


_SAYS = "on {address}:{port} all {failures} connections that began with {kind} failed, and {passes} passed with {kinds}"
TUNNEL_DECIDES = Clue(
    id="tunnel-decides",
    says=_SAYS,
    group="payload-pair",
    given=_pair(),
    source="Fisher's exact test over connections in turn; a server may refuse a protocol as well; set by hand",
)
SERVER_SPEAKS_IT = Clue(
    id="server-speaks-it-too",
    says=_SAYS + "; the server names itself as {kind}",
    group="payload-pair",
    given=_pair(refuses=0.02),
    source="RFC 4253 section 4.2: who sends a banner wants one; set by hand",
)
TUNNEL_PAIR = Clue(
    id="other-first-bytes-pass",
    says=_SAYS,
    group="payload-pair",
    given=_pair(weak=True),
    source="as tunnel-decides, where chance would do as well; set by hand",
)
UNANSWERED = Clue(
    id="tunnel-unanswered",
    says="{copies} handshakes ({kind}) to {address}:{port} in {span:.1f} s, and no answer",
    group="silence",
    given={
        "udp.timeout": 0.9, **dict.fromkeys(("server-down", "chosen-filter", "corporate-proxy", "local-network"), 0.9),
        "ordinary": 0.5, "server-refuses": 0.5, "path-failure": 0.5, "capture-fault": 0.1, "nat-timeout": 0.02,
        "loss": 0.01, "congestion": 0.01, "innocent": 0.01, "*": 0.1,
    },
    source="silence is ordinary on UDP; only loss is ruled out by repetition; set by hand",
)  # fmt: skip


def _by_payload(doubt: float) -> dict[str, float]:
    common = dict.fromkeys(("local-network", "corporate-proxy", "chosen-filter", "loss"), 0.0005)
    named = {"ordinary": doubt, "server-down": doubt, "server-refuses": 0.0003, "path-failure": 0.001}
    return {"udp.timeout.payload": 0.9, "udp.timeout": 0.005, **common, **named, "innocent": 0.0002, "*": 0.005}


ANYTHING_ELSE_ANSWERED = Clue(
    id="any-other-bytes-answered",
    says="on {address}:{port} {kind} is silent ({silent} times); letters and noise of its length are answered in turn "
    "({answered})",
    group="payload-pair",
    given=_by_payload(0.0002),
    source="who answers bytes without meaning answers these; set by hand",
)
ANSWERED_OTHERWISE = Clue(
    id="tunnel-answered-at-another-time",
    says="{address}:{port} answers {kind} at another time; now it is silent ({silent} times), while other bytes are "
    "answered in turn ({answered})",
    group="payload-pair",
    given=_by_payload(0.003),
    source="a server that spoke a protocol may have stopped; set by hand",
)
PAIRS = {"anything": ANYTHING_ELSE_ANSWERED, "also": ANSWERED_OTHERWISE}


DIES_ON_THE_WAY = Clue(
    id="tunnel-dies-on-the-way",
    says="{what} to {address} is not reported by routers from {hop} hops on, or draws an answer from there, which "
    "{control} is not and does not",
    group="mid-path",
    # Another technique's clues carry the claim; two actions, so that this one alone opens no question.
    given={
        **dict.fromkeys(("tcp.timeout", "tcp.reset", "udp.timeout"), 0.6),
        "path-failure": 0.1,
        "innocent": 0.05,
        "*": 0.05,
    },
    source="RFC 792, time exceeded; as mid-path-interference, for bytes that name nobody; set by hand",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TunnelBlocking(Technique):
    """Thresholds: how unlikely by chance a pair over TCP must be; repeats of a silence over UDP."""

    clues = (
        NEVER_ACKNOWLEDGED, DEAF, TUNNEL_DECIDES, SERVER_SPEAKS_IT, TUNNEL_PAIR, UNANSWERED, *PAIRS.values(),
        DIES_ON_THE_WAY,
    )  # fmt: skip
    on_request = True

    # Two failures and three passes, or the other way: one in ten if failures strike blindly.
    by_chance: float = 0.1
    trials: int = 2
    pairs: int = 3
    listen_s: float = 5.0

    def probe(self, target: Target) -> Probe:
        """Letters and a tunnel's first bytes in turn, on the ports of tunnels and on the target's own."""
        tried = PayloadsTried(target=target, shows=self.clues, pairs=self.pairs, listen_s=self.listen_s)
        for port in dict.fromkeys((SSH_PORT, OPENVPN_PORT, target.port)):
            yield from tried.steps(_over_tcp(port, "ssh", lambda _: SSH_BANNER, len(SSH_BANNER)))
            if port != SSH_PORT:
                reset = openvpn("", over="tcp")
                yield from tried.steps(_over_tcp(port, "openvpn", lambda s: openvpn(s, over="tcp"), len(reset)))
        yield from tried.steps(_over_udp(OPENVPN_PORT, "openvpn", lambda s: openvpn(s, over="udp"), 14))
        yield from tried.steps(_over_udp(WIREGUARD_PORT, "wireguard", wireguard, 148))

    def analyse(self, capture: Capture) -> Iterator[Finding]:
        """Every spot where a tunnel's first bytes failed, against what passed there; over TCP, then over UDP."""
        for spot in spots(capture.streams):
            for kind in OVER_TCP:
                failed = [w for w in spot.tried if w.kind == kind and w.outcome in ("unheard", "deaf", "reset")]
                if failed:
                    yield from self._stream(capture, spot, kind, failed)
        for place in capture.datagram_places:
            for pair in payload_pairs(place, OVER_UDP):
                yield from self._datagrams(pair)
        for sweep in capture.payload_sweeps:
            if sweep.name.split(" ")[0] in (*OVER_TCP, *OVER_UDP):
                yield _placed(sweep)

    def _stream(self, capture: Capture, spot: Spot, kind: str, failed: Sequence[FirstWords]) -> Iterator[Finding]:
        alike = [w for w in spot.tried if w.kind == kind]
        passed = [w for w in spot.tried if w.passed and w.kind != kind]
        what = f"{len(failed)} connections to {spot.address}:{spot.port} failed after {kind}"
        if not passed:
            yield Inconclusive(f"{what}, and nothing else passed there", _sent(failed), _subject(spot, None))
            return
        if any(w.passed and w.sent[0].time_ns > failed[0].sent[0].time_ns for w in alike):
            yield Inconclusive(f"{what}, and others with the same passed", _sent(failed), _subject(spot, None))
            return
        if not in_turn(failed, passed, capture.streams_of(spot.address)):
            why = f"{what}; what passed did so before or after all of them, as in an outage"
            yield Inconclusive(why, _sent((*failed, *passed[:2])), _subject(spot, None))
            return
        yield from _silences(spot, failed)
        firm = len(failed) > 1 and chance(len(failed), len(alike), len(passed)) <= self.by_chance
        speaks = kind == "ssh" and any(w.heard_before is not None for w in failed)
        clue = (SERVER_SPEAKS_IT if speaks else TUNNEL_DECIDES) if firm else TUNNEL_PAIR
        yield cite(
            clue, _subject(spot, None), *(w.sent[0] for w in failed),
            *(s for w in passed[:6] for s in (w.sent[0], w.acknowledged) if s is not None),
            facets=_trigger(kind), address=spot.address, port=spot.port, failures=len(failed), kind=kind,
            passes=len(passed), kinds=", ".join(dict.fromkeys(w.kind for w in passed)),
        )  # fmt: skip

    def _datagrams(self, pair: PayloadPair) -> Iterator[Finding]:
        what = f"{pair.kind} to {pair.place.address}:{pair.port} was not answered"
        subject = _of(pair.silent[0], None)
        clue = PAIRS.get(pair.why or "")
        few = len(pair.silent) < self.trials
        few = few or chance(len(pair.silent), len(pair.silent), len(pair.answered)) > self.by_chance
        if not pair.answered or clue is None or pair.contradicted or few:
            why = f"{what}, as by a server that does not know us"
            why = f"{what}, and was in between" if pair.contradicted else why
            why = f"{what}; too few others were, to tell it from chance" if few and clue is not None else why
            yield Inconclusive(why, tuple(Cited(d.capture, d.number) for d in _exchange(pair.silent[0])), subject)
            return
        for flow in pair.silent:
            yield cite(
                UNANSWERED, _of(flow, flow.trial), *flow.datagrams(from_client=True), facets=Facets(position="in-path"),
                copies=flow.client_datagrams, kind=flow.kind, address=pair.place.address, port=pair.port,
                span=flow.span_s,
            )  # fmt: skip
        yield cite(
            clue, subject, *(d for f in (*pair.silent, *pair.shown_by, *pair.answered[:4]) for d in _exchange(f)),
            facets=_trigger(pair.kind, "in-path"), address=pair.place.address, port=pair.port, kind=pair.kind,
            silent=len(pair.silent), answered=len(pair.answered),
        )  # fmt: skip


def _silences(spot: Spot, failed: Sequence[FirstWords]) -> Iterator[Evidence]:
    facets = Facets(position="in-path")
    for w in failed:
        subject = _subject(spot, w.stream.trial)
        if w.outcome == "unheard" and w.met:
            yield cite(
                NEVER_ACKNOWLEDGED, subject, *w.sent, facets=facets, kind=w.kind, copies=len(w.sent), span=w.span_s
            )
        elif w.outcome == "deaf":
            yield cite(
                DEAF, subject, w.sent[0], *w.unheard, facets=facets, kind=w.kind, copies=len(w.unheard), span=w.deaf_s
            )


def _trigger(kind: str, position: str | None = None) -> Facets:
    return Facets(position=position, trigger=Trigger(field="payload.first", value=kind))


def _exchange(flow: DatagramFlow) -> tuple[Datagram, ...]:
    return (*flow.datagrams(from_client=True, at_most=3), *flow.datagrams(from_client=False, at_most=1))


def _sent(words: Sequence[FirstWords]) -> tuple[Cited, ...]:
    return tuple(sorted({Cited(s.capture, s.number) for w in words for s in w.sent}))


def _subject(spot: Spot, trial: str | None) -> Subject:
    return Subject(address=spot.address, port=spot.port, protocol="tcp", trial=trial)


def _of(flow: DatagramFlow, trial: str | None) -> Subject:
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


def _over_tcp(port: int, kind: str, trigger: Bytes, size_bytes: int) -> Pair:
    harmless = (("letters", lambda seed: letters(seed, size_bytes)),)
    return Pair(over="tcp", port=port, what=kind, harmless=harmless, trigger=trigger)


def _over_udp(port: int, kind: str, trigger: Bytes, size_bytes: int) -> Pair:
    harmless = (
        ("letters", lambda seed: letters(seed, size_bytes)),
        ("noise", lambda seed: noise(seed, size_bytes, over="udp")),
    )
    return Pair(over="udp", port=port, what=kind, harmless=harmless, trigger=trigger)
