"""Where things lie in a store."""

from __future__ import annotations

from pathlib import Path

FILE = "accounts.jsonl"
PACKED = "accounts.jsonl.xz"  # lines that were put away: read before the others, never written
RUNS = "runs"  # the captures that `watch` keeps


def file_of(store: Path) -> Path:
    """The file of accounts: of a store's folder, or the file itself; beside the one that was put away."""
    if store.name == PACKED:
        return store.with_name(FILE)
    return store / FILE if store.is_dir() or store.suffix != ".jsonl" else store


def is_store(path: Path) -> bool:
    """Whether there are stored accounts in that folder."""
    return (path / FILE).is_file() or (path / PACKED).is_file()
