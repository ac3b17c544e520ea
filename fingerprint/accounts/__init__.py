"""Accounts: what an incident is made of, each a document of ``fingerprint/report/1`` with its vantage and its source.

Captures are analysed, stored reports are read (and migrated), OONI's measurements and what people told are turned into
the same document, with as much depth as they have. Nothing after this package knows where an account came from.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fingerprint.vantages.vantage import Vantage

# How deep an account goes, deepest first.
PACKETS, SOCKETS, TOLD = "packets", "ooni", "told"
KINDS = (PACKETS, SOCKETS, TOLD)


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One report, made from one source at one vantage.

    ``document`` is valid under ``docs/reference/report-1.schema.json``; of an account without packets ``packets`` of a
    citation is empty. ``captures`` are the files at hand that its citations can be looked up in, by index of the
    document's ``captures``; None where only the report is left.
    """

    kind: str
    file: str  # as a report names it
    sha256: str
    document: dict[str, Any]
    vantage: Vantage
    captures: tuple[Path | None, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something that was left out, mended or doubted on the way, and what to do about it."""

    file: str
    says: str
