"""Judges an external corpus and writes what came out: accuracy.py CORPUS [--jobs N] [--reports DIR].

CORPUS holds captures, ``expect.json`` (what a report must say of each) and ``score.py`` (which compares the two). The
figures go to docs/explanation/accuracy.md and to the marked block of README.md; nothing of the corpus is copied.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from pathlib import Path

from fingerprint import __version__
from fingerprint.plugins import registry
from fingerprint.plugins.registry import Registry
from fingerprint.report import as_dict
from fingerprint.verbs.analysing import judged
from fingerprint.verdict.model import STATES

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs/explanation/accuracy.md"
README = ROOT / "README.md"
BEGIN, END = "<!-- accuracy: begin (make accuracy) -->", "<!-- accuracy: end -->"


@cache
def techniques() -> Registry:
    """The built-in techniques, loaded once a process."""
    return registry.load()


def report_on(capture: Path) -> tuple[str, float]:
    """The JSON report on a capture, and the seconds that it took."""
    started = time.monotonic()
    document = as_dict(judged([str(capture)], techniques(), jobs=1), all_ok=True)
    return json.dumps(document), time.monotonic() - started


def reports(corpus: Path, expected: list[dict], into: Path, jobs: int) -> Iterator[tuple[dict, dict, float]]:
    """Each expectation with its report, which is also written to ``into`` under the name that score.py looks for."""
    into.mkdir(parents=True, exist_ok=True)
    captures = [corpus / e["file"] for e in expected]  # every capture, labelled or not
    with ProcessPoolExecutor(max_workers=jobs) as pool:
        for entry, (text, seconds) in zip(expected, pool.map(report_on, captures, chunksize=4), strict=True):
            (into / (entry["file"].replace("/", "_") + ".json")).write_text(text)
            yield entry, json.loads(text), seconds


def captures_of(corpus: Path) -> list[dict]:
    """Every capture that the corpus lists, in index.json if it has one, and those that expect.json adds."""
    lists = [corpus / name for name in ("index.json", "expect.json") if (corpus / name).is_file()]
    files = sorted({entry["file"] for path in lists for entry in json.loads(path.read_text())})
    return [{"file": file} for file in files if (corpus / file).is_file()]


def scored(corpus: Path, into: Path) -> dict:
    """What score.py makes of the reports: its summary, and the rows of every capture."""
    out = into / "score.json"
    command = [sys.executable, str(corpus / "score.py"), str(corpus / "expect.json"), str(corpus)]
    subprocess.run([*command, "--reports", str(into), "--out", str(out), "-q"], check=True, stdout=subprocess.DEVNULL)
    return json.loads(out.read_text())


def share(part: int, whole: int) -> str:
    """``12 of 48 (25.0 %)``."""
    return f"{part} of {whole} ({part / whole:.1%})".replace("%", " %") if whole else "none"


def states_of(documents: Iterable[dict]) -> Counter[str]:
    """Targets by state over all reports."""
    counts: Counter[str] = Counter()
    for document in documents:
        counts.update(document["summary"]["states"])
    return counts


def block(summary: dict, documents: list[dict]) -> list[str]:
    """The lines that matter most, for the README."""
    states = states_of(documents)
    guilty, targets = summary["guilty"], sum(states.values())
    return [
        f"On an external corpus of {len(documents)} captures, {summary['captures']} of them with an expert's label",
        f"(`make accuracy CORPUS=DIR`), version {__version__}:",
        "",
        "| | |",
        "|---|---|",
        f"| innocent targets called blocked | **{summary['false_blocks']}** of {summary['innocent']} |",
        f"| interfered targets named exactly | {share(summary['exact'], guilty)} |",
        f"| named correctly, less deep than possible | {share(summary['imprecise'], guilty)} |",
        f"| left open where that is a right answer | {share(summary['undecided-ok'], guilty)} |",
        f"| missed | {share(summary['missed'], guilty)} |",
        f"| wrong, or claimed deeper than the truth | {summary['wrong']} and {summary['overclaimed']} |",
        f"| answered `insufficient`, of all targets | {share(states['insufficient'], targets)} |",
    ]


def page(summary: dict, detail: list[dict], kept: list[tuple[dict, dict, float]]) -> str:
    """The whole page."""
    documents = [document for _, document, _ in kept]
    states = states_of(documents)
    targets = sum(states.values())
    slowest = sorted((seconds for _, _, seconds in kept), reverse=True)
    lines = [
        "# Accuracy",
        "",
        "Written by `make accuracy CORPUS=DIR`; do not edit. The corpus is test data made by others: no rule or figure",
        "of the tool comes from it unless a clue says so, and no file of it is part of the project.",
        "",
        *block(summary, documents),
        "",
        "## What was said",
        "",
        "| state | targets | share |",
        "|---|---:|---:|",
        *(f"| `{state}` | {states[state]} | {states[state] / max(1, targets):.1%} |" for state in STATES),
        "",
        "`insufficient` is an answer: it names what is missing. Captures of single protocols and broken files make up",
        "most of the corpus, and a fragment of a conversation seldom allows more.",
        "",
        "## Facets of what was found",
        "",
        "| facet | right, of those that could be checked |",
        "|---|---:|",
        f"| position | {summary['position_ok']} |",
        f"| cites a packet that an expert named | {summary['cites_ok']} |",
        f"| shape of throttling | {summary['shape_ok']} |",
        f"| rate within a quarter | {summary['rate_within_25pct']} |",
        f"| innocent, called blocked, and tolerated by the labels | {summary['tolerated']} |",
        "",
        "## By folder",
        "",
        "| folder | captures | exact | imprecise | open | missed | wrong or too deep | false blocks |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
        *by_folder(detail),
        "",
        "## Not named",
        "",
        *(missed(detail) or ["Nothing: every interfered target was named or left open with reason."]),
        "",
        "## Reading",
        "",
        f"{len(kept)} reports, {sum(bool(d['errors']) for _, d, _ in kept)} with something that could not be read.",
        f"Slowest capture: {slowest[0]:.1f} s, median {slowest[len(slowest) // 2] * 1e3:.0f} ms." if slowest else "",
    ]
    return "\n".join(lines) + "\n"


def by_folder(detail: list[dict]) -> Iterator[str]:
    """One row a folder of the corpus."""
    folders: dict[str, list[dict]] = {}
    for entry in detail:
        folders.setdefault(entry["file"].split("/")[0], []).append(entry)
    for folder, entries in sorted(folders.items()):
        got = Counter(row["result"] for entry in entries for row in entry.get("rows", []))
        wrong = got["wrong"] + got["overclaimed"]
        cells = (got["exact"], got["imprecise"], got["undecided-ok"], got["missed"], wrong, got["false-block"])
        yield f"| {folder} | {len(entries)} | " + " | ".join(map(str, cells)) + " |"


def missed(detail: list[dict]) -> list[str]:
    """What is still owed: interfered targets that were not named, and innocent ones that were."""
    owed = ("missed", "wrong", "overclaimed", "false-block")
    lines = []
    for entry in detail:
        for row in entry.get("rows", []):
            if row["result"] in owed:
                wanted = ", ".join(row.get("want") or ()) or "no block"
                said = ", ".join(f"{one[0]}: {one[1]}" for one in (row.get("said") or [])[:3]) or "no such target"
                lines.append(f"- {row['result']}: `{entry['file']}`, wanted {wanted}; said {said}")
    return lines


def rewrite_readme(lines: list[str]) -> None:
    """Put the block between its markers."""
    text = README.read_text()
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    if not rest or not after:
        sys.exit(f"README.md has no block between {BEGIN} and {END}")
    README.write_text(before + BEGIN + "\n" + "\n".join(lines) + "\n" + END + after)


def main() -> None:
    """Judge, compare, write, and print the block."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--reports", type=Path, default=ROOT / "accuracy-reports")
    parser.add_argument("--dry-run", action="store_true", help="print the figures and write no page")
    asked = parser.parse_args()
    for needed in ("expect.json", "score.py"):
        if not (asked.corpus / needed).is_file():
            sys.exit(f"{asked.corpus} holds no {needed}; name the folder of the corpus: make accuracy CORPUS=DIR")
    kept = list(reports(asked.corpus, captures_of(asked.corpus), asked.reports, asked.jobs))
    score = scored(asked.corpus, asked.reports)
    lines = block(score["summary"], [document for _, document, _ in kept])
    if not asked.dry_run:
        PAGE.write_text(page(score["summary"], score["detail"], kept))
        rewrite_readme(lines)
    print("\n".join(lines))


if __name__ == "__main__":
    main()
