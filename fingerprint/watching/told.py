"""What a watch says for people: before it begins, after each round, at its end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fingerprint.live import consent
from fingerprint.report.numbers import timestamp
from fingerprint.watching.memory import Memory
from fingerprint.watching.schedule import Schedule

# Targets named in the line of a round.
NAMED = 4
DAY_S = 86_400


def span(seconds: float) -> str:
    """Time for people, in the largest unit that fits."""
    for unit, size_s in (("days", DAY_S), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size_s:
            return f"{seconds / size_s:.3g} {unit}"
    return f"{seconds:.3g} seconds"


def before(schedule: Schedule, packets: int, size_bytes: int) -> Iterator[str]:
    """What is agreed to beside one round: how many there are, and what all of them may cost."""
    late = f", each up to {span(schedule.jitter_s)} late by chance (seed {schedule.seed})" if schedule.jitter_s else ""
    total = schedule.total
    rounds = total if total is not None else DAY_S / schedule.every_s
    volume = f"{packets * rounds:,.0f} packets and {consent.size(size_bytes * rounds)}"
    yield f"This is done again every {span(schedule.every_s)}{late}, from now on, without asking again:"
    if total is None:
        yield f"  without an end, until you stop it: at most {volume} a day."
    else:
        last_s = (total - 1) * schedule.every_s
        yield f"  {total} rounds within {span(last_s)}: at most {volume} in all."
    yield "Missed rounds are not made up for. Whoever watches this line sees the same names come again and again."


def of_round(memory: Memory, document: dict[str, Any] | None, why: str) -> str:
    """One line about a round."""
    total = memory.schedule.total
    which = f"round {memory.last + 1}" + (f" of {total}" if total is not None else "")
    at = (timestamp(memory.schedule.due_ns(memory.last)) or "")[:19].replace("T", " ")
    if document is None or not document["captures"]:
        return f"{which}, {at}: came to nothing: {why or 'nothing of it could be read'}"
    cut = f"; cut short: {document['partial']}" if document["partial"] else ""
    return f"{which}, {at}: {states(document)}{cut}"


def states(document: dict[str, Any]) -> str:
    """``2 blocked (a.test, b.test), 3 ok``: what is not well is named."""
    parts = []
    for state in ("blocked", "down", "insufficient", "invalid", "ok"):
        names = [target["target"] for target in document["targets"] if target["state"] == state]
        if not names:
            continue
        more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
        parts.append(f"{len(names)} {state}" + (f" ({', '.join(names[:NAMED])}{more})" if state != "ok" else ""))
    return ", ".join(parts) or "no target was contacted"
