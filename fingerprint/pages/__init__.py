"""Pages: an incident, or one report, as a file that a person reads, with pictures of our own.

A page decides nothing. It is one static file: no request leaves it, so that it opens offline, in ten years too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from fingerprint.accounts import Account
    from fingerprint.incident.model import Incident
    from fingerprint.report.text import Showing
    from fingerprint.verdict.model import Report

__all__ = ["report_html", "report_markdown", "write_html", "write_markdown"]


def write_html(incident: Incident, accounts: Sequence[Account], out: IO[str]) -> None:
    """An incident as one static file. ``accounts`` are those that it was made of, in the same order."""
    from fingerprint.pages import incident_page

    incident_page.write_html(incident, accounts, out)


def write_markdown(incident: Incident, accounts: Sequence[Account], out: IO[str]) -> None:
    """An incident as prose of one page."""
    from fingerprint.pages import markdown

    markdown.write_markdown(incident, accounts, out)


def report_html(report: Report, out: IO[str], showing: Showing) -> None:
    """One report as one static file."""
    from fingerprint.pages import report_page

    report_page.write_html(report, out, showing)


def report_markdown(report: Report, out: IO[str], showing: Showing) -> None:
    """One report as a few paragraphs and a table."""
    from fingerprint.pages import report_page

    report_page.write_markdown(report, out, showing)
