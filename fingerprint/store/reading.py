"""Reads a store: every account that counts, once, and a sentence about everything that does not."""

from __future__ import annotations

import fcntl
import lzma
from collections.abc import Sequence
from pathlib import Path

from captures.errors import CaptureError
from fingerprint.accounts import Problem
from fingerprint.store.entry import SCHEMA, Entry, NewerError, read
from fingerprint.store.places import PACKED, file_of

# So many line numbers are named one by one.
TOLD = 5
LATER = "{where} was written by a later version ({schema}; this one knows {known}); install that version to read it"
UNREADABLE = "{lines} of {file} cannot be read ({why}) and {are} left out; the rest is whole"
TORN = "the last line of {file} is torn, as when a writer is killed, and is left out; what it was about is judged again"
OLDER = (
    "{lines} of {file} {are} of an older version (fingerprint/store/0: bare reports); {they} read as accounts of "
    "packets at the vantage that the report names, which is mostly none; say where with a manifest beside the captures"
)
TWICE = "{lines} of {file} repeat an account that stands above, and count once"
REPLACED = "{lines} of {file} judge captures that are judged again below; the later judgement counts"
OVERLAP = "{lines} of {file} share some of their captures with others, so what they say of those counts twice"


def entries(store: Path) -> tuple[tuple[Entry, ...], tuple[Problem, ...]]:
    """The accounts that count, in the order in which they were stored, and what was left out.

    Raises CaptureError if there is no store, or a later version wrote to it.
    """
    path = file_of(store)
    packed = path.with_name(PACKED)
    found, problems = _lines(packed) if packed.is_file() else ([], [])
    if path.exists() or not packed.is_file():
        more, further = _lines(path)
        found, problems = [*found, *more], [*problems, *further]
    once, twice = _once(found)
    kept, replaced, overlapping = _latest(once)
    older = [number for number, made in kept if made.version == 0]
    told = ((older, OLDER), (twice, TWICE), (replaced, REPLACED), (overlapping, OVERLAP))
    problems += [_problem(path, numbers, says) for numbers, says in told if numbers]
    return tuple(made for _, made in kept), tuple(problems)


Numbered = list[tuple[int, Entry]]


def content(path: Path) -> bytes:
    """All of the file, while nobody writes to it. Raises CaptureError if there is none."""
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH)
            return lzma.decompress(file.read()) if path.name == PACKED else file.read()
    except OSError as error:
        says = f"{path}: {error.strerror}; name the folder that --store was given"
        raise CaptureError(says) from None
    except lzma.LZMAError:
        raise CaptureError(f"{path} is no whole xz file; fetch it again") from None


def _lines(path: Path) -> tuple[Numbered, list[Problem]]:
    found: Numbered = []
    wrong: dict[str, list[int]] = {}
    problems = []
    lines = content(path).split(b"\n")
    for number, text in enumerate(lines, 1):
        if not text.strip():
            continue
        try:
            found.append((number, read(text, f"{path.name} line {number}")))
        except NewerError as error:
            where = f"{path} line {number}"
            raise CaptureError(LATER.format(where=where, schema=error, known=SCHEMA)) from None
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            if number == len(lines):  # it has no end
                problems.append(Problem(file=path.name, says=TORN.format(file=path.name)))
                continue
            wrong.setdefault(_why(error), []).append(number)
    for why, numbers in wrong.items():
        problems.append(_problem(path, numbers, UNREADABLE, why=why))
    return found, problems


def _why(error: Exception) -> str:
    """The reason in a few words; of broken JSON the place says nothing to a person."""
    said = str(error)
    return "it is no JSON" if isinstance(error, UnicodeDecodeError) or "char " in said else said


def _once(found: Numbered) -> tuple[Numbered, list[int]]:
    """The first line of every id, and the numbers of the others."""
    first: dict[str, tuple[int, Entry]] = {}
    twice = []
    for number, made in found:
        if made.id in first:
            twice.append(number)
        else:
            first[made.id] = (number, made)
    return list(first.values()), twice


def _latest(found: Numbered) -> tuple[Numbered, list[int], list[int]]:
    """Without judgements of captures that are all judged again later; and which share some of them."""
    seen: set[str] = set()
    kept, replaced, overlapping = [], [], []
    for number, made in reversed(found):
        again = [sha256 in seen for sha256 in made.captures]
        if again and all(again):
            replaced.append(number)
            continue
        if any(again):
            overlapping.append(number)
        seen.update(made.captures)
        kept.append((number, made))
    return kept[::-1], replaced[::-1], overlapping[::-1]


def _problem(path: Path, numbers: Sequence[int], says: str, **words: str) -> Problem:
    one = len(numbers) == 1
    words |= {"lines": _named(numbers), "file": path.name, "are": "is" if one else "are"}
    words["they"] = "it is" if one else "they are"
    return Problem(file=path.name, says=says.format(**words))


def _named(numbers: Sequence[int]) -> str:
    if len(numbers) == 1:
        return f"line {numbers[0]}"
    more = f" and {len(numbers) - TOLD} more" if len(numbers) > TOLD else ""
    return "lines " + ", ".join(map(str, numbers[:TOLD])) + more
