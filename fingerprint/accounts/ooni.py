"""Accounts from measurements of OONI: as deep as a socket error goes, and never deeper."""

from __future__ import annotations

from pathlib import Path

from fingerprint.accounts import Account, Problem


def accounts(path: Path) -> tuple[tuple[Account, ...], tuple[Problem, ...]]:
    """One account a network that the file was measured in, and the lines that had to be left out.

    Raises CaptureError for a file that cannot be read, or in which there is not one measurement.
    """
    raise NotImplementedError(path)


def is_ooni(path: Path) -> bool:
    """Whether the file's first line is a measurement of OONI; to be asked of JSON, plain or compressed."""
    raise NotImplementedError(path)
