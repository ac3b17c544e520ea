"""All findings of a capture in, one verdict a target out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from fingerprint.capture import Capture
from fingerprint.technique import Evidence, Finding, Inconclusive
from fingerprint.verdict import consequences, mechanisms, roles, states
from fingerprint.verdict.consequences import Consequence
from fingerprint.verdict.model import STATES, Cause, Mechanism, Verdict
from fingerprint.verdict.symptoms import Found, symptoms
from fingerprint.verdict.targets import Target, Vantages, targets, unread
from fingerprint.verdict.weighing import Balance, weigh

# What a report lists first.
ORDER = {state: i for i, state in enumerate(("blocked", "down", "insufficient", "invalid", "ok"))}
assert set(ORDER) == set(STATES)


def judge(capture: Capture, findings: Sequence[tuple[str, Finding]]) -> tuple[Verdict, ...]:
    """The verdicts of a capture, blocked targets first. ``findings`` are (technique id, finding)."""
    vantages = Vantages(capture)
    found = tuple(_found(capture, vantages, findings))
    balances, follows = _weigh_all(capture, found)
    everything = targets(capture, vantages)
    by_target: dict[tuple[str, str | None], list[Balance]] = {}
    for balance in balances:
        key = (balance.symptom.target, balance.symptom.vantage)
        by_target.setdefault(key, []).append(balance)
        if key not in everything:
            everything[key] = _of_evidence(capture, key, balance)
    asides = _asides(vantages, findings, found)
    names, made_up, known = capture.control_names, capture.made_up_names, roles.of_resolvers(capture)
    controls: dict[str | None, list[Target]] = {}
    for name, vantage in everything if names else ():
        if name in names:
            controls.setdefault(vantage, []).append(everything[name, vantage])
    times = {r.index: r.columns.time_ns for r in capture.recordings}
    verdicts = [
        _verdict(
            target,
            by_target.get(key, ()),
            asides.get(key, ((), ())),
            follows,
            controls=() if key[0] in names else controls.get(key[1], ()),
            role=roles.role(target, capture, known),
            times=times,
        )
        for key, target in everything.items()
        if key[0] not in made_up or key in by_target
    ]
    return tuple(sorted(verdicts, key=lambda v: ORDER[v.state]))


def weighed(capture: Capture, findings: Sequence[tuple[str, Finding]]) -> tuple[Balance, ...]:
    """The balances of all symptoms: what is still open, and how far."""
    found = tuple(_found(capture, Vantages(capture), findings))
    return tuple(_weigh_all(capture, found)[0])


def _of_evidence(capture: Capture, key: tuple[str, str | None], balance: Balance) -> Target:
    """A target of which nothing else is known: all that was sent under its name was sent to die on the way."""
    times = {r.index: r.columns.time_ns for r in capture.recordings}
    seen = [int(times[c.capture][c.number - 1]) for f in balance.symptom.found for c in f.evidence.packets]
    return Target(name=key[0], vantage=key[1], first_ns=min(seen), last_ns=max(seen))


def _found(capture: Capture, vantages: Vantages, findings: Iterable[tuple[str, Finding]]) -> Iterator[Found]:
    """Evidence with its vantage; evidence about an address goes to every name that was given it."""
    issues = {r.index: frozenset(q.issue for i, q in capture.faults if i == r.index) for r in capture.recordings}
    unknown = {s.trial for s in capture.streams if unread(s)}
    for technique, finding in findings:
        if not isinstance(finding, Evidence):
            continue
        vantage = vantages.of_packet(finding.packets[0])
        wrong = issues[finding.packets[0].capture]
        subject = finding.subject
        about_address = subject.name is None and subject.address and subject.trial not in unknown
        shared = sorted(capture.names_of(subject.address or "")) if about_address else []
        if not shared:
            yield Found(technique=technique, evidence=finding, vantage=vantage, issues=wrong)
        for name in shared:
            says = finding.says if len(shared) == 1 else f"{finding.says} (shared with {len(shared)} names)"
            evidence = replace(finding, subject=replace(subject, name=name), says=says)
            yield Found(technique=technique, evidence=evidence, vantage=vantage, issues=wrong)


def _weigh_all(capture: Capture, found: Sequence[Found]) -> tuple[list[Balance], Mapping[str, Consequence]]:
    """Balances of all symptoms, after everything that only follows from another one has been set aside."""
    lies = [
        f
        for b in map(weigh, symptoms(f for f in found if f.evidence.disputes))
        if _convicts(b)
        for f in b.symptom.found
    ]
    follows: dict[str, Consequence] = dict(consequences.of_disputed_answers(lies, capture.streams))
    left = [f for f in found if f.evidence.subject.trial not in follows]
    balances = [weigh(s) for s in symptoms(left)]
    convicted = [f for b in balances if _convicts(b) for f in b.symptom.found]
    residual = consequences.of_residual_blocking(convicted, capture.streams, capture.aftermath)
    if residual:
        follows |= residual
        balances = [weigh(s) for s in symptoms(f for f in left if f.evidence.subject.trial not in residual)]
    return balances, follows


def _convicts(balance: Balance) -> bool:
    return mechanisms.supported_node(balance) is not None


Aside = tuple[Sequence[tuple[str, Inconclusive]], Sequence[tuple[str, Evidence]]]


def _asides(
    vantages: Vantages, findings: Iterable[tuple[str, Finding]], found: Iterable[Found]
) -> dict[tuple[str, str | None], Aside]:
    """What techniques could not tell, and facts without weight, by target."""
    out: dict[tuple[str, str | None], tuple[list[tuple[str, Inconclusive]], list[tuple[str, Evidence]]]] = {}
    for technique, finding in findings:
        if isinstance(finding, Inconclusive) and finding.subject is not None:
            where = finding.subject.name or finding.subject.address or ""
            vantage = vantages.of_packet(finding.packets[0]) if finding.packets else None
            out.setdefault((where, vantage), ([], []))[0].append((technique, finding))
    for f in found:
        if not f.evidence.clue.given:
            where = f.evidence.subject.name or f.evidence.subject.address or ""
            out.setdefault((where, f.vantage), ([], []))[1].append((f.technique, f.evidence))
    return dict(out)


def _slowed(nodes: Sequence[tuple[Balance, str | None]], aside: Aside) -> bool:
    """Whether something held a transfer back and it stays open what: work that was done does not settle that."""
    undecided = (b for b, node in nodes if node is None and b.symptom.action == "throttle")
    return any(mechanisms.cause(b) is None for b in undecided) or any(e.facets.shape for _, e in aside[1])


def _answered_by_another(nodes: Sequence[tuple[Balance, str | None]]) -> bool:
    """Whether an answer that was taken for work done may well be somebody else's, and it stays open whose."""
    undecided = (b for b, node in nodes if node is None and b.symptom.action in states.ANSWERS)
    return any(b.blocked() >= states.DOUBTFUL and mechanisms.cause(b) is None for b in undecided)


def _verdict(
    target: Target,
    balances: Sequence[Balance],
    aside: Aside,
    follows: Mapping[str, Consequence],
    *,
    controls: Sequence[Target],
    role: str | None,
    times: Mapping[int, NDArray[np.int64]],
) -> Verdict:
    nodes = [(b, mechanisms.supported_node(b)) for b in balances]
    convicted = sorted(
        (mechanisms.mechanism(b, node) for b, node in nodes if node is not None), key=lambda m: (-m.posterior, m.node)
    )
    causes: list[Cause] = []
    explained = set(follows)
    for b, node in nodes:
        innocent = mechanisms.cause(b) if node is None else None
        if innocent is not None:
            causes.append(innocent)
            explained.update(b.symptom.trials)
    decided = states.answer(target, convicted, causes, explained, controls)
    if decided.state == "ok" and _slowed(nodes, aside):
        decided = states.SLOWED
    if decided.state == "ok" and _answered_by_another(nodes):
        decided = states.DOUBTED
    strongest = max(nodes, key=lambda n: n[0].blocked(), default=None)
    mine = [
        c for t, c in follows.items() if any(c.stream is o.stream for o in target.failed) or c.stream in target.idle
    ]
    return Verdict(
        target=target.name,
        service=None,
        role=role,
        vantage=target.vantage,
        endpoints=tuple(target.endpoints),
        first_ns=target.first_ns,
        last_ns=target.last_ns,
        state=decided.state,
        reach=decided.reach,
        mechanisms=tuple(convicted),
        cause=decided.cause,
        alternatives=mechanisms.alternatives(*strongest) if strongest else (),
        inconclusive=tuple(aside[0]),
        observations=tuple(aside[1]),
        consequences=tuple((c.says, c.packets) for c in mine),
        next=decided.next,
        worked_ns=_span(
            (s.first_ns, s.last_ns) for s in target.completed if s.trial not in target.away and s.trial not in follows
        ),
        failed_ns=_span(_failures(target, convicted, times)),
    )


def _failures(
    target: Target, convicted: Sequence[Mechanism], times: Mapping[int, NDArray[np.int64]]
) -> Iterator[tuple[int, int]]:
    """When the conversations failed that evidence is about; without evidence, all that failed.

    Evidence of no single trial compares several and cites controls too: it counts where there is no other.
    """
    if not convicted:
        yield from ((o.stream.first_ns, o.stream.last_ns) for o in target.failed)
        return
    mine = {x.trial: (x.first_ns, x.last_ns) for x in (*target.completed, *target.idle, *target.lookups)}
    mine |= {o.stream.trial: (o.stream.first_ns, o.stream.last_ns) for o in target.failed}
    evidence = [w.evidence for m in convicted for w in m.evidence]
    for found in [e for e in evidence if e.subject.trial is not None] or evidence:
        if found.subject.trial in mine:
            yield mine[found.subject.trial]
        else:
            seen = [int(times[c.capture][c.number - 1]) for c in found.packets]
            yield min(seen), max(seen)


def _span(times: Iterable[tuple[int, int]]) -> tuple[int, int] | None:
    """From the first beginning to the last end; None of nothing."""
    spans = list(times)
    return (min(a for a, _ in spans), max(b for _, b in spans)) if spans else None


__all__ = ["judge", "weighed"]
