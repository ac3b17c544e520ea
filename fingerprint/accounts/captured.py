"""Accounts from captures: each is analysed by itself, with what a page needs to draw its packets."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_all_start_methods, get_context
from pathlib import Path

from fingerprint.accounts import Account, Problem, reports
from fingerprint.plugins.registry import Registry
from fingerprint.vantages.given import NOTHING
from fingerprint.vantages.vantage import Vantage

Found = tuple[tuple[Account, ...], tuple[Problem, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judging:
    """How captures are judged: by which techniques, in parts of how many seconds, and what the options say of where."""

    registry: Registry
    part_s: float | None = None
    vantage: Vantage = NOTHING
    with_vantage: bool = False


def accounts(file: str, how: Judging) -> Found:
    """The account of one capture (``-`` is standard input); none, and why, if it cannot be read."""
    from fingerprint.report import as_dict
    from fingerprint.verbs import analysing

    report = analysing.judged([file], how.registry, jobs=1, part_s=how.part_s, vantage=how.vantage)
    document = as_dict(report, all_ok=True, with_vantage=how.with_vantage, pictures=True)
    at_hand = [None if file == "-" else Path(file)] * len(report.captures)
    made, problems = reports.of_document(document, Path(file).name, at_hand)
    return tuple(made), tuple(problems)


_HOW: list[Judging] = []


def each(files: Sequence[str], how: Judging, jobs: int | None = None) -> Iterator[Found]:
    """The same for many, in their order, on several processes where the machine can fork."""
    workers = min(jobs or os.cpu_count() or 1, len(files))
    if workers < 2 or "fork" not in get_all_start_methods():
        yield from (accounts(file, how) for file in files)
        return
    # Forked workers inherit the techniques: those of a plugin file could not be sent to them.
    with ProcessPoolExecutor(workers, get_context("fork"), _equip, (how,)) as pool:
        yield from pool.map(_equipped, files)


def _equip(how: Judging) -> None:
    _HOW[:] = [how]


def _equipped(file: str) -> Found:
    return accounts(file, _HOW[0])
