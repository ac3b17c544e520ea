"""Accounts from a store that ``analyse --store`` or ``watch`` filled."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from fingerprint.accounts import PACKETS, Account, Problem
from fingerprint.store.entry import Entry
from fingerprint.store.places import RUNS, file_of
from fingerprint.store.reading import entries


def accounts(path: Path) -> tuple[tuple[Account, ...], tuple[Problem, ...]]:
    """The accounts of a store (its folder, or the file in it), in order of storing, and what was left out or mended.

    Captures that `watch` kept are at hand again. Rounds of a watch that failed are named, and are no accounts.
    Raises CaptureError if there is no store, or a later version wrote to it.
    """
    found, problems = entries(path)
    here = file_of(path).parent
    runs = _names_in(here / RUNS)
    told = (*problems, *_failed(found, file_of(path).name))
    return tuple(_at_hand(made.account, here / RUNS, runs) for made in found if not _is_failed(made)), told


def _names_in(folder: Path) -> frozenset[str]:
    try:
        return frozenset(path.name for path in folder.iterdir())
    except OSError:
        return frozenset()


def _at_hand(account: Account, folder: Path, names: frozenset[str]) -> Account:
    if account.kind != PACKETS or not names:
        return account
    files = (str(capture.get("file", "")).rpartition("/")[2] for capture in account.document["captures"])
    return replace(account, captures=tuple(folder / name if name in names else None for name in files))


def _is_failed(made: Entry) -> bool:
    """Whether it only says that a round of a watch, or an analysis, came to nothing."""
    document = made.account.document
    return made.account.kind == PACKETS and not document["captures"] and not document["targets"]


def _failed(found: tuple[Entry, ...], file: str) -> tuple[Problem, ...]:
    """One sentence for all rounds that failed for one reason."""
    reasons: dict[str, int] = {}
    for made in found:
        if _is_failed(made):
            why = str(made.account.document.get("partial") or "nobody knows why")
            reasons[why] = reasons.get(why, 0) + 1
    return tuple(
        Problem(
            file=file, says=f"{count} rounds came to nothing: {why}" if count > 1 else f"a round came to nothing: {why}"
        )
        for why, count in reasons.items()
    )
