"""Reports: one content, several forms. `as_dict` is the content; `write` chooses the form."""

from __future__ import annotations

from collections.abc import Callable
from typing import IO

from captures.errors import TargetError
from fingerprint.report.document import as_dict
from fingerprint.report.machine import write_json, write_jsonl
from fingerprint.report.text import Showing
from fingerprint.report.text import write as write_text
from fingerprint.verdict.model import Report

__all__ = ["FORMATS", "Showing", "as_dict", "check", "write"]

FORMATS: dict[str, Callable[[Report, IO[str], Showing], None]] = {
    "text": write_text,
    "json": write_json,
    "jsonl": write_jsonl,
}


def check(form: str) -> str:
    """The name of a form that exists. Raises TargetError naming those that do."""
    if form not in FORMATS:
        raise TargetError(f"--format {form} is not available; choose {', '.join(FORMATS)}")
    return form


def write(report: Report, out: IO[str], *, form: str = "text", showing: Showing | None = None) -> None:
    """Write the report in one of FORMATS. Raises TargetError for another."""
    FORMATS[check(form)](report, out, showing or Showing())
