"""One report as a page: its targets instead of a matrix, each with the packets that decided it."""

from __future__ import annotations

from typing import IO, Any

from fingerprint.pages.assembling import page
from fingerprint.pages.findings import Finding, clues_of, confidence, finding
from fingerprint.pages.markdown import code, escaped, plain
from fingerprint.pages.phrases import count, day, of_target, probability, sentence, state
from fingerprint.report.document import Document, as_dict
from fingerprint.report.glossary import REACH
from fingerprint.report.text import Showing
from fingerprint.report.wording import how
from fingerprint.verdict.model import Report

# Blocked first, as in a report for people.
ORDER = ("blocked", "down", "insufficient", "invalid", "ok")
# Targets that are told; the rest are counted. The first have pictures, and are open when the page opens.
TOLD, DRAWN, OPEN, OK_NAMED = 200, 60, 8, 60
# Names in a headline, and sentences of evidence for a mechanism in prose.
NAMED, CLUES = 3, 4


def write_html(report: Report, out: IO[str], showing: Showing) -> None:
    """The report as one static file."""
    document = _document(report, showing)
    targets = _ordered(document)
    told = [t for t in targets if t["state"] != "ok"][:TOLD]
    works = [t["target"] for t in targets if t["state"] == "ok"]
    named = list(dict.fromkeys(works))[:OK_NAMED]
    out.write(
        page(
            "report.html.j2",
            document=document,
            day=day(report.captures[0].first_ns) if report.captures and report.captures[0].first_ns else None,
            headline=answer(document),
            lead=lead(document),
            reaches=reaches(told),
            findings=[_told(document, t, n) for n, t in enumerate(told)],
            told_left_out=sum(t["state"] != "ok" for t in targets) - len(told),
            open=OPEN,
            rows=[(t, of_target(t), f"#target-{n + 1}") for n, t in enumerate(told)],
            works=named,
            works_left_out=document["summary"]["states"]["ok"] - sum(name in named for name in works),
            simulated=_simulated(document),
        )
    )


def write_markdown(report: Report, out: IO[str], showing: Showing) -> None:
    """The report as a few paragraphs and a table."""
    document = _document(report, showing)
    lines = [f"# {escaped(answer(document))}", "", *([escaped(says), ""] if (says := lead(document)) else [])]
    if simulated := _simulated(document):
        lines += [f"> **Simulation, not a measurement:** {escaped('; '.join(simulated))}.", ""]
    targets = [t for t in _ordered(document) if t["state"] != "ok"]
    if targets:
        lines += ["| target | state | how | probability |", "|---|---|---|---|"]
        lines += [_row(t) for t in targets[:TOLD]] + [""]
    for t in targets[:OPEN]:
        lines += _paragraph(t)
    if (left := len(targets) - OPEN) > 0:
        lines += [f"{count(left, 'more target')} in the table above, told in the HTML and the JSON.", ""]
    works = [t["target"] for t in document["targets"] if t["state"] == "ok"]
    if works:
        named = list(dict.fromkeys(works))[:OK_NAMED]
        more = document["summary"]["states"]["ok"] - sum(name in named for name in works)
        lines += [f"Works: {escaped(', '.join(named))}{f' and {more:,} more' if more else ''}.", ""]
    for c in document["captures"]:
        lines.append(f"- {code(c['file'])}: {count(c['packets'], 'packet')}, SHA-256 {code(c['sha256'])}")
        lines += [f"  - {escaped(q['issue'])}: {escaped(q['detail'])}" for q in c["quality"]]
    lines += [f"- could not be read: {escaped(e['file'])}: {escaped(e['error'])}" for e in document["errors"]]
    out.write(plain("\n".join(lines).rstrip("\n") + "\n"))


def _document(report: Report, showing: Showing) -> Document:
    return as_dict(
        report, all_ok=showing.all_ok, with_vantage=showing.with_vantage, why=showing.why, pictures=True
    )  # fmt: skip


def _ordered(document: Document) -> list[dict[str, Any]]:
    return sorted(document["targets"], key=lambda t: ORDER.index(t["state"]))


def _told(document: Document, target: dict[str, Any], n: int) -> tuple[str, dict[str, Any], Finding]:
    key = f"target-{n + 1}"
    return key, target, finding(document, target, key, drawn=n < DRAWN)


def _simulated(document: Document) -> list[str]:
    """The simulations that took part."""
    return list(dict.fromkeys(v for c in document["captures"] if (v := c["vantage"]["simulated"])))


def headline(document: Document) -> str:
    """``3 targets: 1 blocked, 2 work``."""
    states, cut = document["summary"]["states"], _cut(document)
    if not document["summary"]["targets"]:
        return "No service was contacted in what could be read."
    words = {s: "work" if s == "ok" and states[s] > 1 else state(s)[1] for s in ORDER}
    words["blocked"] = of_target(cut[0])[1] if len({of_target(t) for t in cut}) == 1 else words["blocked"]
    parts = ", ".join(f"{states[s]:,} {words[s]}" for s in ORDER if states[s])
    return f"{count(document['summary']['targets'], 'target')}: {parts}"


def _cut(document: Document) -> list[dict[str, Any]]:
    return [t for t in document["targets"] if t["state"] == "blocked"]


def answer(document: Document) -> str:
    """``chatter.test is blocked``, where few are and work nowhere else here; else how many targets are how."""
    cut = _cut(document)
    names = list(dict.fromkeys(t["target"] for t in cut))
    elsewhere = {t["target"] for t in document["targets"] if t["state"] != "blocked"}
    if not 1 <= len(names) <= NAMED or not elsewhere.isdisjoint(names):
        return headline(document)
    word = " or ".join(sorted({of_target(t)[1] for t in cut}))
    listed = f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]
    return f"{listed} {'is' if len(names) == 1 else 'are'} {word}"


def lead(document: Document) -> str:
    """How, in a sentence a way, and how many targets are how if the headline names some; empty for nothing to say."""
    ways = dict.fromkeys(how(m["mechanism"]) for t in _cut(document) for m in t["mechanisms"])
    counts = [] if answer(document) == headline(document) else [headline(document)]
    return " ".join(map(sentence, [*list(ways)[:NAMED], *counts]))


def reaches(told: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """The words of the last column, each with its meaning."""
    return [(r, REACH[r]) for r in REACH if r != "none" and any(t["reach"] == r for t in told)]


def _row(t: dict[str, Any]) -> str:
    symbol, word, _ = of_target(t)
    ways = ", ".join(code(m["mechanism"]) for m in t["mechanisms"]) or "–"
    p = max((m["posterior"] for m in t["mechanisms"]), default=t["cause"] and t["cause"]["posterior"])
    return f"| {escaped(t['target'])} | {symbol} {word} | {ways} | {probability(p)} |"


def _packets(where: str) -> str:
    """`` (packets 29, 31, and twice more)``."""
    return f" ({where.replace(' (', ', ').removesuffix(')')})" if where else ""


def _paragraph(t: dict[str, Any]) -> list[str]:
    lines = [f"## {escaped(t['target'])}", ""]
    for m in t["mechanisms"]:
        seen, _ = clues_of(m["evidence"], ())
        lines += [f"{code(m['mechanism'])}: {escaped(how(m['mechanism']))}; {confidence(m)}.", ""]
        lines += [f"- {escaped(clue.says)}{_packets(clue.where)}" for clue in seen[:CLUES]]
        lines.append("")
    if t["cause"]:
        lines += [escaped(sentence(t["cause"]["says"])), ""]
    lines += [f"Next: {escaped(sentence(step))}" for step in t["next"][:2]]
    return [*lines, ""] if t["next"] else lines
