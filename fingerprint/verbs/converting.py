"""What ``fingerprint convert`` does between its options and its exit code."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from captures.errors import TargetError
from fingerprint import exits
from fingerprint.accounts import Account, Problem
from fingerprint.accounts.captured import Judging
from fingerprint.accounts.gathering import gather
from fingerprint.report import machine, rows
from fingerprint.report.rows import Row
from fingerprint.terminal import complain
from fingerprint.verbs import destination
from fingerprint.verdict.model import STATES

Document = dict[str, Any]
# Standard input has no name that says what it is; it is read under this one, as any kind of account may be.
SPOOLED = "standard input.json"


def convert(paths: Sequence[str], how: Judging, *, form: str, out: Path | None) -> int:
    """Read the sources, write them in another form, complain about what was left out, and return the exit code.

    Raises TargetError for a form that does not exist, or that needs a file and has none.
    """
    check(form, out, paths)
    with _named(paths) as files:
        accounts, problems = gather(files, how=how)
        if accounts:
            _write(accounts, problems, form, out)
            if out:
                destination.tell(out)
    for problem in problems:
        complain(problem.says if problem.says.startswith(problem.file) else f"{problem.file}: {problem.says}")
    if not accounts:
        return exits.FAILED
    return exits.PARTIAL if problems else exits.ANSWERED


def check(form: str, out: Path | None, sources: Sequence[str] = ()) -> None:
    """Raises TargetError for a form that does not exist, or that cannot be written there."""
    if form not in (*FORMS, PARQUET):
        raise TargetError(f"--to {form} is not available; choose {', '.join((*FORMS, PARQUET))}")
    if form == PARQUET and out is None:
        raise TargetError("--to parquet is no text; name a file for it with -o")
    destination.check("-o", out, sources)


@contextmanager
def _named(paths: Sequence[str]) -> Iterator[list[str]]:
    """The paths, with standard input as a file that can be looked at twice."""
    if "-" not in paths:
        yield list(paths)
        return
    with tempfile.TemporaryDirectory() as folder:
        spooled = Path(folder) / SPOOLED
        with spooled.open("wb") as file:
            shutil.copyfileobj(sys.stdin.buffer, file)
        # A second - is left as it is: `gather` says that it can be read once only.
        yield [str(spooled) if path == "-" and n == paths.index("-") else path for n, path in enumerate(paths)]


def _write(accounts: Sequence[Account], problems: Sequence[Problem], form: str, out: Path | None) -> None:
    if form == PARQUET:
        assert out is not None
        rows.write_parquet(_rows(accounts), out)
    elif out:
        with out.open("w", encoding="utf-8") as file:
            FORMS[form](accounts, problems, file)
    else:
        FORMS[form](accounts, problems, sys.stdout)
        sys.stdout.flush()


def _rows(accounts: Sequence[Account]) -> Iterator[Row]:
    for account in accounts:
        yield from rows.of_report(account.document, account.kind)


def _csv(accounts: Sequence[Account], _: Sequence[Problem], out: IO[str]) -> None:
    rows.write_csv(_rows(accounts), out)


def _json(accounts: Sequence[Account], problems: Sequence[Problem], out: IO[str]) -> None:
    machine.print_json(merged(accounts, problems), out)


def _jsonl(accounts: Sequence[Account], problems: Sequence[Problem], out: IO[str]) -> None:
    machine.print_jsonl(merged(accounts, problems), out)


def _ooni(accounts: Sequence[Account], _: Sequence[Problem], out: IO[str]) -> None:
    from fingerprint.ooni import exporting

    for made in exporting.measurements(accounts):
        out.write(json.dumps(made, ensure_ascii=True, allow_nan=False, sort_keys=True) + "\n")


PARQUET = "parquet"
FORMS: dict[str, Callable[[Sequence[Account], Sequence[Problem], IO[str]], None]] = {
    "ooni": _ooni,
    "csv": _csv,
    "jsonl": _jsonl,
    "json": _json,
}


def merged(accounts: Sequence[Account], problems: Sequence[Problem] = ()) -> Document:
    """One report of all accounts: captures in a row, citations moved to where theirs stands, counts added up."""
    documents = [account.document for account in accounts]
    captured: list[Document] = []
    targets: list[Document] = []
    tables: dict[str, Document] = {}
    for document in documents:
        targets += [moved(target, len(captured)) for target in document["targets"]]
        captured += document["captures"]
        tables |= {json.dumps(table, sort_keys=True): table for table in document["tables"]}
    sums = [document["summary"] for document in documents]
    states = {state: sum(s["states"].get(state, 0) for s in sums) for state in STATES}
    counted = {key: sum(s[key] for s in sums) for key in ("packets", "seconds")}
    errors = [error for document in documents for error in document["errors"]]
    partial = "; ".join(document["partial"] for document in documents if document["partial"])
    return {
        "schema": documents[0]["schema"],
        "tool": documents[0]["tool"],
        "summary": {"targets": sum(states.values()), "states": states, "captures": len(captured), **counted},
        "captures": captured,
        "targets": targets,
        "tables": list(tables.values()),
        "errors": [*errors, *({"file": p.file, "error": p.says} for p in problems)],
        "partial": partial or None,
    }


def moved(told: Any, by: int) -> Any:
    """A part of a document whose captures stand ``by`` places later."""
    if isinstance(told, list):
        return [moved(value, by) for value in told]
    if not isinstance(told, dict):
        return told
    return {
        key: value + by if key == "capture" and isinstance(value, int) else moved(value, by)
        for key, value in told.items()
    }
