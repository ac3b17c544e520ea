"""A hello that hides its name is cut off: because it hides one, whatever else it says.

What it looks for
    Hellos with an encrypted_client_hello or encrypted_server_name extension that are never answered or reset, where
    hellos without it pass: same name on the outside, same client, same address, no smaller. And whether other names
    under the same veil fail as well, here and in other networks.

What it sends
    At the target's address the control's name under either extension, once. If that fails, the target's name with and
    without it, equally long, in turn; then the control's name here and where it lives.

When it is wrong
    A hello with the extension is larger, and a path may lose large packets: a hello without it that is as long must
    pass. The name on the outside may be what is minded: then it fails without the extension too. Servers that do not
    know the extension ignore it; one that does not is told from a censor by other networks alone.

Papers
    Bock et al., "Exposing and Circumventing China's Censorship of ESNI", GFW Report, iYouPort and Geneva, 2020.
    Niere et al., "Encrypted Client Hello (ECH) in Censorship Circumvention", 2025.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from fingerprint.capture import Capture
from fingerprint.conversations.tls import hello_kinds
from fingerprint.conversations.tls.client_kinds import VEILS
from fingerprint.conversations.tls.flights_compared import same_network
from fingerprint.conversations.tls.hello_kinds import Greeting, Places, Twins, shown
from fingerprint.probing.veils_tried import VeilsTried
from fingerprint.steps import Probe, Target
from fingerprint.technique import (
    Cited,
    Clue,
    Evidence,
    Facets,
    Finding,
    Inconclusive,
    Subject,
    Technique,
    Trigger,
    cite,
)

# RFC 9849 section 6.2: clients send the extension as GREASE to servers without it, which shows those that it breaks.
_SOURCE = "RFC 8446 section 4.2: an extension that is not known is ignored; set by hand"
VEILED_UNHEARD = Clue(
    id="veiled-hello-never-acknowledged",
    says="a hello with {veil} was sent {copies} times in {span:.1f} s, never acknowledged",
    group="silence",
    given={
        "*.timeout": 0.9, "split-tcp": 0.002, "local-network": 0.003, "capture-fault": 0.003, "path-failure": 0.003,
        "server-refuses": 0.0005, "nat-timeout": 0.001, "pmtu": 0.001, "server-down": 0.01, "loss": 0.0003,
        "innocent": 0.0002, "*": 0.001,
    },
    source="RFC 9293 section 3.10.7.4: a host acknowledges what it receives; set by hand",
)  # fmt: skip
LARGE_VEILED_UNHEARD = Clue(
    id="large-veiled-hello-never-acknowledged",
    says="a hello of {size} bytes with {veil} was sent {copies} times in {span:.1f} s, never acknowledged",
    group="silence",
    given={**VEILED_UNHEARD.given, "pmtu": 0.6},
    source="RFC 2923 (black-hole routers); set by hand",
)


def _pair(how: str, says: str, refuses: float, *, larger: bool = False) -> Clue:
    """The extension decides: the name that stands in the hello cannot, for it passes without."""
    action = "reset" if how == "reset" else "timeout"
    return Clue(
        id=f"veil-decides-{how}{'-larger' * larger}",
        says=says + (", which were smaller" if larger else ""),
        group="veil-pair",
        given={
            f"*.{action}.ech": 0.9, f"*.{action}.sni": 0.002, f"*.{action}": 0.005, "server-refuses": refuses,
            "path-failure": 0.03, "loss": 0.01, "server-down": 0.01, "pmtu": 0.9 if larger else 0.01, "ordinary": 0.001,
            "chosen-filter": 0.01, "corporate-proxy": 0.01, "innocent": 0.01, "*": 0.01,
        },
        source=_SOURCE,
    )  # fmt: skip


_SAYS = "{name} {fate} with {veil} on {address} ({failures} of {failures}), and passed {passes} times without"
PAIRS = {
    (how, larger): _pair(how, _SAYS, refuses, larger=larger)
    for how, refuses in (("reset", 0.02), ("unheard", 0.0005), ("unanswered", 0.02))
    for larger in (False, True)
}
_EITHER = ("reset", "timeout")
OTHERS_TOO = Clue(
    id="other-names-fail-under-the-veil",
    says="{others} other names fail with {veil} on {address} as well, and pass there without",
    group="veil-names",
    given={
        **{f"*.{did}.ech": 0.8 for did in _EITHER}, **{f"*.{did}.sni": 0.002 for did in _EITHER},
        **{f"*.{did}": 0.1 for did in _EITHER}, "server-refuses": 0.8, "chosen-filter": 0.8, "corporate-proxy": 0.8,
        "pmtu": 0.5, "loss": 0.02, "path-failure": 0.02, "innocent": 0.1, "*": 0.1,
    },
    source=_SOURCE,
)  # fmt: skip
ELSEWHERE_TOO = Clue(
    id="the-veil-fails-in-other-networks",
    says="hellos with {veil} fail in {networks} networks and pass there without",
    group="veil-networks",
    given={
        **{f"*.{did}.ech": 0.7 for did in _EITHER}, **{f"*.{did}": 0.1 for did in _EITHER}, "server-refuses": 0.01,
        "server-down": 0.01, "path-failure": 0.01, "loss": 0.01, "chosen-filter": 0.5, "corporate-proxy": 0.5,
        "pmtu": 0.3, "innocent": 0.05, "*": 0.05,
    },
    source=_SOURCE,
)  # fmt: skip
PASSES_TOO = Clue(
    id="the-veil-passes-too",
    says="{name} also passed with {veil} on {address} ({passes} of {all})",
    group="veil-contradiction",
    given={**{f"*.{did}": 0.2 for did in _EITHER}, "loss": 0.9, "path-failure": 0.9, "innocent": 0.5, "*": 0.5},
    source="what decides does so each time; set by hand",
)
_FATES = {"reset": "was reset", "unheard": "was never acknowledged", "unanswered": "was never answered"}


@dataclass(frozen=True, slots=True, kw_only=True)
class EchBlocking(Technique):
    """Thresholds: how often a hello must have failed with the extension and passed without."""

    clues = (VEILED_UNHEARD, LARGE_VEILED_UNHEARD, *PAIRS.values(), OTHERS_TOO, ELSEWHERE_TOO, PASSES_TOO)

    times: int = 2
    repeats: int = 3
    listen_s: float = 5.0

    def probe(self, target: Target) -> Probe:
        """The name with and without the extension, then what else it covers."""
        yield from VeilsTried(target, shows=(PASSES_TOO,), repeats=self.repeats, listen_s=self.listen_s).steps()

    def analyse(self, capture: Capture) -> Iterator[Finding]:
        """Each name and veil at each place, beside the same without the veil."""
        places = hello_kinds.greetings(s for s in capture.streams if s.trial not in capture.aftermath)
        decided: list[tuple[str, Twins]] = []
        for here in places.values():
            veiled = {(g.name, g.veil): None for g in here if g.veil is not None}
            for name, veil in veiled:
                found = self._twins(here, name, str(veil))
                if isinstance(found, Twins):
                    decided.append((str(veil), found))
                elif found is not None:
                    yield found
        for veil, twins in decided:
            yield from _evidence(veil, twins, [t for v, t in decided if v == veil], places)

    def _twins(self, here: Sequence[Greeting], name: str | None, veil: str) -> Twins | Inconclusive | None:
        """What failed under the veil beside what passed without; None if nothing did, or nothing is comparable."""
        under = [g for g in here if g.veil == veil and g.name == name]
        failed = hello_kinds.failures(under)
        bare = [g for g in here if g.veil is None and (name is None or g.name == name)]
        if not failed or not bare:
            return None
        passed = [g for g in bare if g.action is None and g.kind in {f.kind for f in failed}]
        first = failed[0].stream.first_ns
        refused = [g for g in bare if g.action == failed[0].action and g.stream.first_ns < first]
        subject, what = _subject(failed[0]), VEILS[veil]
        if refused or not passed:
            fails = (
                "fails without it too" if refused or all(g.action for g in bare) else "passes as another client says it"
            )
            return _unsure(f"{name or 'a hello without a name'} fails with {what}, and {fails}", failed, subject)
        if len(failed) < self.times or len(passed) < self.times:
            why = (
                f"{what} failed {len(failed)} times and {len(passed)} hellos passed without, want {self.times} of both"
            )
            return _unsure(why, failed, subject)
        twins = Twins(failed=tuple(failed), passed=tuple(passed))
        return twins if twins.in_turn else _unsure(f"what failed with {what} came all before or after", failed, subject)


def _evidence(veil: str, twins: Twins, alike: Sequence[Twins], places: Places) -> Iterator[Evidence]:
    first, what = twins.failed[0], VEILS[veil]
    facets = Facets(trigger=Trigger(field="tls.ech", value=what))
    words: dict[str, Any] = {"name": first.name or "a hello without a name", "veil": what, "address": first.address}
    for g in twins.failed:
        o = g.opening
        if g.never_taken:
            unheard = (*o.request, *o.repeats)
            clue = LARGE_VEILED_UNHEARD if g.segment_bytes > hello_kinds.SMALL_BYTES else VEILED_UNHEARD
            yield cite(
                clue, _subject(g, g.stream.trial), *unheard, facets=Facets(position="in-path"), veil=what,
                copies=o.copies, span=o.span_s, size=o.request_bytes,
            )  # fmt: skip
    yield cite(
        PAIRS[twins.how, twins.larger], _subject(first), *shown(twins.failed), *shown(twins.passed), facets=facets,
        fate=_FATES[twins.how], failures=len(twins.failed), passes=len(twins.passed), **words,
    )  # fmt: skip
    others = [t for t in alike if t.failed[0].name != first.name and t.failed[0].address == first.address]
    if others:
        packets = [s for t in others for s in (*shown(t.failed, most=2), *shown(t.passed, most=2))]
        yield cite(OTHERS_TOO, _subject(first), *shown(twins.failed), *packets, others=len(others), **words)
    far = [t for t in alike if not same_network(t.failed[0].address, first.address)]
    if far:
        packets = [s for t in far for s in (*shown(t.failed, most=2), *shown(t.passed, most=2))]
        yield cite(ELSEWHERE_TOO, _subject(first), *shown(twins.failed), *packets, networks=1 + len(far), veil=what)
    here = places[first.stream.client.address, first.address, first.stream.server.port]
    passing = [g for g in here if g.veil == veil and g.name == first.name and g.action is None]
    if passing:
        total = len(passing) + len(twins.failed)
        yield cite(PASSES_TOO, _subject(first), *shown(passing), passes=len(passing), all=total, **words)


def _subject(g: Greeting, trial: str | None = None) -> Subject:
    return Subject(name=g.name, address=g.address, port=g.stream.server.port, protocol="tls", trial=trial)


def _unsure(why: str, failed: Sequence[Greeting], subject: Subject) -> Inconclusive:
    return Inconclusive(why, tuple(Cited(s.capture, s.number) for s in shown(failed)), subject)
