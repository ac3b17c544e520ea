"""QUIC that goes unanswered, or is ended by somebody else, where the server speaks it.

What it looks for
    Initials that are never answered while other names, or other versions, are answered at the same address; silence
    that falls on every name right after one of them; and closes, Version Negotiations and ICMP errors that the server
    cannot have sent: sooner than it answers, contradicted by its other packets, or followed by its true answer.

What it sends
    One Initial for a control and one for the target, and the control once more. If that fails: an unknown version, to
    which servers name theirs; pairs in turn; the target in version 2; both with growing TTLs.

When it is wrong
    Most servers do not speak QUIC and say nothing: this one must have been heard, or its owner must say so. An owner's
    word may be out of date. A network that drops all UDP to port 443 may do so by its owner's choice, and looks the
    same. A browser drops a QUIC connection that loses its race. Load balancers vary in their TTLs.

Papers
    Zohaib et al., "Exposing and Circumventing SNI-based QUIC Censorship of the Great Firewall of China", USENIX
    Security 2025.
    Xue et al., "TSPU: Russia's Decentralized Censorship System", IMC 2022.
    Elmenhorst et al., "Web Censorship Measurements of HTTP/3 over QUIC", IMC 2021.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fingerprint.conversations import quic_endings
from fingerprint.conversations.quic_attempts import QuicAttempt
from fingerprint.conversations.quic_endings import Ending
from fingerprint.conversations.quic_places import BESIDE_S, COPIES, LISTENED_S, QuicPlace, QuicTried, lasting
from fingerprint.conversations.quic_support import Support
from fingerprint.technique import Cited, Clue, Facets, Finding, Inconclusive, Subject, Technique, Trigger, cite

if TYPE_CHECKING:
    from fingerprint.capture import Capture

# Each P(seen | hypothesis) is set by hand from the mechanism: no labelled frequencies were measured yet (n = 0).
# A network's owner may drop QUIC by choice, and no packet tells him from a censor; other evidence has to.
_CHOSEN = {"chosen-filter": 0.1, "corporate-proxy": 0.1}
SILENT = Clue(
    id="initials-unanswered",
    says="{copies} Initials for {name} over {span:.1f} s were never answered by {address}, which speaks QUIC: {proof}",
    group="quic-silence",
    given={
        "quic.timeout": 0.9, **_CHOSEN, "server-down": 0.05, "path-failure": 0.01, "server-refuses": 0.005,
        "captive-portal": 0.02, "local-network": 0.02, "capture-fault": 0.005, "congestion": 0.002,
        "nat-timeout": 0.002, "ordinary": 0.001, "innocent": 0.0005, "*": 0.001,
    },
    source="RFC 9000 sections 6.1 and 10.2.3: a server that reads an Initial answers or closes; set by hand",
)  # fmt: skip
SILENT_THOUGH_ADVERTISED = Clue(
    id="initials-unanswered-though-advertised",
    says="{copies} Initials for {name} over {span:.1f} s were never answered by {address}, which should speak QUIC:"
    " {proof}",
    group="quic-silence",
    given={**SILENT.given, "ordinary": 0.05, "server-down": 0.1, "server-refuses": 0.05},
    source="RFC 9114 section 3.1.1: an advertisement may be stale or UDP closed to it; set by hand",
)  # fmt: skip
DEAF = Clue(
    id="handshake-never-heard",
    says="{address} answered the first flight for {name}; {copies} later datagrams over {span:.1f} s it never heard",
    group="quic-silence",
    given={
        "quic.timeout": 0.5, "server-down": 0.02, "path-failure": 0.01, "nat-timeout": 0.01, "local-network": 0.01,
        "capture-fault": 0.01, "server-refuses": 0.01, "loss": 0.001, "innocent": 0.002, "*": 0.002,
    },
    source="RFC 9000 section 8.1: an address that is heard again is no longer held to three times its bytes",
)  # fmt: skip
SILENCED_AFTER = Clue(
    id="silenced-after-its-initial",
    says="after an Initial for {name}, {silent} connections to {address} over {span:.1f} s were silent; after other"
    " names none was",
    group="quic-silence",
    given={**SILENT.given, "server-refuses": 0.02, "ordinary": 0.002},
    source="Zohaib et al., USENIX Security 2025 (residual of client, address and port, 180 s); set by hand",
)  # fmt: skip
NAME_DECIDES = Clue(
    id="other-names-answered-in-turn",
    says="{address} answers Initials for {control} before and after those for {name} ({passes} against {failures})",
    group="quic-pair",
    given={
        "quic.timeout.sni": 0.9, "quic.timeout": 0.005, "server-refuses": 0.04, "path-failure": 0.04, "loss": 0.04,
        "server-down": 0.01, "chosen-filter": 0.02, "corporate-proxy": 0.02, "captive-portal": 0.01,
        "local-network": 0.01, "innocent": 0.03, "*": 0.01,
    },
    source="RFC 9001 section 4.8: a name that a server does not take is told so; set by hand",
)  # fmt: skip
OTHER_NAME_ANSWERED = Clue(
    id="other-name-answered-here",
    says="{address} answers Initials for {control}, at another time than {name} ({passes} against {failures})",
    group="quic-pair",
    given={
        **NAME_DECIDES.given, "server-refuses": 0.15, "server-down": 0.3, "path-failure": 0.3, "loss": 0.3,
        "local-network": 0.2, "innocent": 0.2,
    },
    source="as other-names-answered-in-turn; an outage ends as well; set by hand",
)  # fmt: skip
VERSION_DECIDES = Clue(
    id="other-version-answered",
    says="{address} {does}, and leaves every Initial in {version} unanswered, whatever its name ({names})",
    group="quic-pair",
    given={
        "quic.timeout.version": 0.9, "quic.timeout": 0.005, "quic.timeout.sni": 0.002, "server-refuses": 0.03,
        "server-down": 0.03, "ordinary": 0.02, "path-failure": 0.1, "loss": 0.05, "chosen-filter": 0.02,
        "corporate-proxy": 0.02, "innocent": 0.02, "*": 0.01,
    },
    source="RFC 9000 section 6.1: a server lists the versions that it takes; set by hand",
)  # fmt: skip
VERSION_OR_NAME = Clue(
    id="other-version-answered-to-this-name",
    says="{address} {does}, and leaves Initials for {name} in {version} unanswered; no other name was tried in it",
    group="quic-pair",
    given={**VERSION_DECIDES.given, "quic.timeout.sni": 0.6},
    source="a box that reads names may read those of one version only (Zohaib et al., section 4); set by hand",
)
ALL_SILENT_HERE = Clue(
    id="all-names-silent-here",
    says="{address} answers no Initial, whatever its name ({names})",
    group="quic-pair",
    given={
        "quic.timeout": 0.6, "quic.timeout.version": 0.3, "quic.timeout.sni": 0.02, "server-refuses": 0.4, "loss": 0.2,
        "innocent": 0.6, "*": 0.5,
    },
    source="DESIGN: a control that fails makes a trial invalid; set by hand",
)  # fmt: skip
ANSWERED_ELSEWHERE = Clue(
    id="this-name-answered-elsewhere",
    says="Initials for {name} are answered by {other} at the same time",
    group="quic-elsewhere",
    given={
        "quic.timeout": 0.7, "quic.timeout.sni": 0.02, "quic.timeout.version": 0.02, "chosen-filter": 0.02,
        "corporate-proxy": 0.02, "captive-portal": 0.02, "local-network": 0.02, "capture-fault": 0.05, "loss": 0.2,
        "innocent": 0.7, "*": 0.5,
    },
    source="Elmenhorst et al., IMC 2021 (UDP endpoint blocking); set by hand",
)  # fmt: skip
TCP_WORKS = Clue(
    id="tcp-works-there",
    says="over TCP port {port} of {address} serves {served} at the same time",
    group="quic-address",
    given={
        "quic.timeout": 0.7, "quic.close": 0.7, "server-down": 0.05, "local-network": 0.05, "captive-portal": 0.05,
        "server-refuses": 0.3, "path-failure": 0.3, "innocent": 0.6, "*": 0.6,
    },
    source="DESIGN, reach: QUIC dies and TCP loads; set by hand",
)  # fmt: skip
THIS_NAME_PASSES_TOO = Clue(
    id="this-name-is-answered-too",
    says="{address} also answered Initials for {name} ({passes} against {failures})",
    group="quic-contradiction",
    given={
        "quic.timeout": 0.2, "server-refuses": 0.05, "server-down": 0.4, "loss": 0.9, "path-failure": 0.9,
        "innocent": 0.7, "*": 0.5,
    },
    source="censors that act on a share of the flows exist (Zohaib et al., section 5); set by hand",
)  # fmt: skip
NOT_THE_SERVERS = Clue(
    id="ending-contradicts-the-server",
    says="{what} {took:.1f} ms after the Initial is not the server's: {why}",
    group="quic-ending",
    given={
        "quic.close": 0.5, "capture-fault": 0.001, "ordinary": 0.0005, "server-refuses": 0.001, "innocent": 0.0005,
        "chosen-filter": 0.005, "corporate-proxy": 0.005, "*": 0.0005,
    },
    source="RFC 9000 sections 6.1, 6.2, 10.2 and 12.3; RFC 1122 section 3.2.2.1; set by hand",
)  # fmt: skip
SOONER_THAN_THE_SERVER = Clue(
    id="ending-sooner-than-the-server",
    says="{what} came {took:.1f} ms after the Initial; the server is {floor:.1f} ms away",
    group="quic-ending-time",
    given={
        "quic.close": 0.6, "split-tcp": 0.02, "local-network": 0.02, "corporate-proxy": 0.02, "captive-portal": 0.02,
        "chosen-filter": 0.01, "server-refuses": 0.003, "capture-fault": 0.003, "innocent": 0.003, "*": 0.003,
    },
    source="nothing is sooner than the way is long; set by hand",
)  # fmt: skip
ENDING_WITH_OTHER_TTL = Clue(
    id="ending-with-another-ttl",
    says="{what} arrived with TTL {ttl}, all of the server's own with {steady}",
    group="quic-ending-header",
    given={"quic.close": 0.6, "server-refuses": 0.1, "corporate-proxy": 0.4, "innocent": 0.1, "*": 0.1},
    source="load balancers answer for servers behind them; set by hand",
)
ENDED = Clue(
    id="quic-ended",
    says="{what} {took:.1f} ms after the Initial; nothing shows that it is not the server's",
    group="observation",
    given={},
    source="RFC 9000 section 10.2.3",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class QuicBlocking(Technique):
    """Thresholds: Initials that must have gone unanswered, and for how long."""

    clues = (
        SILENT, SILENT_THOUGH_ADVERTISED, DEAF, SILENCED_AFTER, NAME_DECIDES, OTHER_NAME_ANSWERED, VERSION_DECIDES,
        VERSION_OR_NAME, ALL_SILENT_HERE, ANSWERED_ELSEWHERE, TCP_WORKS, THIS_NAME_PASSES_TOO, NOT_THE_SERVERS,
        SOONER_THAN_THE_SERVER, ENDING_WITH_OTHER_TTL, ENDED,
    )  # fmt: skip

    copies: int = COPIES
    listen_s: float = LISTENED_S

    def analyse(self, capture: Capture) -> Iterator[Finding]:
        """Silence under each name at each place, then what ended connections there."""
        for place in capture.quic_places:
            for mine in place.names:
                yield from self._silence(capture, mine)
            yield from _endings(capture, place)

    def _silence(self, capture: Capture, mine: QuicTried) -> Iterator[Finding]:
        proof = capture.speaks_quic(mine)
        sendings = [d for a in mine.silent for d in a.initials]
        enough = self._enough(mine.silent)
        if mine.silent and not enough:
            times = f"{len(sendings)} Initials over {mine.span_s:.1f} s"
            why = f"{mine.name}: {times} went unanswered, want {self.copies} and {self.listen_s:g} s of silence"
            yield _unsure(why, mine)
        elif mine.silent and proof is None:
            why = f"{mine.name}: nothing shows that {mine.place.address} speaks QUIC, and most servers do not"
            yield _unsure(why, mine)
        shown = proof is not None and enough
        if proof is not None and enough:
            yield from self._silent(mine, proof)
        for a in mine.deaf:
            if len(a.unheard) >= self.copies and _span_s(a.unheard) >= self.listen_s:
                shown = True
                yield cite(
                    DEAF, _subject(mine, a.trial), *a.initials[:1], *filter(None, [a.answer]), *a.unheard,
                    facets=Facets(position="in-path"), copies=len(a.unheard), span=_span_s(a.unheard),
                    name=mine.name, address=mine.place.address,
                )  # fmt: skip
        for s in mine.silencings:
            if self._enough(s.silent):
                shown = True
                facets = Facets(position="in-path", residual_s=mine.residual_s)
                told = (*s.trigger.initials[:1], *(d for a in s.silent for d in a.initials))
                after = () if s.ended is None or s.ended.answer is None else (s.ended.answer,)
                yield cite(
                    SILENCED_AFTER, _subject(mine, s.trigger.trial), *told, *after, facets=facets, name=mine.name,
                    silent=len(s.silent), address=mine.place.address, span=_span_s(told),
                )  # fmt: skip
        if shown:
            yield from _beside(capture, mine)

    def _silent(self, mine: QuicTried, proof: Support) -> Iterator[Finding]:
        """One finding for each connection that is long enough alone, or one for all of them together."""
        clue = SILENT if proof.itself else SILENT_THOUGH_ADVERTISED
        alone: list[tuple[QuicAttempt, ...]] = [(a,) for a in mine.silent if self._enough((a,))]
        for several in alone or [mine.silent]:
            told = [d for a in several for d in a.initials]
            yield cite(
                clue, _subject(mine, several[0].trial), *told, *proof.packets, facets=Facets(position="in-path"),
                copies=len(told), name=mine.name, span=_span_s(told), address=mine.place.address, proof=proof.says,
            )  # fmt: skip

    def _enough(self, silent: Sequence[QuicAttempt]) -> bool:
        return lasting(silent, copies=self.copies, listened_s=self.listen_s)


def _beside(capture: Capture, mine: QuicTried) -> Iterator[Finding]:
    """What other names, versions, servers and TCP do meanwhile."""
    subject, address = _subject(mine, None), mine.place.address
    failed = [a.initials[0] for a in mine.failures if a.initials]
    words: dict[str, Any] = {"name": mine.name, "address": address, "failures": len(mine.failures)}
    if mine.others:
        clue = NAME_DECIDES if mine.in_turn else OTHER_NAME_ANSWERED
        facets = Facets(trigger=Trigger(field="quic.sni", value=mine.name))
        yield cite(
            clue, subject, *failed, *_answers(mine.others), facets=facets, control=mine.others[0].name,
            passes=len(mine.others), **words,
        )  # fmt: skip
    elif mine.in_other_versions or mine.offers:
        passed = mine.in_other_versions
        does = f"answers in {passed[0].version}" if passed else f"offers {mine.version}"
        told = [*failed, *_begun(mine.fellows), *_answers(passed or mine.offers)]
        facets = Facets(trigger=Trigger(field="quic.version", value=str(mine.version)) if mine.fellows else None)
        clue = VERSION_DECIDES if mine.fellows else VERSION_OR_NAME
        yield cite(
            clue, subject, *told, facets=facets, does=does, version=mine.version, names=_names(mine), **words
        )  # fmt: skip
    elif mine.fellows and not mine.silencings:
        told = [*failed, *_begun(mine.fellows)]
        yield cite(ALL_SILENT_HERE, subject, *told, address=address, names=_names(mine))
    elsewhere = capture.quic_elsewhere(mine)
    if elsewhere is not None:
        facets = Facets(trigger=Trigger(field="ip.dst", value=address))
        told = [*failed, *_answers([elsewhere])]
        yield cite(ANSWERED_ELSEWHERE, subject, *told, facets=facets, name=mine.name, other=elsewhere.place[1])
    yield from _tcp(capture, mine, subject, failed)
    if mine.passed:
        yield cite(THIS_NAME_PASSES_TOO, subject, *failed, *_answers(mine.passed), passes=len(mine.passed), **words)


def _tcp(capture: Capture, mine: QuicTried, subject: Subject, failed: Sequence[Any]) -> Iterator[Finding]:
    """The same port of the address over TCP, this name's connection before any other."""
    around = (failed[0].time_ns - BESIDE_S * 1e9, failed[-1].time_ns + BESIDE_S * 1e9) if failed else (0, 0)
    works = [
        s
        for s in capture.streams_of(mine.place.address)
        if s.server.port == mine.place.port and s.answered and around[0] <= s.first_ns <= around[1]
    ]
    for s in sorted(works, key=lambda s: s.name != mine.name)[:1]:
        answer = Cited(s.capture, s.answer_row + 1)
        served = s.name or "others"
        yield cite(TCP_WORKS, subject, *failed, answer, port=s.server.port, address=mine.place.address, served=served)


def _endings(capture: Capture, place: QuicPlace) -> Iterator[Finding]:
    """Whatever ended a connection, with what shows that the server did not."""
    samples = capture.rtt_samples(place.address)
    floor_s = quic_endings.floor(place, samples, capture.quic_places)
    for e in quic_endings.endings(place, floor_s):
        name = e.attempt.name
        subject = Subject(
            name=name, address=place.address, port=place.port, protocol="quic", trial=e.attempt.trial
        )  # fmt: skip
        begun = e.attempt.initials[:1] or e.attempt.flow.head[:1]
        words: dict[str, Any] = {"what": e.says, "took": e.took_s * 1e3}
        if not e.contradictions and not e.sooner:
            yield cite(ENDED, subject, *begun, e.packet, **words)
            continue
        facets = _facets(e, place)
        if e.contradictions:
            why = "; ".join(e.contradictions)
            shown = (*begun, *e.witnesses)
            yield cite(NOT_THE_SERVERS, subject, *shown, forged=(e.packet,), facets=facets, why=why, **words)
        if e.sooner and floor_s is not None:
            yield cite(
                SOONER_THAN_THE_SERVER, subject, *begun, forged=(e.packet,), facets=facets, floor=floor_s * 1e3, **words
            )
        if e.other_ttl is not None:
            ttl = e.packet.ttl_hops
            yield cite(ENDING_WITH_OTHER_TTL, subject, *begun, e.packet, ttl=ttl, steady=e.other_ttl, **words)


def _facets(e: Ending, place: QuicPlace) -> Facets:
    """On-path if the server's answer came all the same; the name if others are answered there."""
    other = any(a.name != e.attempt.name for a in place.passed) and e.attempt.name
    trigger = Trigger(field="quic.sni", value=e.attempt.name) if other and e.attempt.name else None
    return Facets(position="on-path" if e.attempt.passed else None, trigger=trigger)


def _answers(attempts: Sequence[QuicAttempt]) -> list[Any]:
    return [d for a in attempts[:4] for d in (*a.initials[:1], a.answer) if d is not None]


def _begun(attempts: Sequence[QuicAttempt]) -> list[Any]:
    return [a.initials[0] for a in attempts[:4] if a.initials]


def _names(mine: QuicTried) -> str:
    return ", ".join(sorted({mine.name, *(a.name for a in mine.fellows if a.name)})[:4])


def _span_s(told: Sequence[Any]) -> float:
    times = [d.time_ns for d in told]
    return (max(times) - min(times)) / 1e9 if times else 0.0


def _subject(mine: QuicTried, trial: str | None) -> Subject:
    place = mine.place
    return Subject(name=mine.name, address=place.address, port=place.port, protocol="quic", trial=trial)


def _unsure(why: str, mine: QuicTried) -> Inconclusive:
    packets = tuple(Cited(d.capture, d.number) for a in mine.silent for d in a.initials)
    return Inconclusive(why, packets, _subject(mine, None))
