"""Accounts from reports: what ``fingerprint analyse --json`` or ``--format jsonl`` wrote, one account a captured file.

A report may be about many captures, and says of a target which packets of which capture it rests on, but not always
(a target that works may cite none). Such a target belongs to the capture in whose time it was seen; where several
vantages were captured at that time, nobody can tell whose it is, and it is left out and named.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from captures.errors import CaptureError
from fingerprint.accounts import Account, Problem, shape
from fingerprint.report import rows
from fingerprint.vantages import fields as vantage_fields
from fingerprint.vantages.vantage import Vantage

Document = dict[str, Any]
Source = tuple[str, str]


def is_report(path: Path) -> bool:
    """Whether a file is a report, in one document or line by line; to be asked of text."""
    try:
        if not path.is_file():  # opening a pipe would wait for its writer
            return False
        with path.open("rb") as file:
            start = file.read(4096).lstrip()
    except OSError:
        return False
    words = start.replace(b" ", b"")
    return words.startswith(b"{") and (b'"schema":"fingerprint/report/' in words or b'{"kind":"target"' in words[:32])


def accounts(path: Path) -> tuple[tuple[Account, ...], tuple[Problem, ...]]:
    """One account a captured file, and what had to be left out. Raises CaptureError if nothing can be used."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise CaptureError(f"{path.name}: {error.strerror}; name a file that can be read") from None
    except UnicodeDecodeError:
        raise CaptureError(f"{path.name} is no text in UTF-8; write the report again") from None
    made: list[Account] = []
    problems: list[Problem] = []
    for number, told in enumerate(_documents(path, text), 1):
        where = path.name if number == 1 else f"{path.name}, document {number}"
        try:
            found, complaints = of_document(told, where)
        except ValueError as error:
            problems.append(Problem(file=path.name, says=f"{where} {error}; it is left out"))
            continue
        made += found
        problems += complaints
    if not made and problems:
        raise CaptureError(problems[0].says.replace("; it is left out", "; make the report again"))
    return tuple(made), tuple(problems)


def _documents(path: Path, text: str) -> Iterator[object]:
    """One document of a whole file, or one of a file of lines: targets first, everything else on the last line."""
    if not text.strip():
        raise CaptureError(f"{path.name} is empty; write the report again")
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError):
        whole = {"kind": "several"}
    if not isinstance(whole, dict) or "kind" not in whole:
        yield whole
        return
    targets: list[object] = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            told = json.loads(line)
        except (ValueError, RecursionError):
            raise CaptureError(f"{path.name} line {number} is no JSON; write the report again") from None
        kind = told.pop("kind", None) if isinstance(told, dict) else None
        if kind == "target":
            targets.append(told)
            continue
        yield {**told, "targets": targets} if kind == "summary" else told
        targets = []
    if targets:
        raise CaptureError(f"{path.name} ends before its summary; write the report again")


def of_document(told: object, where: str, captures: Sequence[Path | None] = ()) -> tuple[list[Account], list[Problem]]:
    """The accounts of one document. Raises ValueError for one that is none.

    ``captures`` are the files that it was made from, where they are at hand.
    """
    document = shape.document(told)
    problems = [Problem(file=e["file"], says=str(e["error"])) for e in document["errors"] if _is_failure(e)]
    targets = []
    for number, target in enumerate(document["targets"]):
        try:
            targets.append(shape.target(target))
        except ValueError as error:
            problems.append(Problem(file=where, says=f"target {number} of {where} {error}; it is left out"))
    if left_out := _not_listed(document):
        says = f"{where} counts {left_out} targets that work and does not list them; write it with --all"
        problems.append(Problem(file=where, says=says))
    sources = list(dict.fromkeys(_source(c) for c in document["captures"]))
    if not sources and targets:
        raise ValueError("has targets and no capture")
    shares: dict[Source, list[Document]] = {source: [] for source in sources}
    lost = 0
    for target in targets:
        source = _whose(target, document["captures"])
        if source is None:
            lost += 1
        else:
            shares[source].append(target)
    if lost:
        says = f"{lost} targets of {where} may be of several vantages; analyse the captures one by one"
        problems.append(Problem(file=where, says=says))
    return [_account(document, source, shares[source], captures) for source in sources], problems


def _is_failure(told: object) -> bool:
    return isinstance(told, dict) and isinstance(told.get("file"), str) and isinstance(told.get("error"), str)


def _not_listed(document: Document) -> int:
    counted = document.get("summary")
    whole = counted.get("targets") if isinstance(counted, dict) else None
    return max(0, whole - len(document["targets"])) if isinstance(whole, int) else 0


def _source(capture: Document) -> Source:
    """The hash of a file and where it was taken: one file of OONI's has measurements of many networks."""
    return str(capture["sha256"]), json.dumps(capture["vantage"], sort_keys=True)


def _whose(target: Document, captures: Sequence[Document]) -> Source | None:
    """The capture that a target was seen in: by its citations, else by its vantage or its time."""
    cited = [n for n in _cited(target) if n < len(captures)]
    if cited:
        return _source(captures[cited[0]])
    if len({_source(c) for c in captures}) == 1:
        return _source(captures[0])
    named = {_source(c) for c in captures if _vantage(c["vantage"]).key == target["vantage"]}
    if len(named) == 1:
        return named.pop()
    within = [c for c in captures if c["first"] and target["first"] and c["first"] <= target["first"] <= c["last"]]
    places = {_source(c)[1] for c in within}
    return _source(within[0]) if len(places) == 1 else None


def _cited(told: object) -> Iterator[int]:
    """Indices of captures, in order of appearance."""
    if isinstance(told, dict):
        if isinstance(told.get("capture"), int):
            yield told["capture"]
        for value in told.values():
            if isinstance(value, (dict, list)):
                yield from _cited(value)
    elif isinstance(told, list):
        for value in told:
            yield from _cited(value)


def _account(document: Document, source: Source, targets: list[Document], captures: Sequence[Path | None]) -> Account:
    whole = document["captures"]
    its = [n for n, c in enumerate(whole) if _source(c) == source]
    cited = sorted({n for t in targets for n in _cited(t) if n < len(whole)} - set(its))
    kept = [*its, *cited]
    places = {old: new for new, old in enumerate(kept)}
    moved = targets if len(kept) == len(whole) else [_moved(t, places) for t in targets]
    states = {state: sum(t["state"] == state for t in targets) for state in shape.STATES}
    packets = sum(whole[n]["packets"] for n in its)
    counted = {"targets": len(targets), "states": states, "captures": len(its), "packets": packets, "seconds": 0}
    part = {**document, "captures": [whole[n] for n in kept], "targets": moved, "summary": counted, "errors": []}
    return Account(
        kind=rows.kind_of(whole[its[0]]),
        file=whole[its[0]]["file"],
        sha256=source[0],
        document=part,
        vantage=_vantage(whole[its[0]]["vantage"]),
        captures=tuple(captures[n] if n < len(captures) else None for n in kept),
    )


def _vantage(told: Document) -> Vantage:
    return vantage_fields.vantage(told, strict=False)


def _moved(told: Any, places: dict[int, int]) -> Any:
    """The same with indices of captures in their new places."""
    if isinstance(told, list):
        return [_moved(value, places) for value in told]
    if not isinstance(told, dict):
        return told
    out = {key: _moved(value, places) if isinstance(value, (dict, list)) else value for key, value in told.items()}
    if isinstance(out.get("capture"), int):
        out["capture"] = places.get(out["capture"])
    return out
