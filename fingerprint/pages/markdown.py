"""An incident as prose of one page, with its limits, in Markdown that shows the same whoever renders it.

Every text is escaped: a name from a packet can neither make a link nor a heading, nor break a table.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import IO

from fingerprint.accounts import Account
from fingerprint.incident.model import Cell, Incident
from fingerprint.incident.wording import reasons
from fingerprint.pages import matrix, phrases
from fingerprint.pages.incident_page import origin, without_mark
from fingerprint.terminal import clean

# One page: the rest is in the HTML and the JSON, and counted here.
EVENTS_SHOWN, UNKNOWN_SHOWN, NEXT_SHOWN, DOUBTS_SHOWN, VANTAGES_SHOWN, ROWS_SHOWN, SOURCES_SHOWN = 5, 8, 4, 5, 8, 24, 8
# CommonMark 0.31 section 2.4: any ASCII punctuation may be escaped; these are the ones that do something, in tables and
# in GitHub's own marks as well.
STEERING = re.compile(r"([\\`*_{}\[\]()<>#+!|~^$@&:-])")
# Of these the ones that are harmless inside a line stay readable.
QUIET = re.compile(r"\\([-+!():&])")


def write_markdown(incident: Incident, accounts: Sequence[Account], out: IO[str]) -> None:
    """One page. ``accounts`` are those that the incident was made of."""
    out.write(plain("\n".join(_page(incident, accounts)) + "\n"))


def plain(text: str) -> str:
    """Prose is searched and copied: a space is a space there."""
    return text.replace("\u00a0", " ")


def escaped(text: str) -> str:
    """The text as Markdown shows it, on one line; an address in it is no link, nor a word at its beginning a mark."""
    safe = QUIET.sub(r"\1", STEERING.sub(r"\\\1", clean(text)))
    safe = safe.replace("://", "\\://").replace("www.", "www\\.")
    return f"\\{safe}" if safe[:1] in {"-", "+", "!", "="} else safe


def prose(text: str) -> str:
    """A sentence of ours: what stands between back-quotes is in fixed type, all else is escaped."""
    parts = phrases.QUOTED.split(clean(text))
    return "".join(code(part) if n % 2 else escaped(part) for n, part in enumerate(parts))


def code(text: str) -> str:
    """A word in fixed type; a backquote in it becomes an apostrophe, for nothing can escape it there."""
    return "`" + clean(text).replace("`", "'").replace("|", "\\|") + "`"


def _page(incident: Incident, accounts: Sequence[Account]) -> Iterator[str]:
    title = "Incident report" if not incident.simulated else "Incident report (simulation)"
    yield f"# {title}, {phrases.span(incident.first_ns, incident.last_ns)}"
    yield ""
    if incident.simulated:
        yield from _simulation(incident)
    yield f"**{escaped(without_mark(incident, incident.headline))}**"
    yield ""
    if why := reasons(incident):
        yield from (escaped(without_mark(incident, why)), "")
    yield from _matrix(incident)
    yield from _events(incident)
    yield from _list("What is not known", incident.unknown, UNKNOWN_SHOWN)
    yield from _list("Doubts about the accounts", [d.says for d in incident.doubts], DOUBTS_SHOWN)
    for c in incident.comparisons:
        yield from (f"Beside {code(c.file)}: {escaped(c.answer)}. {escaped(c.says)}", "")
    yield from _list("Next", incident.next, NEXT_SHOWN)
    yield from _provenance(incident, accounts)


def _simulation(incident: Incident) -> Iterator[str]:
    which = origin(incident)
    real = f"Not simulated: {escaped(', '.join(which.measured))}." if which.measured else "Nothing here was measured."
    lines = escaped(", ".join(which.simulated))
    yield f"> **Simulation:** {escaped('; '.join(which.names))}. Simulated: {lines}. {real}"
    yield ""


def _matrix(incident: Incident) -> Iterator[str]:
    """The matrix, as wide and as long as a page."""
    vantages = [v.key for v in incident.vantages]
    shown, titles = vantages[:VANTAGES_SHOWN], dict(incident.services)
    by: dict[tuple[str, str], dict[str, Cell]] = {}
    for cell in incident.cells:
        by.setdefault((cell.service, cell.role), {})[cell.vantage] = cell
    order = [s for s, _ in incident.services]
    rows = sorted(by, key=lambda row: order.index(row[0]) if row[0] in order else len(order))
    if not rows:
        return
    yield "| service | role | " + " | ".join(map(escaped, shown)) + " |"
    yield "|---|---|" + "---|" * len(shown)
    for service, role in rows[:ROWS_SHOWN]:
        cells = by[service, role]
        squares = (_square(cells[v]) if v in cells else "not looked at" for v in shown)
        yield f"| {escaped(titles.get(service, service))} | {escaped(role)} | " + " | ".join(squares) + " |"
    yield ""
    if keys := matrix.mechanisms(incident):
        yield from (f"{'; '.join(f'{code(word)}: {escaped(says)}' for word, says in keys)}.", "")
    left = [
        phrases.count(n, thing)
        for n, thing in ((len(rows) - ROWS_SHOWN, "more role"), (len(vantages) - len(shown), "more vantage"))
        if n > 0
    ]
    if left:
        yield from (f"Not shown: {' and '.join(left)}.", "")


def _square(cell: Cell) -> str:
    symbol, word, _ = phrases.of_cell(cell)
    how = f" {code(cell.mechanisms[0])}" if cell.mechanisms else ""
    sure = f" ({phrases.probability(cell.posterior)})" if how and cell.posterior is not None else ""
    return f"{symbol} {word}{how}{sure}"


def _events(incident: Incident) -> Iterator[str]:
    if not incident.events:
        return
    yield from ("## Events", "")
    for letter, event in zip(phrases.LETTERS, incident.events[:EVENTS_SHOWN], strict=False):
        yield f"**{letter}, {phrases.state(event.state)[1]}.** {escaped(event.says)}"
        if event.test is not None and event.test.assumptions:
            yield ""
            yield f"The test assumes: {escaped('; '.join(event.test.assumptions))}."
        yield ""
    if len(incident.events) > EVENTS_SHOWN:
        yield from (f"{phrases.count(len(incident.events) - EVENTS_SHOWN, 'more event')} in the data.", "")


def _list(title: str, says: Sequence[str], most: int) -> Iterator[str]:
    if not says:
        return
    yield from (f"## {title}", "")
    yield from (f"- {prose(phrases.sentence(s))}" for s in says[:most])
    if len(says) > most:
        yield f"- {len(says) - most:,} more in the data."
    yield ""


def _provenance(incident: Incident, accounts: Sequence[Account]) -> Iterator[str]:
    packets = sum(s.packets for s in incident.sources)
    yield from ("## Provenance", "")
    yield (
        f"censorship-fingerprint {escaped(incident.version)}; {phrases.count(len(accounts), 'account')},"
        f" {phrases.count(packets, 'packet')}, {phrases.count(len(incident.sightings), 'sighting')}."
    )
    yield ""
    for s in incident.sources[:SOURCES_SHOWN]:
        mark = " (simulated)" if s.simulated else ""
        yield f"- {code(s.file)}{mark}, {escaped(s.vantage)}: SHA-256 {code(s.sha256)}"
    if len(incident.sources) > SOURCES_SHOWN:
        yield f"- {len(incident.sources) - SOURCES_SHOWN:,} more files with their hashes in the HTML and the JSON."
    tables = ", ".join(f"{name} {edition}" for name, edition, _ in incident.tables)
    if tables:
        yield f"- Tables: {escaped(tables)}"
