"""Who greets is minded, not whom: the hello of one kind of client is cut off, that of another passes.

What it looks for
    Hellos for one name at one address, whole and in plain form, that fail each time as one client says them and pass
    each time as another does, in turn, equally large. And whether other names fail and pass alike.

What it sends
    The target's name as the usual client says it and as another does; once the two differ, the control's name as well.

When it is wrong
    A server may refuse old versions and ciphers, which it says by an alert or by closing, after a round trip; fronts
    that keep robots away reset or ignore clients too. A box that minds the name may fail to read it in some hellos:
    then other names pass as the client says them that fails. A larger hello may be lost for its size.

Papers
    Frolov and Wustrow, "The use of TLS in Censorship Circumvention", NDSS 2019.
    net4people/bbs#125, #131 and #153: fingerprints of Go and Chrome blocked in Iran, 2022.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from fingerprint.capture import Capture
from fingerprint.conversations.tls import hello_forms, hello_kinds
from fingerprint.conversations.tls.client_kinds import Kind
from fingerprint.conversations.tls.flights_compared import same_network
from fingerprint.conversations.tls.hello_kinds import Greeting, Twins, shown
from fingerprint.probing.clients_tried import ClientsTried
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

_SOURCE = "Frolov and Wustrow, NDSS 2019; set by hand"


def _pair(how: str, refuses: float, *, larger: bool) -> Clue:
    """The client decides. A name might as well, if the box cannot read it in the hello that passes."""
    action = "reset" if how == "reset" else "timeout"
    return Clue(
        id=f"client-decides-{how}{'-larger' * larger}",
        says="{name} {fate} on {address} with hellos of {failing} ({failures} of {failures}), and passed {passes} "
        "times with those of {passing}" + ", which were smaller" * larger,
        group="client-pair",
        given={
            f"*.{action}.fingerprint": 0.9, f"*.{action}.sni": 0.03, f"*.{action}": 0.02, "server-refuses": refuses,
            "path-failure": 0.03, "loss": 0.01, "server-down": 0.01, "pmtu": 0.9 if larger else 0.01, "ordinary": 0.005,
            "innocent": 0.01, "*": 0.01,
        },
        source=_SOURCE,
    )  # fmt: skip


PAIRS = {
    (how, larger): _pair(how, refuses, larger=larger)
    for how, refuses in (("reset", 0.3), ("unheard", 0.002), ("unanswered", 0.2))
    for larger in (False, True)
}
_EITHER = ("reset", "timeout")
OTHERS_TOO = Clue(
    id="other-names-fail-as-that-client",
    says="{others} other names fail with hellos of {failing} on {address} as well, and pass there with {passing}",
    group="client-names",
    given={
        **{f"*.{did}.fingerprint": 0.8 for did in _EITHER}, **{f"*.{did}.sni": 0.002 for did in _EITHER},
        **{f"*.{did}": 0.05 for did in _EITHER}, "server-refuses": 0.8, "pmtu": 0.5, "loss": 0.02, "path-failure": 0.02,
        "innocent": 0.1, "*": 0.1,
    },
    source=_SOURCE,
)  # fmt: skip
ELSEWHERE_TOO = Clue(
    id="that-client-fails-in-other-networks",
    says="hellos of {failing} fail in {networks} networks and pass there as {passing}",
    group="client-networks",
    given={
        **{f"*.{did}.fingerprint": 0.7 for did in _EITHER}, **{f"*.{did}": 0.05 for did in _EITHER},
        "server-refuses": 0.02, "server-down": 0.02, "path-failure": 0.01, "loss": 0.01, "pmtu": 0.3, "innocent": 0.05,
        "*": 0.05,
    },
    source=_SOURCE,
)  # fmt: skip
OTHERS_PASS = Clue(
    id="that-client-passes-with-other-names",
    says="{others} other names pass on {address} with hellos of {failing}, which fail for {name}",
    group="client-names",
    given={
        **{f"*.{did}.fingerprint": 0.01 for did in _EITHER}, **{f"*.{did}.sni": 0.6 for did in _EITHER},
        **{f"*.{did}": 0.2 for did in _EITHER}, "innocent": 0.3, "*": 0.3,
    },
    source=_SOURCE,
)  # fmt: skip
_FATES = {"reset": "was reset", "unheard": "was never acknowledged", "unanswered": "was never answered"}


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsFingerprintBlocking(Technique):
    """Thresholds: how often a name must have failed as one client says it and passed as another does."""

    clues = (*PAIRS.values(), OTHERS_TOO, ELSEWHERE_TOO, OTHERS_PASS)

    times: int = 2
    repeats: int = 3
    listen_s: float = 5.0

    def probe(self, target: Target) -> Probe:
        """The name as two clients say it, then the control's name."""
        told = (PAIRS["unheard", False],)
        yield from ClientsTried(target, shows=told, repeats=self.repeats, listen_s=self.listen_s).steps()

    def analyse(self, capture: Capture) -> Iterator[Finding]:
        """Each name at each place, as each client says it."""
        places = hello_kinds.greetings(s for s in capture.streams if s.trial not in capture.aftermath)
        decided: list[Twins] = []
        for every in places.values():
            here = [g for g in every if g.kind is not None and (g.action or _plain(g))]
            for name, kind in {(g.name, g.kind): None for g in here if g.name and g.action}:
                found = self._twins(here, name, kind)
                if isinstance(found, Twins):
                    decided.append(found)
                elif found is not None:
                    yield found
        for twins in decided:
            first = twins.failed[0]
            here = places[first.stream.client.address, first.address, first.stream.server.port]
            yield from _evidence(twins, decided, here)

    def _twins(self, here: Sequence[Greeting], name: str | None, kind: Kind | None) -> Twins | Inconclusive | None:
        """What failed as this client says it beside what passed as others do under the same veil; None if nothing."""
        mine = [g for g in here if g.name == name]
        failed = hello_kinds.failures(g for g in mine if g.kind == kind)
        if not failed or any(g.action is None for g in mine if g.kind == kind):
            return None
        veils = {g.veil for g in failed}
        others = [g for g in mine if g.kind != kind and g.veil in veils]
        passed = [g for g in others if g.action is None and not any(o.action and o.kind == g.kind for o in others)]
        if not passed:
            return None
        if len(failed) < self.times or len(passed) < self.times:
            why = f"{name} failed {len(failed)} times as one client says it and passed {len(passed)} as another does"
            return _unsure(f"{why}, want {self.times} of both", failed)
        twins = Twins(failed=tuple(failed), passed=tuple(passed))
        return twins if twins.in_turn else _unsure(f"{name} failed as one client says it all before or after", failed)


def _plain(g: Greeting) -> bool:
    """Whole, in one segment: what passes in other forms may owe it to a box that misses the name in them."""
    return hello_forms.form(g.opening) in (hello_forms.PLAIN, hello_forms.ECH)


def _evidence(twins: Twins, decided: Sequence[Twins], here: Sequence[Greeting]) -> Iterator[Evidence]:
    first = twins.failed[0]
    failing, passing = _ja4(first), _ja4(twins.passed[0])
    facets = Facets(trigger=Trigger(field="tls.fingerprint", value=failing))
    words: dict[str, Any] = {"name": first.name, "address": first.address, "failing": failing, "passing": passing}
    yield cite(
        PAIRS[twins.how, twins.larger], _subject(first), *shown(twins.failed), *shown(twins.passed), facets=facets,
        fate=_FATES[twins.how], failures=len(twins.failed), passes=len(twins.passed), **words,
    )  # fmt: skip
    alike = [t for t in decided if t.failed[0].kind == first.kind]
    others = [t for t in alike if t.failed[0].name != first.name and t.failed[0].address == first.address]
    if others:
        packets = [s for t in others for s in (*shown(t.failed, most=2), *shown(t.passed, most=2))]
        yield cite(OTHERS_TOO, _subject(first), *shown(twins.failed), *packets, others=len(others), **words)
    far = [t for t in alike if not same_network(t.failed[0].address, first.address)]
    if far:
        packets = [s for t in far for s in (*shown(t.failed, most=2), *shown(t.passed, most=2))]
        yield cite(ELSEWHERE_TOO, _subject(first), *shown(twins.failed), *packets, networks=1 + len(far), **words)
    spared = [g for g in here if g.kind == first.kind and g.name != first.name and g.name and g.action is None]
    if spared:
        names = len({g.name for g in spared})
        yield cite(OTHERS_PASS, _subject(first), *shown(twins.failed), *shown(spared), others=names, **words)


def _ja4(g: Greeting) -> str:
    hello = g.stream.hello
    return hello.ja4 if hello is not None else "an unknown client"


def _subject(g: Greeting) -> Subject:
    return Subject(name=g.name, address=g.address, port=g.stream.server.port, protocol="tls")


def _unsure(why: str, failed: Sequence[Greeting]) -> Inconclusive:
    return Inconclusive(why, tuple(Cited(s.capture, s.number) for s in shown(failed)), _subject(failed[0]))
