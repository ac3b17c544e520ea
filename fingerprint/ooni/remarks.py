"""What measurements say that moves no verdict, and how a report words what stays open."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from fingerprint.messages.http_page import REFUSALS
from fingerprint.ooni.evidence_of_lookups import cited, subject
from fingerprint.ooni.evidence_of_sockets import STEPS
from fingerprint.ooni.facts import ANSWERED_NO, ENDINGS, NOT_BELIEVED, UNROUTABLE, Measurement
from fingerprint.technique import Clue, Evidence, cite

TECHNIQUE = "ooni-import"
REMARK = Clue(
    id="socket-remark",
    says="{what} (line {line})",
    group="remark",
    given={},
    source="OONI, df-001 to df-007: failures and answers that name no mechanism",
)
WEIGHED = frozenset(ENDINGS) | NOT_BELIEVED | frozenset(ANSWERED_NO) | UNROUTABLE
# Action → what would settle it.
SETTLES = {
    "dns": "ask a second resolver on this network for the name, and this one for others",
    "tcp": "try another port of the address from here, and this one from a second network",
    "tls": "greet the same address under another name, as tlsmiddlebox and urlgetter do",
    "quic": "greet the same address over QUIC under another name",
    "http": "ask the same address for another host, and for this page over TLS",
}


def remarks(m: Measurement, *, worked: bool) -> Iterator[Evidence]:
    """Failures without a node, refusals by status, and what the probe itself concluded."""
    for what in dict.fromkeys(_said(m, worked=worked)):
        yield cite(REMARK, subject(m, "tcp"), cited(m), what=what, line=m.line)


def _said(m: Measurement, *, worked: bool) -> Iterator[str]:
    for x in m.exchanges:
        if x.status in REFUSALS:
            yield f"{x.host} answers with status {x.status}"
    if m.control and m.control.status in REFUSALS:
        yield f"the test helper is answered with status {m.control.status}"
    if worked:
        return
    failures = [q.failure for q in m.lookups if q.name == m.target]
    failures += [g.failure for g in m.greetings] + [x.failure for x in m.exchanges] + [c.failure for c in m.connects]
    for failure, count in sorted(Counter(f for f in failures if f and f not in WEIGHED).items()):
        yield f"{count} steps failed with {failure[:60]!r}, which names no mechanism"
    yield from m.notes


def undecided(run: Sequence[Measurement], evidence: Sequence[Evidence]) -> tuple[str, str]:
    """Why nobody can tell, and the step that would settle it."""
    total = len(run)
    counted = Counter(e.subject.protocol or "tcp" for e in evidence if e.clue.group not in ("name-pair", "dns-pair"))
    if counted:
        layer = max(counted, key=lambda k: (counted[k], k))
        of_layer = [e for e in evidence if e.subject.protocol == layer]
        trials = len({e.subject.trial for e in of_layer})
        says = f"{of_layer[0].says}; {trials} of {total} measurements show it, and sockets do not tell who did it"
        return says, SETTLES[layer]
    if all(m.foreign for m in run):
        return "the name was spoken at an address of another; its own servers were not visited", "visit the name itself"
    if all(m.only_lookups for m in run):
        return "the name was looked up and no connection followed", "fetch a page of it, with web_connectivity"
    if any(m.control is None for m in run):
        return f"{total} measurements without the test helper's view did not come to an end", "measure again"
    if any(m.alike is False for m in run):
        says = "a page came that is not like the one that the test helper was given; whose it is is open"
        return says, "fetch the page over TLS, and from a second network"
    return (
        f"{total} measurements did not come to an end, for reasons that name no mechanism",
        f"see {STEPS['tcp']} first",
    )
