"""How a box finds the name that it minds: what it reads, joins and compares.

What it looks for
    Hellos of one name that fail as they stand and pass in another form which the server reads alike: cut within the
    name, in several records, in mixed case, with a final dot, without a name.

What it sends
    Nothing of its own: the forms of `sni-filtering`.

When it is wrong
    Smaller segments pass a path that loses large ones, so what passes in pieces may owe it to their size. A server may
    treat a final dot or odd spelling as another host.

Papers
    Bock et al., "Geneva: Evolving Censorship Evasion Strategies", CCS 2019.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from fingerprint.capture import Capture
from fingerprint.conversations.openings import opening
from fingerprint.conversations.tls import hello_forms
from fingerprint.conversations.tls import names_and_addresses as square
from fingerprint.conversations.tls.names_and_addresses import Attempts
from fingerprint.technique import Cited, Clue, Facets, Finding, Inconclusive, Subject, Technique, Trigger, cite

_ACTIONS = ("reset", "timeout", "close", "alert")
_NAMED = {**{f"*.{did}": 0.02 for did in _ACTIONS}, **{f"*.{did}.sni": 0.5 for did in _ACTIONS}}
HIDDEN_NAME_PASSES = Clue(
    id="hidden-name-passes",
    says="{name} fails {failures} times on {address} as it stands, and passes {forms}",
    group="name-form",
    given={
        **_NAMED, "server-refuses": 0.005, "server-down": 0.02, "split-tcp": 0.05, "pmtu": 0.3, "loss": 0.1,
        "path-failure": 0.1, "innocent": 0.05, "*": 0.01,
    },
    source="RFC 8446 section 5.1 and RFC 9293: records and segments are no concern of the server's; set by hand",
)  # fmt: skip
SPELLING_PASSES = Clue(
    id="other-spelling-passes",
    says="{name} fails {failures} times on {address} as it stands, and passes {forms}",
    group="name-form",
    given={**HIDDEN_NAME_PASSES.given, "server-refuses": 0.1},
    source="RFC 6066 section 3: case does not count and no name ends in a dot; set by hand",
)
PROFILE = Clue(
    id="what-passes",
    says="hello for {name} {form}: {passes} of {tries} pass on {address}",
    group="observation",
    given={},
    source="Bock et al., CCS 2019",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NameMatching(Technique):
    """Threshold: how often a name must fail as it stands before a form in which it passes means something."""

    clues = (HIDDEN_NAME_PASSES, SPELLING_PASSES, PROFILE)
    reads_steps_of = ("sni-filtering",)

    failures: int = 2

    def analyse(self, capture: Capture) -> Iterator[Finding]:
        """What passes of each name that failed."""
        table = square.attempts(s for s in capture.streams if s.trial not in capture.aftermath)
        for mine in table.failing():
            yield from self._forms(mine)
            yield from _profile(capture, mine)

    def _forms(self, mine: Attempts) -> Iterator[Finding]:
        if not mine.evaded:
            return
        if mine.passed or len(mine.failed) < self.failures:
            why = (
                f"as it stands {mine.name} fails {len(mine.failed)} times and passes {len(mine.passed)} times, want "
                f"{self.failures} failures alone: the form that passed may have passed by chance"
            )
            hellos = tuple(Cited(s.capture, s.number) for o in mine.failed for s in o.request)
            yield Inconclusive(why, hellos, _subject(mine))
            return
        passing = [opening(s) for s in mine.evaded]
        forms = list(dict.fromkeys(hello_forms.form(o) for o in passing))
        alike = any(form in hello_forms.SAME_TO_THE_SERVER for form in forms)
        failing = [s for o in mine.failed for s in o.request[:1]]
        shown = [s for o in passing for s in (*o.request[:1], *filter(None, [o.answer]))]
        yield cite(
            HIDDEN_NAME_PASSES if alike else SPELLING_PASSES, _subject(mine), *failing, *shown,
            facets=Facets(trigger=Trigger(field="tls.sni", value=mine.name)), name=mine.name, address=mine.address,
            failures=len(mine.failed), forms=" and ".join(forms),
        )  # fmt: skip


def _profile(capture: Capture, mine: Attempts) -> Iterator[Finding]:
    """One observation for each form that was tried; a hello without a name is filed under the address."""
    tried: dict[str, list[tuple[bool, Any]]] = {}
    passing = [(True, opening(s)) for s in (*mine.passed, *mine.evaded)]
    told = hello_forms.forms([*mine.failed, *(o for _, o in passing)])
    for (form, o), passed in zip(told, [False] * len(mine.failed) + [True] * len(passing), strict=True):
        tried.setdefault(form, []).append((passed, o))
    for s in capture.streams_of(mine.address):
        here = s.client.address == mine.client and s.server.port == mine.port
        if here and s.protocol == "tls" and s.name is None and s.request_ttl_hops is None and s.hello is not None:
            o = opening(s)
            tried.setdefault(hello_forms.NAMELESS, []).append((o.outcome == "answered", o))
    if len(tried) < 2:
        return
    for form, several in tried.items():
        packets = [s for _, o in several for s in (*o.request[:1], *filter(None, [o.answer or o.ending]))]
        yield cite(
            PROFILE, _subject(mine), *packets, name=mine.name, address=mine.address, form=form,
            passes=sum(passed for passed, _ in several), tries=len(several),
        )  # fmt: skip


def _subject(mine: Attempts) -> Subject:
    return Subject(name=mine.name, address=mine.address, port=mine.port, protocol="tls")
