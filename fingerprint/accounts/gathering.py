"""Whatever was named on the command line → accounts: captures, reports, stores, OONI's files, what people told.

What a file is, its content says, never its name alone. Of two accounts of one capture the first counts, and the second
is named: nothing is counted twice, nothing is joined in silence.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from captures.errors import CaptureError, TargetError
from fingerprint.accounts import PACKETS, Account, Problem
from fingerprint.accounts.captured import Found, Judging

# Files that lie beside captures and reports and are read with them, or are of no account.
COMPANIONS = (".script.json", ".vantage.toml", ".vantage.json", ".md", ".txt", ".html", ".csv", ".parquet", ".keys")
MANIFEST = "vantages.toml"
# So many strangers of a folder are named.
NAMED = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of source: how it is recognised, and who reads it."""

    name: str
    fits: Callable[[Path], bool]
    read: Callable[[Path], Found]


def gather(
    paths: Sequence[str], *, how: Judging, jobs: int | None = None
) -> tuple[tuple[Account, ...], tuple[Problem, ...]]:
    """The accounts of all paths in their order, folders sorted, and what was left out, mended or doubted.

    Raises TargetError if no path is given.
    """
    if not paths:
        raise TargetError("name captures, reports or folders of them; a store is a folder too")
    if list(paths).count("-") > 1:
        raise TargetError("standard input (-) can be read once only")
    sources, strangers = _sources(paths)
    found: list[Found] = [((), ())] * len(sources)
    for n, (source, kind) in enumerate(sources):
        if kind is not None:
            found[n] = _read(kind, Path(source))
    captured = [n for n, (_, kind) in enumerate(sources) if kind is None]
    if captured:
        from fingerprint.accounts import captured as captures

        judged = captures.each([sources[n][0] for n in captured], how, jobs)
        for n, made in zip(captured, judged, strict=True):
            found[n] = made
    accounts, overlaps = once([a for made, _ in found for a in made])
    return accounts, (*(p for _, problems in found for p in problems), *strangers, *overlaps)


def kinds() -> tuple[Kind, ...]:
    """Every kind but captures, in the order in which a path is tried."""
    from fingerprint.accounts import ooni, reports, stored, told
    from fingerprint.store import is_store

    return (
        Kind(name="store", fits=lambda path: path.is_dir() and is_store(path), read=stored.accounts),
        Kind(name="store", fits=_is_store_file, read=stored.accounts),
        Kind(name="told", fits=told.is_told, read=told.accounts),
        Kind(name="report", fits=reports.is_report, read=reports.accounts),
        Kind(name="incident", fits=_is_incident, read=_no_account),
        Kind(name="ooni", fits=_may_be_json(ooni.is_ooni), read=ooni.accounts),
    )


Source = tuple[str, Kind | None]  # a path, and its kind; none: a capture


def _sources(paths: Iterable[str]) -> tuple[list[Source], list[Problem]]:
    """Everything that is to be read, each once, and what in folders is of no kind."""
    table = kinds()
    sources: dict[str, Kind | None] = {}
    strangers = []
    for path in paths:
        folder = Path(path)
        if path != "-" and folder.is_dir() and not _kind(folder, table):
            within, left = _folder(folder, table)
            sources.update({file: kind for file, kind in within if file not in sources})
            if left:
                more = f" and {len(left) - NAMED} more" if len(left) > NAMED else ""
                says = f"of no kind that is read, and left out: {', '.join(left[:NAMED])}{more}"
                strangers.append(Problem(file=folder.name or path, says=says))
            continue
        for file in _globbed(path):
            sources.setdefault(file, None if file == "-" else _kind(Path(file), table))
    return list(sources.items()), strangers


def _kind(path: Path, table: Sequence[Kind]) -> Kind | None:
    return next((kind for kind in table if kind.fits(path)), None)


def _folder(folder: Path, table: Sequence[Kind]) -> tuple[list[Source], list[str]]:
    """What of a folder is read, and the names of what is not."""
    captured = set(_captures([str(folder)]))
    within: list[Source] = []
    left = []
    for file in _below(folder, table):
        kind = _kind(Path(file), table)
        if kind or file in captured:
            within.append((file, kind))
        elif not _is_companion(file):
            left.append(str(Path(file).relative_to(folder)))
    return within, left


def _captures(paths: Sequence[str]) -> tuple[str, ...]:
    import captures

    try:
        return captures.inputs(paths)
    except CaptureError:
        return ()


def _globbed(path: str) -> Sequence[str]:
    """A pattern that is no file stands for those that it matches; what is not there is left for its reader to miss."""
    return [path] if path == "-" or Path(path).exists() else _captures([path]) or [path]


def _below(folder: Path, table: Sequence[Kind]) -> Iterator[str]:
    """Files below a folder, sorted, hidden ones skipped; a store among them as a whole."""
    for root, folders, files in os.walk(folder):
        stores = sorted(name for name in folders if _kind(Path(root) / name, table))
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in stores)
        yield from (str(Path(root) / name) for name in stores)
        yield from (str(Path(root) / name) for name in sorted(files) if not name.startswith("."))


def _is_companion(file: str) -> bool:
    return file.endswith(COMPANIONS) or Path(file).name == MANIFEST


def _read(kind: Kind, path: Path) -> Found:
    """The accounts of one source; a file that cannot be read is a problem, never the end of all others."""
    try:
        return kind.read(path)
    except CaptureError as error:
        return (), (Problem(file=path.name, says=str(error)),)


def _is_store_file(path: Path) -> bool:
    from fingerprint.store import FILE, SCHEMA

    if path.is_dir() or path.suffix != ".jsonl":
        return False
    return path.name == FILE or SCHEMA.encode() in _start(path)


def _is_incident(path: Path) -> bool:
    return path.is_file() and path.suffix == ".json" and b'"fingerprint/incident/' in _start(path)


def _no_account(path: Path) -> Found:
    says = f"{path.name} is an incident, made of accounts and none itself; give it with --compare"
    return (), (Problem(file=path.name, says=says),)


def _may_be_json(fits: Callable[[Path], bool]) -> Callable[[Path], bool]:
    """Asked only of names that such files have: opening every capture as JSON would be slow."""
    endings = tuple(f".{kind}{packed}" for kind in ("json", "jsonl") for packed in ("", ".gz", ".xz", ".zst"))
    return lambda path: path.is_file() and path.name.endswith(endings) and fits(path)


def _start(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(4096)
    except OSError:
        return b""


def once(accounts: Iterable[Account]) -> tuple[tuple[Account, ...], tuple[Problem, ...]]:
    """Accounts of one capture and time counted once: with packets at hand before mere reports, else the first.

    Accounts without packets are one a vantage, for one file may tell of many.
    """
    kept: list[Account] = []
    by_hash: dict[str, list[int]] = {}
    problems = []
    for account in accounts:
        places = by_hash.setdefault(account.sha256, [])
        other = next((n for n in places if _same(kept[n], account)), None)
        if other is None:
            places.append(len(kept))
            kept.append(account)
            continue
        if any(account.captures) and not any(kept[other].captures):
            kept[other] = account
        says = f"{account.file} was named twice, or is in two of the sources; it is counted once"
        problems.append(Problem(file=account.file, says=says))
    return tuple(kept), tuple(dict.fromkeys(problems))


def _same(one: Account, other: Account) -> bool:
    if one.kind != PACKETS:
        return one.vantage.key == other.vantage.key
    a, b = _parts(one), _parts(other)
    if not a or not b:
        return True
    return any(x[0] < y[1] and y[0] < x[1] for x in a for y in b)


def _parts(account: Account) -> list[tuple[str, str]]:
    """From when to when the parts of a long capture are that it was judged in; none of a whole one."""
    parts = [c.get("part") for c in account.document["captures"]]
    return [(p[0], p[1]) for p in parts] if all(parts) else []
