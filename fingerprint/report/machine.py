"""Reports for programs: one JSON document, one line a target, or a table."""

from __future__ import annotations

import json
from pathlib import Path
from typing import IO

from fingerprint.report.document import Document, as_dict
from fingerprint.report.text import Showing
from fingerprint.verdict.model import Report

# Above this nobody reads the document by eye, and indenting costs more than all the rest of writing it.
INDENTED_TARGETS = 200


def write_json(report: Report, out: IO[str], showing: Showing) -> None:
    """The document of the schema, keys in the schema's order; indented, or a target a line where there are many."""
    print_json(document(report, showing), out)


def print_json(whole: Document, out: IO[str]) -> None:
    """The same of a document that is one already."""
    if len(whole["targets"]) <= INDENTED_TARGETS:
        out.write(json.dumps(whole, ensure_ascii=True, indent=1, allow_nan=False) + "\n")
        return
    parts = []
    for key, value in whole.items():
        if key == "targets":
            lines = (json.dumps(target, ensure_ascii=True, allow_nan=False) for target in value)
            parts.append('"targets": [\n' + ",\n".join(lines) + "\n]")
        else:
            parts.append(f"{json.dumps(key)}: {json.dumps(value, ensure_ascii=True, allow_nan=False)}")
    out.write("{" + ",\n".join(parts) + "}\n")


def write_jsonl(report: Report, out: IO[str], showing: Showing) -> None:
    """One target a line, and a last line of ``kind: summary`` with everything else of the document."""
    print_jsonl(document(report, showing), out)


def print_jsonl(whole: Document, out: IO[str]) -> None:
    """The same of a document that is one already."""
    for target in whole["targets"]:
        out.write(json.dumps({"kind": "target", **target}, ensure_ascii=True, allow_nan=False) + "\n")
    rest = {key: value for key, value in whole.items() if key != "targets"}
    out.write(json.dumps({"kind": "summary", **rest}, ensure_ascii=True, allow_nan=False) + "\n")


def write_csv(report: Report, out: IO[str], showing: Showing) -> None:
    """A table: a row a mechanism, and one for each target without. All targets that work are in it."""
    from fingerprint.report import rows

    rows.write_csv(rows.of_report(as_dict(report, all_ok=True, with_vantage=showing.with_vantage)), out)


def write_parquet(report: Report, path: Path, showing: Showing) -> None:
    """The same table as Parquet."""
    from fingerprint.report import rows

    rows.write_parquet(rows.of_report(as_dict(report, all_ok=True, with_vantage=showing.with_vantage)), path)


def document(report: Report, showing: Showing) -> Document:
    """The report as the schema has it."""
    return as_dict(report, all_ok=showing.all_ok, with_vantage=showing.with_vantage, why=showing.why)
