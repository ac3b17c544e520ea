"""Which files a command line means."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from captures.errors import CaptureError
from captures.records import pcap_order

# Endings under which captures are kept, before that of a compression. Files named outright may have any.
CAPTURE_SUFFIXES = (".pcap", ".pcapng", ".cap", ".dmp")
_COMPRESSED_SUFFIXES = (".gz", ".xz", ".zst")


def inputs(paths: Iterable[str | os.PathLike[str]]) -> tuple[str, ...]:
    """Files, directories (with all captures below them, sorted, hidden ones skipped) and globs as one list of files.

    ``-`` stays as it is, and a file that is named twice is listed once. Raises CaptureError for a glob or directory
    that holds no capture; a file that is not there is left for `read` to complain about.
    """
    found: dict[str, None] = {}
    for path in paths:
        found.update(dict.fromkeys(_expanded(os.fspath(path))))
    return tuple(found)


def _expanded(path: str) -> tuple[str, ...]:
    if path == "-":
        return (path,)
    if Path(path).is_dir():
        below = tuple(_below(Path(path)))
        if not below:
            raise CaptureError(f"{Path(path).name}: holds no file that ends like a capture; name the files themselves")
        return below
    if Path(path).exists() or not glob.has_magic(path):
        return (path,)
    matches = sorted(_matches(path))
    if not matches:
        raise CaptureError(f"{path}: matches no file; check the pattern")
    return tuple(file for match in matches for file in _expanded(match))


def _matches(pattern: str) -> list[str]:
    # Path.glob takes no absolute pattern, and users do.
    found = glob.glob(pattern, recursive=True)  # noqa: PTH207
    return [match for match in found if not _hidden(Path(match).name)]


def _below(folder: Path) -> Iterator[str]:
    for root, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not _hidden(name))
        for name in sorted(files):
            path = Path(root) / name
            if not _hidden(name) and (_named_like_a_capture(name) or _begins_like_a_capture(path)):
                yield str(path)


def is_capture(path: Path) -> bool:
    """Whether a file is there that ends or begins like a capture: what nobody wants to see overwritten."""
    return path.is_file() and (_named_like_a_capture(path.name) or _begins_like_a_capture(path))


def _hidden(name: str) -> bool:
    return name.startswith(".")


def _named_like_a_capture(name: str) -> bool:
    lower = name.lower()
    for suffix in _COMPRESSED_SUFFIXES:
        lower = lower.removesuffix(suffix)
    return lower.endswith(CAPTURE_SUFFIXES)


def _begins_like_a_capture(path: Path) -> bool:
    """Whether a file of any name starts with the magic number of pcap or pcapng."""
    if not path.is_file():  # opening a pipe would wait for its writer
        return False
    try:
        with path.open("rb") as file:
            start = file.read(4)
    except OSError:
        return False
    return start == b"\x0a\x0d\x0d\x0a" or pcap_order(start) is not None
