"""What an incident says in words: never more than its cells, events and tests carry.

``together`` is said only where the test, with every discount, leaves chance at most `CHANCE`; a start that nobody saw
is called so; and what is simulated is called a simulation in the first words.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from fingerprint.accounts import Account
from fingerprint.incident import lacking
from fingerprint.incident.cells import Made
from fingerprint.incident.controls import FAILED
from fingerprint.incident.infrastructure import CHANCE
from fingerprint.incident.model import BLOCKED, DOWN, OK, UNKNOWN, Cell, Event, Incident, Stretch
from fingerprint.incident.names import NAMED, Names, listed, p_value
from fingerprint.incident.sightings import CONTROL
from fingerprint.incident.times import between, long, same_day
from fingerprint.report.wording import count, how
from fingerprint.services.sentences import sentence

# One screen: the summary that a person reads first.
WORDS = 120
# What the headline says beside the first sentence of the paragraph.
TOGETHER_P = re.compile(r" together \(p = [^)]*\)")
TOGETHER = "They began together: without a common cause that is unlikely"


def answer(made: Sequence[Made]) -> str:
    """Blocked or down if anything is; ok only if everything is; else insufficient."""
    states = {m.cell.state for m in made}
    if states & {BLOCKED, DOWN}:
        return BLOCKED if BLOCKED in states else DOWN
    return OK if states == {OK} else "insufficient"


def roles(cells: Sequence[Cell], event: Event | None = None) -> str:
    """``the web page loads; image and video hosts do not``: one service at one vantage, by its roles.

    About the time of an event, or about the worst that was ever established.
    """
    return sentence({c.role: _word(c, c.state if event is None else during(c, event)) for c in cells})


def _word(cell: Cell, state: str) -> str:
    if state == BLOCKED:
        return "slow" if slowed(cell) else BLOCKED
    return state if state in (OK, DOWN) and cell.best is not None else UNKNOWN


def during(cell: Cell, event: Event) -> str:
    """The worst that a cell was between the last moment before an event and the first after it."""
    states = {s.state for s in cell.stretches if _meet(s, event)}
    return next((state for state in (BLOCKED, DOWN, OK) if state in states), UNKNOWN)


def _meet(stretch: Stretch, event: Event) -> bool:
    """Whether a stretch was seen to last while every member of an event was as the event says, or may have been."""
    first_ns, last_ns = event.onset.before_ns, event.end.after_ns
    if first_ns is not None and last_ns is not None:
        first_ns, last_ns = sorted((first_ns, last_ns))
    began_ns, ended_ns = stretch.onset.before_ns, stretch.end.after_ns
    return (last_ns is None or began_ns is None or began_ns <= last_ns) and (
        first_ns is None or ended_ns is None or ended_ns >= first_ns
    )


def slowed(cell: Cell) -> bool:
    """Whether all that is done to it is slowing."""
    return cell.state == BLOCKED and cell.reach == "degraded"


def event(one: Event, every: Sequence[Event], cells: Sequence[Cell], names: Names) -> str:
    """One event in a few sentences."""
    said = [happened(one, cells, names), together(one)]
    if one.state == BLOCKED:
        said += [f"{ways(one, cells, names)}.", f"{_upper(one.controls)}."]
        said += [injector(one)] if one.injectors else []
        read = together(one)  # the discount that leaves least stands there already
        said += [f"Shared: {d.says}." for d in one.discounts if d.what != "vantage" and d.says not in read]
        said += [f"{_upper(d.says)}." for d in one.discounts if d.what == "vantage"]
    else:
        said += [f"{_upper(one.controls)}."]
        said += [apart(one, other, names) for other in every if other.state == BLOCKED]
    return " ".join(s for s in said if s)


def happened(one: Event, cells: Sequence[Cell], names: Names) -> str:
    """Who was how, where, from when to when."""
    return f"{names.services(one.services)} {_was(one, cells)}{names.places(one.vantages)}, {lasted(one)}."


def _was(one: Event, cells: Sequence[Cell], how_many: str = "") -> str:
    """``were blocked or slowed``; an outage is called that, and one that took the controls along the line's."""
    were = "was" if len(one.services) == 1 else "were"
    if one.state != BLOCKED:
        line = one.controls.startswith(FAILED)
        return f"{were} down{', the line with its controls too' if line else ', with no sign of interference'},"
    kinds = {slowed(cells[i]) for i in one.cells}
    return f"{were} {'slowed' if kinds == {True} else 'blocked' if kinds == {False} else 'blocked or slowed'}{how_many}"


def lasted(one: Event) -> str:
    """Onset and end, each as an interval."""
    seen = one.onset.after_ns is not None
    start = f"starting {between(one.onset)}" if seen else f"from the first look on, {between(one.onset)}"
    if one.end.before_ns is None or one.end.after_ns is None:
        return f"{start}; its end was not seen"
    known = one.onset.before_ns or one.end.after_ns
    return f"{start}, ending {between(one.end, day=not same_day(known, one.end.after_ns))}"


def together(one: Event, *, briefly: bool = False) -> str:
    """Whether services began together, by the test and its discounts; empty for one service."""
    if len(one.services) < 2:
        return ""
    if one.test is None:
        return "Whether they began together cannot be tested: too little was seen of the time before or after."
    kind = "exact" if one.test.exact else "drawn"
    p = f"p = {p_value(one.test.p_value)}" + ("" if briefly else f", {one.test.permutations:,} arrangements, {kind}")
    if one.test.p_value > CHANCE:
        return f"That they began at about the same time may be chance ({p})."
    left = [d for d in one.discounts if d.p_value is not None and d.p_value > CHANCE]
    if left:
        return f"They began at about the same time ({p}), but what they share may be the whole reason: {left[0].says}."
    strictest = max((d.p_value for d in one.discounts if d.p_value is not None), default=0.0)
    shared = f"; {p_value(strictest)} discounted" if strictest > one.test.p_value else ""  # by what they share
    return f"They began together ({p} by chance{shared})." if briefly else f"{TOGETHER} ({p}{shared})."


def is_together(one: Event) -> bool:
    """Whether the word may be used of an event."""
    if one.test is None or one.test.p_value > CHANCE:
        return False
    return all(d.p_value is None or d.p_value <= CHANCE for d in one.discounts)


def ways(one: Event, cells: Sequence[Cell], names: Names) -> str:
    """How, by vantage where that differs."""
    by_vantage: dict[str, dict[str, None]] = {}
    for i in one.cells:
        by_vantage.setdefault(cells[i].vantage, {}).update(dict.fromkeys(cells[i].mechanisms))
    kinds: dict[tuple[str, ...], list[str]] = {}
    for vantage, nodes in by_vantage.items():
        kinds.setdefault(tuple(sorted(nodes)), []).append(vantage)
    parts = []
    for kind, where in kinds.items():
        place = f"{names.places(where).strip()}, " if len(kinds) > 1 else ""
        done = dict.fromkeys(how(n).replace(": ", " with ") for n in kind)
        parts.append(f"{place}{', and '.join(done)}")
    return "How: " + "; ".join(parts)


def injector(one: Event) -> str:
    """Devices that several cells share: a strengthening, and no verdict."""
    name, cells = one.injectors[0]
    return (
        f"Forged packets of {len(cells)} of its {len(one.cells)} cells resemble one device ({name}), which speaks for"
        " one hand and proves none."
    )


def apart(down: Event, blocked: Event, names: Names) -> str:
    """Why an outage and a blocking are two matters, or why that is open."""
    what = names.services(blocked.services)
    if not (reasons := unrelated(down, blocked, names)):
        return f"Whether it has to do with the blocking of {what} is open: the times overlap or were not seen whole."
    return f"It is unrelated to the blocking of {what}: it {listed(reasons)}."


def unrelated(down: Event, blocked: Event, names: Names) -> list[str]:
    """What separates an outage from a blocking; empty unless their times do."""
    reasons = []
    if down.end.before_ns is not None and blocked.onset.after_ns is not None:
        gap_ns = blocked.onset.after_ns - down.end.before_ns
        reasons += [f"had ended at least {long(gap_ns)} before"] if gap_ns > 0 else []
    if down.onset.after_ns is not None and blocked.end.before_ns is not None:
        gap_ns = down.onset.after_ns - blocked.end.before_ns
        reasons += [f"began at least {long(gap_ns)} after"] if gap_ns > 0 else []
    if not reasons:
        return []
    reasons.append("shows no interference")
    everywhere = set(down.vantages) == set(names.vantages)
    if everywhere and len(names.vantages) > 1 and set(blocked.vantages) != set(names.vantages):
        reasons.append(f"was seen at all {len(names.vantages)} vantages")
    return reasons


def told(raw: Incident, accounts: Sequence[Account], names: Names) -> Incident:
    """The incident with its headline, its paragraph, what is not known, and what to do next."""
    mark = _simulated(raw)
    return replace(
        raw,
        headline=mark + headline(raw, names),
        paragraph=mark + paragraph(raw, names, WORDS - len(mark.split())),
        unknown=lacking.unknown(raw, accounts),
        next=lacking.steps(raw, accounts),
    )


def _simulated(raw: Incident) -> str:
    if not raw.simulated:
        return ""
    part = " in part" if any(s.simulated is None for s in raw.sources) else ""
    return f"A simulation{part} ({listed(raw.simulated)}), not a measurement: "


def main_event(raw: Incident) -> Event | None:
    """The blocking of most services at most vantages, the first of equals; else the same of outages."""
    state = BLOCKED if raw.answer == BLOCKED else DOWN
    its = [e for e in raw.events if e.state == state]
    return max(its, key=lambda e: len(e.services) * len(e.vantages), default=None)


def headline(raw: Incident, names: Names) -> str:
    """One sentence: the verdict."""
    one = main_event(raw)
    if one is None:
        return _nothing(raw)
    p = f" together (p = {p_value(one.test.p_value)})" if one.test and is_together(one) else ""
    was = _was(one, raw.cells, p)
    return f"{names.services(one.services)} {was}{names.places(one.vantages)}, {lasted(one)}."


def _nothing(raw: Incident) -> str:
    """The sentence where nothing was down or blocked."""
    if raw.answer == OK:
        services = [title for _, title in raw.services]
        who = f"{listed(services[:NAMED])}{f' and {len(services) - NAMED} more' if len(services) > NAMED else ''}"
        its = [s for s in raw.sightings if s.role != CONTROL]
        worked = sum(s.state == OK for s in its)
        if worked == len(its):
            return f"Nothing was blocked: {who} worked whenever anybody looked."
        share = f"{worked} of {count(len(its), 'sighting')}"
        return f"Nothing was seen to be blocked: {who} worked in {share}, and the others decide nothing."
    if not raw.cells:
        return "Nobody can tell from this: it holds no account of any service."
    kinds = {s.kind for s in raw.sources}
    if kinds == {"told"}:
        return (
            "Nobody can tell from this: what people told says what was noticed, not how it was done; captures of the"
            " services, with controls, at two lines would."
        )
    open_ = sum(c.state == "insufficient" for c in raw.cells)
    return (
        f"Nobody can tell from this: {open_} of {count(len(raw.cells), 'cell')} were never settled; the steps under"
        " “next” would settle them."
    )


def paragraph(raw: Incident, names: Names, words: int) -> str:
    """The same with its reasons, in at most so many words: sentences that do not fit are left out, last ones first."""
    one = main_event(raw)
    if one is None:
        said = [_nothing(raw), *_stayed(raw, names)]
    else:
        said = [happened(one, raw.cells, names)]
        said += [f"{ways(one, raw.cells, names)}."] if one.state == BLOCKED else []
        _, without, where = one.controls.partition("; ")  # vantages at which nobody saw one
        controls = one.controls.partition(":")[0] + without + where
        said += [together(one, briefly=True), f"{_upper(controls)}.", *_stayed(raw, names), *_others(raw, one, names)]
    kept: list[str] = []
    for each in (s for s in said if s):
        if len(" ".join([*kept, each]).split()) <= words or not kept:
            kept.append(each)
    return " ".join(kept)


def reasons(told: Incident) -> str:
    """The paragraph without its first sentence, which repeats the headline: for who has just read that."""
    mark = _simulated(told)
    first = mark + TOGETHER_P.sub("", told.headline.removeprefix(mark))
    return told.paragraph.removeprefix(first).strip() if told.paragraph.startswith(first) else told.paragraph


def _stayed(raw: Incident, names: Names) -> list[str]:
    """Vantages at which nothing was blocked, and something was settled."""
    by: dict[str, set[str]] = {}
    for c in raw.cells:
        by.setdefault(c.vantage, set()).add(c.state)
    clean = [v for v in by if BLOCKED not in by[v] and by[v] & {OK, DOWN}]
    if not clean or raw.answer != BLOCKED:
        return []
    return [f"Nothing was blocked{names.places(clean)}."]


def _others(raw: Incident, one: Event, names: Names) -> list[str]:
    """Outages that are another matter, and the number of further events."""
    said = []
    for outage in [e for e in raw.events if e.state == DOWN and e is not one and one.state == BLOCKED][:1]:
        reasons = unrelated(outage, one, names)
        why = f"is unrelated: it {listed(reasons)}" if reasons else "may or may not have to do with it"
        said.append(f"An outage of {names.services(outage.services)} {why}.")
    more = [e for e in raw.events if e.state == BLOCKED and e is not one]
    if more:
        when = "another time" if len(more) == 1 else "other times"
        said.append(f"{count(len(more), 'other blocking')} began at {when}.")
    return said


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]
