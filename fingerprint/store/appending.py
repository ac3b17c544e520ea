"""Adds a line to a store so that neither a crash nor a second writer can spoil another line."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from captures.errors import TargetError
from fingerprint.accounts import Account
from fingerprint.store.entry import Entry, entry, line
from fingerprint.store.places import file_of


def append(store: Path, account: Account, made_by: Mapping[str, Any] | None = None) -> Entry:
    """Add the account, and return it as it was stored; it is on the disk by then.

    The folder is made if need be. Raises TargetError if nothing can be written there.
    """
    made = entry(account, made_by)
    put(store, made)
    return made


def put(store: Path, made: Entry) -> None:
    """As `append`, for an entry that has its id already."""
    add(store, line(made))


def add(store: Path, text: bytes) -> None:
    """One whole line, its end included."""
    path = file_of(store)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with locked(path) as descriptor:
            text = _closing(descriptor) + text
            while text:
                text = text[os.write(descriptor, text) :]
            os.fsync(descriptor)
    except OSError as error:
        raise TargetError(f"--store {store}: {error.strerror}; make room there, or name another folder") from None


@contextlib.contextmanager
def locked(path: Path) -> Iterator[int]:
    """The file, open at its end, and nobody else writing to it. A new one is in its folder for good (fsync)."""
    new = not path.exists()
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
    descriptor = os.open(path, flags, 0o600)  # verdicts about a line are its owner's business
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if new:
            _sync_folder(path.parent)
        yield descriptor
    finally:
        os.close(descriptor)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _closing(descriptor: int) -> bytes:
    """The end of a line that somebody was killed over; nothing where the last one is whole."""
    size_bytes = os.fstat(descriptor).st_size
    torn = size_bytes > 0 and os.pread(descriptor, 1, size_bytes - 1) != b"\n"
    return b"\n" if torn else b""
