"""What measurements say that moves no verdict, and how a report words what stays open."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from fingerprint.conversations.dns.answers import is_bogon
from fingerprint.messages.http_page import REFUSALS
from fingerprint.ooni.evidence_of_lookups import cited, subject
from fingerprint.ooni.evidence_of_sockets import STEPS
from fingerprint.ooni.facts import WEIGHED, Measurement
from fingerprint.technique import Clue, Evidence, cite
from fingerprint.verdict.model import Weighed

TECHNIQUE = "ooni-import"
# Measurements that are named for one thing; more of them are counted.
NAMED_LINES = 5
REMARK = Clue(
    id="socket-remark",
    says="{what} ({where})",
    group="remark",
    given={},
    source="OONI, df-001 to df-007: failures and answers that name no mechanism",
)
# RFC 2308 section 2.2: the name is there and has no address of this type, as most have none of IPv6.
NO_ANSWER = "dns_no_answer"
# Action → what would settle it.
SETTLES = {
    "dns": "ask a second resolver on this network for the name, and this one for others",
    "tcp": "try another port of the address from here, and this one from a second network",
    "tls": "greet the same address under another name, as tlsmiddlebox and urlgetter do",
    "quic": "greet the same address over QUIC under another name",
    "http": "ask the same address for another host, and for this page over TLS",
}


def remarks(run: Sequence[tuple[Measurement, bool]]) -> Iterator[Evidence]:
    """Failures without a node, refusals by status, and what the probe concluded, each once with its lines.

    ``run`` are measurements of one target, and whether it did its work.
    """
    said: dict[str, list[Measurement]] = {}
    for m, worked in run:
        for what in dict.fromkeys(_said(m, worked=worked)):
            said.setdefault(what, []).append(m)
    for what, those in said.items():
        yield cite(REMARK, subject(those[0], "tcp"), *map(cited, those), what=what, where=_lines(those))


def _lines(those: Sequence[Measurement]) -> str:
    numbers = ", ".join(str(m.line) for m in those[:NAMED_LINES])
    more = f" and {len(those) - NAMED_LINES} more" if len(those) > NAMED_LINES else ""
    return f"line {numbers}" if len(those) == 1 else f"lines {numbers}{more}"


def shortened(evidence: Iterable[Weighed]) -> tuple[Weighed, ...]:
    """Of each clue the first few, which are the strongest; the last of them says how many there are beyond it."""
    by_clue: dict[str, list[Weighed]] = {}
    for w in evidence:
        by_clue.setdefault(w.evidence.clue.id, []).append(w)
    listed: list[Weighed] = []
    for same in by_clue.values():
        kept, more = same[:NAMED_LINES], len(same) - NAMED_LINES
        if more > 0:
            last = kept[-1].evidence
            kept[-1] = replace(kept[-1], evidence=replace(last, says=f"{last.says}, and {more} more measurements"))
        listed += kept
    return tuple(listed)


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'s' if number != 1 else ''}"


def _said(m: Measurement, *, worked: bool) -> Iterator[str]:
    for x in m.exchanges:
        if x.status and x.failure:
            yield f"the answer of {x.host} began with status {x.status} and did not come to its end ({x.failure[:60]})"
        if x.status in REFUSALS:
            yield f"{x.host} answers with status {x.status}"
    if m.control and m.control.status in REFUSALS:
        yield f"the test helper is answered with status {m.control.status}"
    standing_in = sorted(a for q in m.lookups if q.name == m.target for a in q.addresses if is_bogon(a))
    if worked and standing_in:
        yield f"{standing_in[0]} was given and answers as {m.target}: a proxy stands between"
    if worked:
        return
    failures = [q.failure for q in m.lookups if q.name == m.target and q.failure != NO_ANSWER]
    failures += [g.failure for g in m.greetings] + [x.failure for x in m.exchanges] + [c.failure for c in m.connects]
    for failure, count in sorted(Counter(f for f in failures if f and f not in WEIGHED).items()):
        yield f"{_counted(count, 'step')} failed with {failure[:60]!r}, which names no mechanism"
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
    if all(any(g.ttl_hops for g in m.greetings) for m in run):
        return "neither name was cut off where the other one passed", "trace with more hops, and again"
    if all(m.only_lookups for m in run):
        return "the name was looked up and no connection followed", "fetch a page of it, with web_connectivity"
    if any(m.control is None for m in run):
        return (
            f"{_counted(total, 'measurement')} without the test helper's view did not come to an end",
            "measure again",
        )
    if any(m.alike is False for m in run):
        says = "a page came that is not like the one that the test helper was given; whose it is is open"
        return says, "fetch the page over TLS, and from a second network"
    return (
        f"{_counted(total, 'measurement')} did not come to an end, for reasons that name no mechanism",
        f"see {STEPS['tcp']} first",
    )
