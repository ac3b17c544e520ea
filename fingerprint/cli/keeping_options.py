"""The options about what is kept and about whose network an address is, the same for every verb that has them."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from fingerprint.networks import Networks
    from fingerprint.verdict.model import Report

Store = Annotated[
    Path | None,
    typer.Option("--store", metavar="DIR", help="Keep what is judged there; what is there is not judged again."),
]
Table = Annotated[Path | None, typer.Option("--networks", metavar="FILE", help="AS numbers: pfx2as, TSV or .mmdb.")]
Dated = Annotated[str | None, typer.Option("--networks-date", metavar="DAY", help="The day of that table.")]

# What has no place in a store: half a capture, or several as one.
APART = {"together": "--together", "display_filter": "-Y"}
# What says nothing about a judgement, or is told of otherwise.
TOLD_ELSEWHERE = ("registry", "vantage", *APART)


def networks(file: Path | None, dated: str | None) -> Networks | None:
    """The table that was named. Raises FingerprintError for what is none."""
    if file is None:
        return None
    from fingerprint.networks import load

    return load(file, dated)


def judged(
    paths: list[str],
    judge: partial[Report],
    *,
    store: Path | None,
    jobs: int | None,
    anew: bool = False,
    with_vantage: bool = False,
) -> Report:
    """The report on the captures: by ``judge`` alone, or kept in a store and taken from it.

    ``judge`` is `analysing.judged` with everything but paths and jobs. ``anew`` judges what is stored already too.
    """
    if store is None:
        return judge(paths, jobs=jobs)
    import os

    from captures.errors import TargetError
    from fingerprint.store import made_by, resuming
    from fingerprint.verbs import analysing

    for word, option in APART.items():
        if judge.keywords.get(word):
            raise TargetError(f"--store keeps the account of each capture as a whole; leave {option} out")
    keeping = resuming.Keeping(
        store=store,
        made_by=made_by.made_by(judge.keywords["registry"], options(judge.keywords)),
        vantage=judge.keywords["vantage"],
        with_vantage=with_vantage,
        anew=anew,
    )
    files, failures = analysing.found(paths)
    report = resuming.judged(files, keeping, partial(judge, jobs=1), jobs=jobs or os.cpu_count() or 1)
    return analysing.with_failures(report, failures)


def options(given: dict[str, Any]) -> dict[str, Any]:
    """What of the options takes part in a judgement, as words that are the same every time; of a file its hash."""
    return {word: said(value) for word, value in given.items() if word not in TOLD_ELSEWHERE and value}


def said(value: Any) -> Any:
    """An option's value, or the hash of what it names. Raises TargetError for a file that cannot be read."""
    if isinstance(value, Path):
        from captures.errors import TargetError
        from fingerprint.store.made_by import of_path

        try:
            return of_path(value)
        except OSError as error:
            raise TargetError(f"{value}: {error.strerror}; name a file that can be read") from None
    return value if isinstance(value, str | float | int) else getattr(value, "sha256", repr(value))
