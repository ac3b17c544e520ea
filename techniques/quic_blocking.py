"""QUIC that goes unanswered where the server speaks it: by name, by version, or altogether.

What it looks for
    Initials that are never answered while other names, or other versions, are answered at the same address; silence
    that falls on every name right after one of them; Initials that no router reports any more from some TTL on, where
    others are reported.

What it sends
    One Initial for a control and one for the target, and the control once more. If that fails: an unknown version, to
    which servers name theirs; pairs in turn; the target in version 2; both with growing TTLs.

When it is wrong
    Most servers do not speak QUIC and say nothing: this one must have been heard, or its owner must say so. An owner's
    word may be out of date. A network that drops all UDP to port 443 may do so by its owner's choice, and looks the
    same. A browser drops a QUIC connection that loses its race.

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

from fingerprint.conversations.quic.attempts import QuicAttempt
from fingerprint.conversations.quic.places import BESIDE_S, COPIES, LISTENED_S, lasting
from fingerprint.conversations.quic.places import QuicTried as Tried
from fingerprint.conversations.quic.support import Support
from fingerprint.conversations.quic.sweeps import away_from_the_server, compared_with
from fingerprint.probing.quic_tried import QuicTried
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

if TYPE_CHECKING:
    from fingerprint.capture import Capture
    from fingerprint.conversations.path.sweeps import Sweep
    from fingerprint.steps import Probe, Target

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
# What the owner of the client's network puts up stands at its edge.
_BEHIND_THE_EDGE = {
    **dict.fromkeys(("chosen-filter", "corporate-proxy", "captive-portal", "local-network", "capture-fault"), 0.0005),
    "loss": 0.005, "path-failure": 0.02, "innocent": 0.0002, "*": 0.001,
}  # fmt: skip
_AT_THE_EDGE = {"chosen-filter": 0.3, "corporate-proxy": 0.3, "captive-portal": 0.2, "local-network": 0.2}
_LOST = "Initials for {name} are no longer reported by routers from {hop} hops on, "
LOST_BY_NAME = Clue(
    id="initials-lost-by-name",
    says=_LOST + "those for {control} are",
    group="quic-mid-path",
    given={"quic.timeout.sni": 0.6, "quic.timeout": 0.005, **_BEHIND_THE_EDGE},
    source="RFC 791: what died on the way was read by nobody behind; set by hand",
)
LOST_BY_VERSION = Clue(
    id="initials-lost-by-version",
    says=_LOST + "those of {control} are",
    group="quic-mid-path",
    given={
        "quic.timeout.version": 0.6, "quic.timeout.sni": 0.4, "quic.timeout": 0.005, **_BEHIND_THE_EDGE,
        "chosen-filter": 0.02, "corporate-proxy": 0.02,
    },
    source="as initials-lost-by-name; set by hand",
)  # fmt: skip
LOST_OVER_UDP = Clue(
    id="initials-lost-beside-tcp",
    says=_LOST + "hellos over TCP to the same port are",
    group="quic-mid-path",
    given={"quic.timeout": 0.6, **_BEHIND_THE_EDGE, **_CHOSEN, "server-refuses": 0.01, "ordinary": 0.005},
    source="as initials-lost-by-name; the box stands away from the server; set by hand",
)
LOST_NEAR_THE_SERVER = Clue(
    id="initials-lost-near-the-server",
    says=_LOST + "hellos over TCP to the same port are; hardly a router stands behind",
    group="quic-mid-path",
    given={**LOST_OVER_UDP.given, "server-refuses": 0.3, "ordinary": 0.3},
    source="a server's own firewall stands before it; set by hand",
)
LOST_AT_THE_EDGE = Clue(
    id="initials-lost-at-the-edge",
    says=_LOST + "those of {control} are",
    group="quic-mid-path",
    given={**LOST_OVER_UDP.given, **_AT_THE_EDGE},
    source="a filter in the home or office stands on the way as well; set by hand",
)
LOST = {"name": LOST_BY_NAME, "version": LOST_BY_VERSION, "tcp": LOST_OVER_UDP}


@dataclass(frozen=True, slots=True, kw_only=True)
class QuicBlocking(Technique):
    """Thresholds: Initials that must have gone unanswered, and for how long."""

    clues = (
        SILENT, SILENT_THOUGH_ADVERTISED, DEAF, SILENCED_AFTER, NAME_DECIDES, OTHER_NAME_ANSWERED, VERSION_DECIDES,
        VERSION_OR_NAME, ALL_SILENT_HERE, ANSWERED_ELSEWHERE, TCP_WORKS, THIS_NAME_PASSES_TOO, *LOST.values(),
        LOST_NEAR_THE_SERVER, LOST_AT_THE_EDGE,
    )  # fmt: skip

    copies: int = COPIES
    listen_s: float = LISTENED_S
    pairs: int = 3

    def probe(self, target: Target) -> Probe:
        """A control, the target and the control again; more of it once one of them was not answered."""
        yield from QuicTried(target=target, shows=self.clues, pairs=self.pairs, port=target.port).steps()

    def analyse(self, capture: Capture) -> Iterator[Finding]:
        """Silence under each name at each place, then where on the way it begins."""
        for place in capture.quic_places:
            for mine in place.names:
                yield from self._silence(capture, mine)
        yield from (_placed(capture, sweep) for sweep in capture.quic_sweeps if sweep.action == "timeout")

    def _silence(self, capture: Capture, mine: Tried) -> Iterator[Finding]:
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

    def _silent(self, mine: Tried, proof: Support) -> Iterator[Finding]:
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


def _beside(capture: Capture, mine: Tried) -> Iterator[Finding]:
    """What other names, versions, servers and TCP do meanwhile."""
    subject, address = _subject(mine, None), mine.place.address
    failed = [a.initials[0] for a in mine.failures if a.initials]
    words: dict[str, Any] = {"name": mine.name, "address": address, "failures": len(mine.failures)}
    if mine.others:
        # A name that passes here itself does not decide by itself.
        clue = NAME_DECIDES if mine.in_turn and not mine.passed else OTHER_NAME_ANSWERED
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


def _tcp(capture: Capture, mine: Tried, subject: Subject, failed: Sequence[Any]) -> Iterator[Finding]:
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


def _placed(capture: Capture, sweep: Sweep) -> Finding:
    """The link behind which routers report others and no longer these."""
    kind = compared_with(sweep)
    clue = LOST[kind] if kind != "tcp" or away_from_the_server(sweep) else LOST_NEAR_THE_SERVER
    clue = clue if sweep.hop > 1 else LOST_AT_THE_EDGE
    elsewhere = any(a.name == sweep.name and a.passed and a.place[1] != sweep.address for a in capture.quic_tried)
    by_address = ("ip.dst", sweep.address) if elsewhere else ("udp.dport", str(sweep.port))
    told = {"name": ("quic.sni", sweep.name), "tcp": by_address}.get(kind)
    trigger = Trigger(field=told[0], value=told[1]) if told else None
    place = Location(hop=sweep.hop, link=sweep.link, address=sweep.router)
    shown = (*sweep.hits, *sweep.misses[-2:], *sweep.controls[:4])
    packets = [d for s in shown for d in s.sent[:1]] + [e for s in shown for e in s.died[:1]]
    subject = Subject(name=sweep.name, address=sweep.address, port=sweep.port, protocol="quic")
    return cite(
        clue, subject, *packets, facets=Facets(position="in-path", trigger=trigger, location=place), name=sweep.name,
        hop=sweep.hop, control=sweep.controls[0].name,
    )  # fmt: skip


def _answers(attempts: Sequence[QuicAttempt]) -> list[Any]:
    return [d for a in attempts[:4] for d in (*a.initials[:1], a.answer) if d is not None]


def _begun(attempts: Sequence[QuicAttempt]) -> list[Any]:
    return [a.initials[0] for a in attempts[:4] if a.initials]


def _names(mine: Tried) -> str:
    return ", ".join(sorted({mine.name, *(a.name for a in mine.fellows if a.name)})[:4])


def _span_s(told: Sequence[Any]) -> float:
    times = [d.time_ns for d in told]
    return (max(times) - min(times)) / 1e9 if times else 0.0


def _subject(mine: Tried, trial: str | None) -> Subject:
    place = mine.place
    return Subject(name=mine.name, address=place.address, port=place.port, protocol="quic", trial=trial)


def _unsure(why: str, mine: Tried) -> Inconclusive:
    packets = tuple(Cited(d.capture, d.number) for a in mine.silent for d in a.initials)
    return Inconclusive(why, packets, _subject(mine, None))
