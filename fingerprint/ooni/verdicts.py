"""Measurements of one network → verdicts: the evidence of each, runs of equal outcome, and what they weigh together.

A run is what measurements of one input, in order of time, show alike: it ends where the outcome changes, or after a day
without any. So no verdict mixes what worked with what failed, and between two of them lies an onset or an end.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from fingerprint.conversations.dns.answers import registrable
from fingerprint.ooni.beside import Beside, beside, greeted, plain
from fingerprint.ooni.clues_of_lookups import KNOWN_PAGE, PRODUCT_PAGE
from fingerprint.ooni.evidence_of_lookups import of_lookups, of_pages
from fingerprint.ooni.evidence_of_sockets import of_sockets
from fingerprint.ooni.facts import Measurement
from fingerprint.ooni.fields import written
from fingerprint.ooni.remarks import TECHNIQUE, remarks, shortened, undecided
from fingerprint.signatures import Signatures
from fingerprint.technique import Evidence
from fingerprint.verdict import mechanisms, states
from fingerprint.verdict.model import Cause, Mechanism, Verdict
from fingerprint.verdict.symptoms import Found, symptoms
from fingerprint.verdict.weighing import Balance, weigh

# What was not looked at for a day may have changed twice: OONI Probe measures by itself once a day.
SILENT_S = 86_400
_PAGES = frozenset(clue.id for family in (KNOWN_PAGE, PRODUCT_PAGE) for clue in family.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A measurement with its evidence, and whether the target did its work."""

    m: Measurement
    evidence: tuple[Evidence, ...]
    worked: bool


def verdicts(measurements: Sequence[Measurement], signatures: Signatures, vantage: str | None) -> tuple[Verdict, ...]:
    """One verdict a run, in order of target and time. All ``measurements`` are of one network."""
    around = beside(measurements)
    ordered = sorted(measurements, key=lambda m: (m.target, m.test, m.asked, m.first_ns, m.line))
    looked = [_look(m, around, signatures) for m in ordered]
    worked: dict[str, list[Measurement]] = {}
    for j in looked:
        if j.worked:
            worked.setdefault(j.m.target, []).append(j.m)
    return tuple(
        _verdict(run, worked.get(run[0].m.target, ()), vantage)
        for _, mine in groupby(looked, key=lambda j: (j.m.target, j.m.test, j.m.asked))
        for run in _runs(list(mine))
    )  # fmt: skip


def _look(m: Measurement, around: Beside, signatures: Signatures) -> Judged:
    lookups = tuple(of_lookups(m, around, signatures))
    pages = tuple(of_pages(m, [e for e in lookups if e.disputes]))
    worked = not pages and _worked(m)
    sockets = () if worked else tuple(of_sockets(m, around))
    return Judged(m=m, evidence=(*lookups, *pages, *sockets), worked=worked)


def _worked(m: Measurement) -> bool:
    """Whether the target did its work: a page like the helper's, over TLS any answer; without a page, a handshake."""
    if m.concluded is not None:
        return m.concluded == "ok"
    if m.foreign or m.only_lookups:
        return False
    if m.role == "resolver":
        return any(q.engine in ("doh", "dot") and q.failure is None and q.addresses for q in m.lookups)
    if not m.exchanges:
        return any(g.verified and g.sni == m.target for g in greeted(m))
    last = m.exchanges[-1]
    if last.failure is not None or last.status is None or any(x.known for x in plain(m)):
        return False
    if m.alike is not None:
        return m.alike
    # Nobody compared: an answer in the clear counts where it comes from the name itself.
    ours = last.certified if last.secure else registrable(last.host) == registrable(m.target)
    return m.control is None and ours


def _runs(judged: Sequence[Judged]) -> Iterator[list[Judged]]:
    run: list[Judged] = []
    for j in judged:
        if run and (_outcome(j) != _outcome(run[-1]) or j.m.first_ns - run[-1].m.last_ns > SILENT_S * 10**9):
            yield run
            run = []
        run.append(j)
    if run:
        yield run


def _outcome(j: Judged) -> tuple[bool, bool]:
    return j.worked, bool(j.evidence)


def _verdict(run: Sequence[Judged], otherwise: Sequence[Measurement], vantage: str | None) -> Verdict:
    """The verdict of a run; ``otherwise`` is all that worked of the target, asked for in whatever way."""
    found = [Found(technique=TECHNIQUE, evidence=e, vantage=None) for j in run for e in j.evidence]
    balances = [weigh(s) for s in symptoms(found)]
    nodes = ((b, node) for b in balances if (node := _claimed(run, b)) is not None)
    found_out = (mechanisms.mechanism(b, node) for b, node in nodes)
    convicted = tuple(
        replace(m, evidence=shortened(m.evidence)) for m in sorted(found_out, key=lambda m: (-m.posterior, m.node))
    )
    until_ns = max(j.m.last_ns for j in run)
    meanwhile = any(m.first_ns <= until_ns and run[0].m.first_ns <= m.last_ns for m in otherwise)
    state, reach, cause, todo = _state(run, balances, convicted, reached=meanwhile)
    strongest = max(balances, key=lambda b: b.blocked(), default=None)
    worked, failed = [j.m for j in run if j.worked], [j.m for j in run if not j.worked or j.evidence]
    first = run[0].m
    return Verdict(
        target=first.target, service=None, role=first.role, vantage=vantage, endpoints=_endpoints(run),
        first_ns=first.first_ns, last_ns=until_ns, state=state, reach=reach,
        mechanisms=convicted, cause=cause,
        alternatives=mechanisms.alternatives(strongest, convicted[0].node if convicted else None) if strongest else (),
        inconclusive=(), observations=tuple((TECHNIQUE, e) for e in remarks([(j.m, j.worked) for j in run])),
        consequences=(), next=todo, worked_ns=_span(worked), failed_ns=_span(failed) if state != "ok" else None,
    )  # fmt: skip


def _claimed(run: Sequence[Judged], balance: Balance) -> str | None:
    """The deepest supported node; of an export of ours none that its report had not claimed, or one below."""
    node = mechanisms.supported_node(balance)
    claims = [j.m.claims for j in run if j.m.claims is not None]
    if node is None or not claims:
        return node
    return node if any(c == node or c.startswith(node + ".") for claimed in claims for c in claimed) else None


def _state(
    run: Sequence[Judged], balances: Sequence[Balance], convicted: Sequence[Mechanism], *, reached: bool
) -> tuple[str, str, Cause | None, tuple[str, ...]]:
    """State, reach, cause and advice, in the order of DESIGN section 5."""
    worked = [j for j in run if j.worked]
    if convicted:
        return (
            "blocked",
            "partial" if reached else "full",
            None,
            ("capture packets on this network to see who does it",),
        )
    if worked and not any(b.blocked() >= states.DOUBTFUL for b in balances):
        says = f"{len(worked)} of {len(run)} measurements got what the test asks for"
        return "ok", "none", Cause(hypothesis="ordinary", posterior=None, says=says), ("nothing: it answered",)
    causes = {t: c for b in balances if (c := mechanisms.cause(b)) for t in b.symptom.trials}
    if causes and all(j.worked or str(j.m.line) in causes for j in run):
        best = max(causes.values(), key=lambda c: c.posterior or 0.0)
        best = replace(best, evidence=shortened(best.evidence))
        state = "invalid" if best.hypothesis == "capture-fault" else "down"
        return state, "none", best, ("measure again later and from a second network to see whether it is the server",)
    says, todo = undecided([j.m for j in run], [e for j in run for e in j.evidence])
    return "insufficient", "none", Cause(hypothesis="undecided", posterior=None, says=says), (todo,)


def _endpoints(run: Sequence[Judged]) -> tuple[str, ...]:
    places = [written(c.address, c.port) + "/tcp" for j in run for c in j.m.connects]
    places += [written(g.address, g.port) + ("/udp" if g.quic else "/tcp") for j in run for g in j.m.greetings]
    return tuple(dict.fromkeys(places))


def _span(measurements: Sequence[Measurement]) -> tuple[int, int] | None:
    if not measurements:
        return None
    return min(m.first_ns for m in measurements), max(m.last_ns for m in measurements)
