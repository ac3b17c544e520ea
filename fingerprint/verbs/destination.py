"""Where a result goes: into a folder that is there, and never over what it was made of. The same for every verb."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

from captures.errors import TargetError
from captures.files import is_capture
from fingerprint.terminal import clean


def check(option: str, path: Path | None, sources: Iterable[str] = ()) -> None:
    """Raises TargetError if nothing can be written there, or a source or a capture would be lost."""
    if path is None:
        return
    if str(path) == "-":
        raise TargetError(f"{option} -: without {option} it goes to standard output already; leave it out")
    if not path.absolute().parent.is_dir():
        raise TargetError(f"{option} {path}: there is no folder {path.parent}; make it first")
    if path.is_dir():
        raise TargetError(f"{option} {path}: is a folder; name a file in it")
    if is_capture(path):
        raise TargetError(f"{option} {path}: is a capture, which would be lost; choose another name")
    if any(same(path, source) for source in sources):
        raise TargetError(f"{option} {path}: is read here, and would be lost; choose another name")


def tell(path: Path) -> None:
    """Say on standard error that a file was written."""
    sys.stderr.write(f"wrote {clean(str(path))}\n")


def same(path: Path, source: str) -> bool:
    """Whether both are one regular file; a pipe or a terminal may be both."""
    there = Path(source)
    return path.is_file() and there.is_file() and path.samefile(there)
