"""The kind of the first bytes decides: what looks fully encrypted, or like no known protocol, is cut.

What it looks for
    TCP connections whose first data packet is never acknowledged (or acknowledged, and nothing after it), or that are
    reset after it, while other first bytes pass on the same address and port. Where what fails is just what no rule
    of Wu et al. exempts, entropy is the trigger; where everything fails but TLS, HTTP and DNS, it is the protocol.

What it sends
    On request only. To the target's port and to one of proxies, equally long: letters that mean nothing, then noise, on
    the target's port behind a ClientHello. Where any of it is cut: all of it again, and the sweep that places it.

When it is wrong
    A server that dislikes garbage closes, resets after a round trip, or hangs; its kernel acknowledges all the same.
    A proxy or a full accept queue before a dead server takes handshakes and no data, whatever the data: the pair must
    alternate. A firewall beside the server cannot be told from one beside the client by these alone.

Papers
    Wu et al., "How the Great Firewall of China Detects and Blocks Fully Encrypted Traffic", USENIX Security 2023.
    Bock et al., "Detecting and Evading Censorship-in-Depth: A Case Study of Iran's Protocol Filter", FOCI 2020.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from fingerprint.capture import Capture
from fingerprint.conversations.first_words import FirstWords, Spot, chance, in_turn, spots
from fingerprint.conversations.path.payload_shots import PLAIN, RANDOM
from fingerprint.conversations.path.sweeps import Sweep
from fingerprint.messages.first_payload import UNKNOWN, exemption
from fingerprint.probing.payload_bytes import letters, noise
from fingerprint.probing.payloads_tried import Pair, PayloadsTried
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

NEVER_ACKNOWLEDGED = Clue(
    id="first-bytes-never-acknowledged",
    says="after a complete handshake the first {size} bytes were sent {copies} times in {span:.1f} s, never heard",
    group="silence",
    given={
        "tcp.timeout": 0.9, "server-down": 0.05, "split-tcp": 0.03, "server-refuses": 0.003, "path-failure": 0.003,
        "capture-fault": 0.003, "local-network": 0.003, "nat-timeout": 0.001, "pmtu": 0.001, "innocent": 0.0005,
        "*": 0.001,
    },
    source="RFC 9293 section 3.10.7.4 (a host acknowledges what it receives), RFC 6298 (back-off); set by hand",
)  # fmt: skip
DEAF = Clue(
    id="deaf-after-the-first-bytes",
    says="the first {size} bytes were acknowledged; {copies} later segments of the client over {span:.1f} s were not",
    group="silence",
    given={
        "tcp.timeout": 0.7, "server-down": 0.05, "split-tcp": 0.03, "nat-timeout": 0.02, "path-failure": 0.01,
        "server-refuses": 0.005, "capture-fault": 0.01, "local-network": 0.01, "innocent": 0.001, "*": 0.002,
    },
    source="Bock et al., FOCI 2020 (what follows the first packet is dropped); RFC 9293; set by hand",
)  # fmt: skip


def _pair(*nodes: str, weak: bool = False) -> dict[str, float]:
    """Likelihoods of a clue that makes the first bytes the trigger; a server may refuse by them as well as a censor."""
    doubt = 0.3 if weak else 0.03
    innocents = dict.fromkeys(("path-failure", "loss", "nat-timeout", "split-tcp"), doubt)
    innocents |= {"server-refuses": 0.5, "server-down": 0.1 if weak else 0.01, "innocent": 0.05 if weak else 0.02}
    return {"tcp.timeout": 0.005, "tcp.reset": 0.005, **dict.fromkeys(nodes, 0.9), **innocents, "*": 0.01}


_ENTROPY = ("tcp.timeout.entropy", "tcp.reset.payload")
_PROTOCOL = ("tcp.timeout.payload", "tcp.reset.payload")
ENTROPY_DECIDES = Clue(
    id="entropy-decides",
    says="on {address}:{port} {failures} of {alike} connections that began with random-looking bytes failed, and "
    "{passes} passed that some rule exempts ({rules})",
    group="payload-pair",
    given=_pair(*_ENTROPY),
    source="Wu et al., USENIX Security 2023, algorithm 1; Fisher's exact test; set by hand",
)
ENTROPY_PAIR = Clue(
    id="exempt-bytes-pass-here",
    says=ENTROPY_DECIDES.says,
    group="payload-pair",
    given=_pair(*_ENTROPY, weak=True),
    source="as entropy-decides, where chance would do as well; set by hand",
)
PROTOCOL_DECIDES = Clue(
    id="only-known-protocols-pass",
    says="on {address}:{port} {failures} of {alike} connections failed that began like no known protocol, some of "
    "them with plain text, and {passes} passed that began with {kinds}",
    group="payload-pair",
    given=_pair(*_PROTOCOL),
    source="Bock et al., FOCI 2020; Fisher's exact test; set by hand",
)
PROTOCOL_PAIR = Clue(
    id="known-protocols-pass-here",
    says=PROTOCOL_DECIDES.says,
    group="payload-pair",
    given=_pair(*_PROTOCOL, weak=True),
    source="as only-known-protocols-pass, where chance would do as well; set by hand",
)
BYTES_DECIDE = Clue(
    id="first-bytes-decide",
    says="on {address}:{port} {failures} of {alike} connections that began with random-looking bytes failed, and "
    "{passes} passed that began with {kinds}: entropy or protocol, by this alone",
    group="payload-pair",
    given=_pair(*_ENTROPY, *_PROTOCOL),
    source="Wu et al., USENIX Security 2023; Bock et al., FOCI 2020; set by hand",
)
BYTES_PAIR = Clue(
    id="other-first-bytes-pass-here",
    says=BYTES_DECIDE.says,
    group="payload-pair",
    given=_pair(*_ENTROPY, *_PROTOCOL, weak=True),
    source="as first-bytes-decide, where chance would do as well; set by hand",
)
WEAKER = {c.id: weak for c, weak in (
    (ENTROPY_DECIDES, ENTROPY_PAIR), (PROTOCOL_DECIDES, PROTOCOL_PAIR), (BYTES_DECIDE, BYTES_PAIR),
)}  # fmt: skip
NEXT_ONES_DIE = Clue(
    id="next-connections-die",
    says="after it {others} connections to {address}:{port} were not set up, until {until} s had passed",
    group="aftermath",
    given={
        "tcp.timeout": 0.5, "server-down": 0.45, "split-tcp": 0.2, "path-failure": 0.1, "innocent": 0.05, "*": 0.05,
    },
    source="Wu et al., USENIX Security 2023: 180 s for the two addresses and the port; set by hand",
)  # fmt: skip


DIES_ON_THE_WAY = Clue(
    id="unknown-bytes-die-on-the-way",
    says="{what} to {address} is not reported by routers from {hop} hops on, or draws an answer from there, which "
    "{control} is not and does not",
    group="mid-path",
    # Another technique's clues carry the claim; two actions, so that this one alone opens no question.
    given={**dict.fromkeys(("tcp.timeout", "tcp.reset"), 0.6), "path-failure": 0.1, "innocent": 0.05, "*": 0.05},
    source="RFC 792, time exceeded; as mid-path-interference, for bytes that name nobody; set by hand",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProtocolFiltering(Technique):
    """Thresholds: how unlikely by chance a pair must be, and how large a packet every path carries."""

    clues = (
        NEVER_ACKNOWLEDGED, DEAF, ENTROPY_DECIDES, ENTROPY_PAIR, PROTOCOL_DECIDES, PROTOCOL_PAIR, BYTES_DECIDE,
        BYTES_PAIR, NEXT_ONES_DIE, DIES_ON_THE_WAY,
    )  # fmt: skip
    on_request = True

    # Two failures and three passes, or the other way: one in ten if failures strike blindly.
    by_chance: float = 0.1
    # RFC 8200 section 5: the smallest link MTU of IPv6 is 1280 bytes; payloads below 1200 pass everywhere.
    small_bytes: int = 1200
    # Wu et al., USENIX Security 2023: a pair of addresses and a port stays blocked for 180 s.
    residual_s: float = 180.0
    pairs: int = 3
    listen_s: float = 5.0
    # A port of proxies that speak to nobody without a key; the target's own port is tried first.
    ports: tuple[int, ...] = (8388,)
    # One packet, and two: a filter may read the first and drop the second (Bock et al., FOCI 2020).
    sizes_bytes: tuple[int, ...] = (220, 2000)

    def probe(self, target: Target) -> Probe:
        """Among known protocols on the target's port, then letters and noise in turn on others."""
        tried = PayloadsTried(target=target, shows=self.clues, pairs=self.pairs, listen_s=self.listen_s)
        for size in self.sizes_bytes:
            if target.secure:
                yield from tried.among_known(_unknown(target.port, size))
            else:
                yield from tried.steps(_unknown(target.port, size))
        for port in self.ports:
            if port != target.port:
                yield from tried.steps(_unknown(port, self.sizes_bytes[0]))

    def analyse(self, capture: Capture) -> Iterator[Finding]:
        """Every spot where unknown first bytes failed, against what passed there."""
        for spot in spots(capture.streams):
            failed = [w for w in spot.tried if w.kind == UNKNOWN and w.outcome in ("unheard", "deaf", "reset")]
            if failed:
                yield from self._spot(capture, spot, failed)
        for sweep in capture.payload_sweeps:
            if sweep.protocol == "tcp" and sweep.name in (RANDOM, PLAIN):
                yield _placed(sweep)

    def _spot(self, capture: Capture, spot: Spot, failed: Sequence[FirstWords]) -> Iterator[Finding]:
        passed = [w for w in spot.tried if w.passed]
        clue, trigger, alike, others = self._rule(spot, failed, passed)
        if clue is None:
            why = _why(spot, failed, passed)
            yield Inconclusive(why, _cited(*failed), _subject(spot, None))
            return
        largest = max(self.small_bytes, *(w.size_bytes for w in others))
        fit = [w for w in failed if w.lost_bytes <= largest]
        if not fit:
            why = "what failed was larger than what passed; a path that loses large packets would do the same"
            yield Inconclusive(why, _cited(*failed, *others[:2]), _subject(spot, None))
            return
        failed = fit
        if not in_turn(failed, others, capture.streams_of(spot.address)):
            why = "what passed did so before or after all that failed; an outage would do the same"
            yield Inconclusive(why, _cited(*failed, *others[:2]), _subject(spot, None))
            return
        yield from _silences(spot, failed)
        if len(failed) < 2 or chance(len(failed), len(alike), len(others)) > self.by_chance:
            clue = WEAKER[clue.id]
        rules = dict.fromkeys(filter(None, (exemption(w.payload) for w in others)))
        yield cite(
            clue, _subject(spot, None), *(w.sent[0] for w in failed), *_words(others[:6]),
            facets=Facets(trigger=Trigger(field=trigger, value=_value(trigger, failed))),
            address=spot.address, port=spot.port, failures=len(failed), alike=len(alike), passes=len(others),
            rules=", ".join(list(rules)[:3]), kinds=", ".join(dict.fromkeys(w.kind for w in others)),
        )  # fmt: skip
        yield from self._aftermath(capture, spot, failed)

    def _rule(
        self, spot: Spot, failed: Sequence[FirstWords], passed: Sequence[FirstWords]
    ) -> tuple[Clue | None, str, Sequence[FirstWords], Sequence[FirstWords]]:
        """Which rule tells what failed from what passed: clue, trigger, what the rule catches, what it lets through."""
        random = [w for w in spot.tried if w.kind == UNKNOWN and exemption(w.payload) is None]
        exempt = [w for w in passed if exemption(w.payload) is not None]
        strange = [w for w in exempt if w.kind == UNKNOWN]
        known = [w for w in passed if w.kind != UNKNOWN]
        unknown = [w for w in spot.tried if w.kind == UNKNOWN]
        plain = [w for w in failed if exemption(w.payload) is not None]
        if not plain and strange and len({w.payload for w in failed}) > 1:
            return ENTROPY_DECIDES, "payload.entropy", random, exempt
        if plain and known and not any(w.passed for w in unknown):
            return PROTOCOL_DECIDES, "payload.first", unknown, known
        if not plain and exempt:
            return BYTES_DECIDE, "payload.first", random, exempt
        return None, "", (), ()

    def _aftermath(self, capture: Capture, spot: Spot, failed: Sequence[FirstWords]) -> Iterator[Evidence]:
        """Connections that were not even set up behind a failure, where they were before."""
        begun_ns = failed[0].sent[0].time_ns
        mine = [
            s
            for s in capture.streams_of(spot.address)
            if s.server.port == spot.port and s.client.address == spot.client and s.first_ns > begun_ns
        ]
        unset = [s for s in mine if not s.server_flags and s.first_ns - begun_ns < self.residual_s * 1e9]
        after = next((s for s in mine if unset and s.first_ns > unset[-1].first_ns and s.server_flags), None)
        if unset:
            until = f"{(after.first_ns - begun_ns) / 1e9:.0f}" if after else "more than the capture's"
            syns = (Cited(s.capture, int(s.rows[0]) + 1) for s in unset[:6])
            yield cite(
                NEXT_ONES_DIE, _subject(spot, None), failed[0].sent[0], *syns,
                others=len(unset), address=spot.address, port=spot.port, until=until,
            )  # fmt: skip


def _silences(spot: Spot, failed: Sequence[FirstWords]) -> Iterator[Evidence]:
    facets = Facets(position="in-path")
    for w in failed:
        subject = _subject(spot, w.stream.trial)
        if w.outcome == "unheard" and w.met:
            yield cite(
                NEVER_ACKNOWLEDGED,
                subject,
                *w.sent,
                facets=facets,
                size=w.size_bytes,
                copies=len(w.sent),
                span=w.span_s,
            )
        elif w.outcome == "deaf":
            yield cite(
                DEAF, subject, w.sent[0], *w.unheard, facets=facets, size=w.size_bytes, copies=len(w.unheard),
                span=w.deaf_s,
            )  # fmt: skip


def _why(spot: Spot, failed: Sequence[FirstWords], passed: Sequence[FirstWords]) -> str:
    what = f"{len(failed)} connections to {spot.address}:{spot.port} failed after first bytes of no known protocol"
    if not passed:
        return f"{what}, and nothing else passed there"
    return f"{what}, others passed, and no published rule tells the ones from the others"


def _value(trigger: str, failed: Sequence[FirstWords]) -> str:
    if trigger == "payload.first":
        return "no known protocol"
    bits = [int.from_bytes(w.payload, "big").bit_count() / max(1, len(w.payload)) for w in failed]
    return f"{min(bits):.2f} to {max(bits):.2f} bits set per byte"


def _words(words: Sequence[FirstWords]) -> Iterator[Cited]:
    for w in words:
        for s in (w.sent[0], w.acknowledged):
            if s is not None:
                yield Cited(s.capture, s.number)


def _cited(*words: FirstWords) -> tuple[Cited, ...]:
    return tuple(sorted({Cited(s.capture, s.number) for w in words for s in w.sent}))


def _subject(spot: Spot, trial: str | None) -> Subject:
    return Subject(address=spot.address, port=spot.port, protocol="tcp", trial=trial)


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


def _unknown(port: int, size_bytes: int) -> Pair:
    return Pair(
        over="tcp", port=port, what="noise", harmless=(("letters", lambda seed: letters(seed, size_bytes)),),
        trigger=lambda seed: noise(seed, size_bytes, over="tcp"),
    )  # fmt: skip
