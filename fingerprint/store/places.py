"""Where things lie in a store."""

from __future__ import annotations

from pathlib import Path

FILE = "accounts.jsonl"
RUNS = "runs"  # the captures that `watch` keeps


def file_of(store: Path) -> Path:
    """The file of accounts: of a store's folder, or the file itself."""
    return store / FILE if store.is_dir() or store.suffix != ".jsonl" else store


def is_store(path: Path) -> bool:
    """Whether there are stored accounts in that folder."""
    return (path / FILE).is_file()
