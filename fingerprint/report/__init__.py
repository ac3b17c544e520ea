"""Reports: one content, several forms. `as_dict` is the content; `write` chooses the form."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import IO

from captures.errors import TargetError
from fingerprint.pages import report_html, report_markdown
from fingerprint.report.document import as_dict
from fingerprint.report.machine import write_csv, write_json, write_jsonl, write_parquet
from fingerprint.report.text import Showing
from fingerprint.report.text import write as write_text
from fingerprint.verdict.model import Report

__all__ = ["FILES", "FORMATS", "Showing", "as_dict", "check", "save", "write"]

FORMATS: dict[str, Callable[[Report, IO[str], Showing], None]] = {
    "text": write_text,
    "html": report_html,
    "md": report_markdown,
    "json": write_json,
    "jsonl": write_jsonl,
    "csv": write_csv,
}
# Forms that are no text: they go into a file of their own.
FILES: dict[str, Callable[[Report, Path, Showing], None]] = {"parquet": write_parquet}


def check(form: str, path: Path | None = None) -> str:
    """The name of a form that exists. Raises TargetError naming those that do, or if it needs a file and has none."""
    if form in FILES and path is None:
        raise TargetError(f"--format {form} is no text; name a file for it with -o")
    if form not in FORMATS and form not in FILES:
        raise TargetError(f"--format {form} is not available; choose {', '.join((*FORMATS, *FILES))}")
    return form


def write(report: Report, out: IO[str], *, form: str = "text", showing: Showing | None = None) -> None:
    """Write the report in one of FORMATS. Raises TargetError for another."""
    FORMATS[check(form)](report, out, showing or Showing())


def save(report: Report, path: Path, *, form: str, showing: Showing | None = None) -> None:
    """Write the report to a file, in one of FORMATS or FILES. Raises TargetError for another."""
    if check(form, path) in FILES:
        FILES[form](report, path, showing or Showing())
        return
    with path.open("w", encoding="utf-8") as out:
        write(report, out, form=form, showing=showing)
