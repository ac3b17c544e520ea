"""What is not known after all accounts were read, and the steps that would settle most of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fingerprint.accounts import Account
from fingerprint.incident.doubts import unknown_clock_errors
from fingerprint.incident.model import BLOCKED, OK, UNKNOWN, Cell, Incident
from fingerprint.incident.sightings import CONTROL
from fingerprint.incident.times import S, long
from fingerprint.report.wording import count

# A list of steps that nobody reads to its end helps nobody.
STEPS = 5
NAMED = 4


def unknown(raw: Incident, accounts: Sequence[Account]) -> tuple[str, ...]:
    """A sentence each, the weightiest first."""
    return (
        *_settled(raw),
        *_strays(raw),
        *_how(raw),
        *_when(raw),
        *_clocks(raw, accounts),
        *_calibration(raw, accounts),
    )


def _settled(raw: Incident) -> Iterator[str]:
    its = [s for s in raw.sightings if s.role != CONTROL]
    vain = sum(s.state in ("insufficient", "invalid") for s in its)
    if vain and any(c.state != "insufficient" for c in raw.cells):
        yield f"what {vain} of {count(len(its), 'sighting')} saw: they settle nothing"
    open_ = [c for c in raw.cells if c.state == "insufficient"]
    if open_:
        were = "was" if len(open_) == 1 else "were"
        yield f"{len(open_)} of {count(len(raw.cells), 'cell')} {were} never settled: {_cells(open_)}"
    if raw.cells and not any(s.role == "control" for s in raw.sightings):
        yield "no control was seen, so a fault of a whole line would not be noticed by it"
    if len({c.vantage for c in raw.cells}) == 1:
        yield "everything was seen from one vantage: what is particular to its line cannot be told apart"


def _strays(raw: Incident) -> Iterator[str]:
    """Blocked verdicts that stand alone among sightings that work: an engine of so many verdicts errs now and then."""
    found = [(c, n) for c in raw.cells if (n := _alone(c, raw))]
    if found:
        whole = sum(n for _, n in found)
        what = "what a lone blocked verdict" if whole == 1 else f"what {whole} lone blocked verdicts"
        where = _cells([c for c, _ in found])
        yield f"{what} among many that work shows, an error or blocking that comes and goes: {where}"


def _alone(cell: Cell, raw: Incident) -> int:
    elsewhere = {i for s in cell.stretches if s.state != OK for i in s.sightings}
    working = {i for s in cell.stretches if s.state == OK for i in s.sightings}
    return sum(raw.sightings[i].state == BLOCKED for i in working - elsewhere)


def _how(raw: Incident) -> Iterator[str]:
    if raw.answer != BLOCKED:
        return
    placeless = [s.mechanism for s in raw.signatures if not s.links]
    if placeless:
        yield f"where on the path it sits: no sweep placed {', '.join(placeless)}"
    no_trigger = [s.mechanism for s in raw.signatures if not s.triggers]
    if no_trigger:
        yield f"what sets it off: no trigger was found for {', '.join(no_trigger)}"
    if not any(s.injectors for s in raw.signatures):
        yield "which device it is: no forged packet resembles one closely enough"
    yield "who ordered it, and why: no packet says that"


def _when(raw: Incident) -> Iterator[str]:
    step_ns = round((raw.interval_s or 0) * S)
    for e in raw.events:
        what = f"the {'blocking' if e.state == BLOCKED else 'outage'} of {', '.join(e.services[:NAMED])}"
        if e.onset.after_ns is None:
            yield f"when {what} began: it was there at the first look"
        elif e.onset.before_ns is not None and step_ns and e.onset.before_ns - e.onset.after_ns > 3 * step_ns:
            yield f"when {what} began, nearer than within {long(e.onset.before_ns - e.onset.after_ns)}"
        if e.end.before_ns is None:
            yield f"when {what} ended at the last of its places: it was there at the last look"
    blind = [c for c in raw.cells if c.state != "insufficient" and any(s.state == UNKNOWN for s in c.stretches)]
    if blind:
        yield f"what happened in times that nobody settled, in {count(len(blind), 'cell')}: {_cells(blind)}"


def _clocks(raw: Incident, accounts: Sequence[Account]) -> Iterator[str]:
    keys = unknown_clock_errors(accounts)
    if keys and raw.events:
        some = ", ".join(keys[:NAMED]) + (f" and {len(keys) - NAMED} more" if len(keys) > NAMED else "")
        yield f"how far the clocks are off at {some}: times of different vantages are compared as they stand"


def _calibration(raw: Incident, accounts: Sequence[Account]) -> Iterator[str]:
    hand_set = any(m["calibrated"] is None for a in accounts for t in a.document["targets"] for m in t["mechanisms"])
    if raw.answer == BLOCKED and hand_set:
        yield "how often such verdicts are wrong: their probabilities rest in part on numbers that were set by hand"


def steps(raw: Incident, accounts: Sequence[Account]) -> tuple[str, ...]:
    """What to do next: what the verdicts themselves ask for, then what the incident lacks."""
    asked: dict[str, int] = {}
    for c in (c for c in raw.cells if c.state == raw.answer and raw.answer != OK):
        for step in _of_cell(c, raw, accounts):
            asked[step] = asked.get(step, 0) + 1
    out = sorted(asked, key=lambda step: -asked[step])[: STEPS - 2]
    if unknown_clock_errors(accounts) and raw.events:
        out.append("give each vantage's clock, or let its captures hold plain HTTP answers, whose dates tell it")
    if raw.answer == BLOCKED:
        out.append("keep the JSON of this incident: `--compare` tells the next one's device from this one's")
    elif not out:
        out.append("measure again from a second vantage, with controls")
    return tuple(out)


def _of_cell(cell: Cell, raw: Incident, accounts: Sequence[Account]) -> Sequence[str]:
    place = cell.best
    if place is None:
        its = (s for s in raw.sightings if (s.service, s.role, s.vantage) == (cell.service, cell.role, cell.vantage))
        place = next((s.at for s in its), None)
    if place is None:
        return ()
    return tuple(accounts[place.account].document["targets"][place.target]["next"])


def _cells(cells: Sequence[Cell]) -> str:
    names = [f"{c.service}/{c.role} at {c.vantage}" for c in cells[:NAMED]]
    return ", ".join(names) + (f" and {len(cells) - NAMED} more" if len(cells) > NAMED else "")
