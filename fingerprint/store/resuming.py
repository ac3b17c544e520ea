"""``analyse --store``: what the store has already is not judged again; what is new is kept as soon as it is judged."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_all_start_methods, get_context
from pathlib import Path
from typing import Any

from captures.errors import TargetError
from fingerprint import __version__, script
from fingerprint.accounts import PACKETS, Account
from fingerprint.engine import moved
from fingerprint.report import reading
from fingerprint.report.document import as_dict
from fingerprint.store.appending import put
from fingerprint.store.entry import Entry, id_of
from fingerprint.store.made_by import of_path
from fingerprint.store.places import is_store
from fingerprint.store.reading import entries
from fingerprint.terminal import complain
from fingerprint.vantages import fields as vantage_fields
from fingerprint.vantages import given as vantage_given
from fingerprint.vantages.vantage import Vantage
from fingerprint.verdict.judge import ORDER
from fingerprint.verdict.model import Report, Verdict

Judge = Callable[[Sequence[str]], Report]


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeping:
    """Where accounts are kept, and what decides whether one of them will do."""

    store: Path
    made_by: Mapping[str, Any]  # of every file alike
    vantage: Vantage  # what the options say of it
    with_vantage: bool = False  # whether client addresses stay in what is kept
    anew: bool = False  # what is stored is judged again, and not kept twice

    def __post_init__(self) -> None:
        if self.store.exists() and not self.store.is_dir():
            raise TargetError(f"--store {self.store}: that is a file; name a folder")


def judged(files: Sequence[str], keeping: Keeping, judge: Judge, *, jobs: int) -> Report:
    """One report on all files, each judged apart, by ``judge`` or long ago.

    Raises TargetError if nothing can be written, CaptureError for a store of a later version.
    """
    stored = _stored(keeping.store)
    wanted = {file: named(file, keeping) for file in files}
    new = [file for file in files if keeping.anew or wanted[file] not in stored]
    reports: dict[str, Report] = {}
    kept = set(stored)
    for file, made in zip(new, _each(new, judge, jobs), strict=True):
        document = documented(made, keeping)
        if wanted[file] not in kept:  # a copy under another name is the same capture
            keep(document, keeping, file, wanted[file])
        kept |= {wanted[file]} - {None}
        # As it will come out of the store, so that it reads the same today and next year.
        reports[file] = made if keeping.anew else reading.report(document)
    for file in files:
        if file not in reports:
            reports[file] = reading.report(stored[wanted[file]].account.document)
    _tell(len(files) - len(new), len(new), keeping.store)
    return joined([reports[file] for file in files])


def _stored(store: Path) -> dict[str | None, Entry]:
    if not is_store(store):
        return {}
    found, problems = entries(store)
    for problem in problems:
        complain(problem.says)
    return {made.id: made for made in found}


def named(file: str, keeping: Keeping) -> str | None:
    """What the account of a file is called, None where that is known only when it has been read."""
    if file == "-":
        return None
    try:
        return id_of([of_path(Path(file))], *_circumstances(file, keeping))
    except OSError:
        return None


def _circumstances(file: str, keeping: Keeping) -> tuple[Vantage, dict[str, Any]]:
    """The vantage that is given for a file, and what takes part in judging it, its script included."""
    beside = script.beside(Path(file)) if file != "-" else None
    made_by = {**keeping.made_by, "script": of_path(beside) if beside else None, "private": not keeping.with_vantage}
    return vantage_given.of(file, keeping.vantage).vantage, made_by


def documented(made: Report, keeping: Keeping) -> dict[str, Any]:
    """What is kept of a report: all of it, and what pictures are drawn from."""
    return as_dict(made, all_ok=True, with_vantage=keeping.with_vantage, pictures=True)


def keep(document: dict[str, Any], keeping: Keeping, file: str, name: str | None = None) -> None:
    """Store the document on one file, unless nothing of it could be read: then it is tried again next time.

    Of a capture that is judged in parts, all parts are one account.
    """
    if not document["captures"]:
        return
    first = document["captures"][0]
    seen_from = vantage_fields.vantage(first["vantage"], strict=False)
    account = Account(kind=PACKETS, file=first["file"], sha256=first["sha256"], document=document, vantage=seen_from)
    vantage, made_by = _circumstances(file, keeping)
    name = name or id_of([first["sha256"]], vantage, made_by)
    put(keeping.store, Entry(id=name, account=account, made_by=made_by))


def _each(files: Sequence[str], judge: Judge, jobs: int) -> Iterator[Report]:
    """The reports, in order, as they are made."""
    if jobs > 1 and len(files) > 1 and "fork" in get_all_start_methods():
        workers = min(jobs, len(files), os.cpu_count() or 1)
        # Forked workers inherit the judge: techniques of a plugin file could not be sent to them.
        with ProcessPoolExecutor(workers, get_context("fork"), _appoint, (judge,)) as pool:
            yield from pool.map(_appointed, files)
        return
    for file in files:
        yield judge([file])


_JUDGE: list[Judge] = []


def _appoint(judge: Judge) -> None:
    _JUDGE[:] = [judge]


def _appointed(file: str) -> Report:
    return _JUDGE[0]([file])


def joined(reports: Iterable[Report]) -> Report:
    """Reports on one file each as one report; what several of them say of tables and errors stands there once."""
    reports = list(reports)
    verdicts: list[Verdict] = []
    read = 0
    for report in reports:
        verdicts += moved(report.verdicts, read)
        read += len(report.captures)
    return Report(
        version=__version__,
        captures=tuple(c for r in reports for c in r.captures),
        verdicts=tuple(sorted(verdicts, key=lambda v: ORDER[v.state])),
        tables=tuple(dict.fromkeys(t for r in reports for t in r.tables)),
        errors=tuple(dict.fromkeys(e for r in reports for e in r.errors)),
        partial="; ".join(r.partial for r in reports if r.partial) or None,
    )


def _tell(old: int, new: int, store: Path) -> None:
    complain(f"{store}: {old} captures were judged already, {new} are new")
