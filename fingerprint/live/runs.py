"""The files of a run: capture and script, made together, written through open descriptors, and deleted together.

Where somebody said at which vantage it is taken, a sidecar beside them says so too. All are made before privileges are
dropped and never overwrite anything. The script says from the beginning that the run was cut short; only a run that
ends takes that back.
"""

from __future__ import annotations

import contextlib
import os
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from captures.errors import TargetError
from fingerprint import script as scripts
from fingerprint.script import Script
from fingerprint.vantages import given as vantage_given
from fingerprint.vantages.vantage import Vantage

# What a script says until its run has ended.
CUT_SHORT = "the run ended without a word: it was killed, or the machine went down"
# Set aside for the script, so that on a full disk there is room to say at least that it is full.
RESERVED_BYTES = 1 << 16
# The section header of every recording that we write names its writer, on a real line or on the laboratory's.
OURS = (b"censorship-fingerprint", b"simulated path")
HEAD_BYTES = 4096


def default_path(target: str, now: datetime | None = None) -> Path:
    """In the current folder, after the target and the time: ``forum.test-20261124T231500Z.pcapng``."""
    word = re.sub(r"[^A-Za-z0-9.-]+", "_", target).strip("._-") or "run"
    return Path(f"{word}-{(now or datetime.now(UTC)).strftime('%Y%m%dT%H%M%SZ')}.pcapng")


def check_free(capture: Path, vantage: Vantage = vantage_given.NOTHING) -> None:
    """Raises TargetError if the run's files cannot be made there, or would overwrite something."""
    if not capture.name.split(".pcap")[0]:
        raise TargetError(f"-w {capture}: want a file name such as run.pcapng")
    if not capture.parent.is_dir():
        raise TargetError(f"-w {capture}: there is no folder {capture.parent}; make it first")
    told = [vantage_given.sidecar_of(capture, ending) for ending in vantage_given.SIDECARS]
    for path in (capture, scripts.path_of(capture), *(told if vantage != vantage_given.NOTHING else ())):
        if os.path.lexists(path):
            raise TargetError(f"{path} is there already and is not overwritten; choose another name with -w")


@dataclass(slots=True, kw_only=True)
class RunFiles:
    """The open files of a run."""

    capture: Path
    script: Path
    capture_descriptor: int
    script_descriptor: int
    sidecar_descriptor: int | None = None  # where nobody said where it is taken there is none
    _told_bytes: int = 0

    def hand_over(self, uid: int, gid: int) -> None:
        """They belong to that account from here on."""
        for descriptor in (self.capture_descriptor, self.script_descriptor, self.sidecar_descriptor):
            if descriptor is not None:
                os.fchown(descriptor, uid, gid)

    def note(self, script: Script) -> str:
        """Write the script over the one before. Returns why that failed, empty if it did not.

        Where there is no room for it, what was set aside holds a script without its steps.
        """
        try:
            self._put(scripts.text(script))
        except OSError as error:
            why = f"the script cannot be written ({error.strerror}); free some space and run it again"
            self._put(scripts.text(replace(script, steps=(), partial=script.partial or why)))
            return why
        return ""

    def _put(self, text: str) -> None:
        """In place: the folder need not be writable. White space after a document is none of its content."""
        told = text.encode()
        room = os.fstat(self.script_descriptor).st_size
        padded = told + b" " * (room - len(told) - 1) + b"\n" if room > len(told) else told
        at = 0
        while at < len(padded):
            at += os.pwrite(self.script_descriptor, padded[at:], at)
        os.fsync(self.script_descriptor)
        self._told_bytes = len(told)

    def close(self) -> None:
        """No more is written; what was set aside and not used is given back."""
        os.ftruncate(self.script_descriptor, self._told_bytes)
        for descriptor in (self.capture_descriptor, self.script_descriptor, self.sidecar_descriptor):
            if descriptor is not None:
                os.close(descriptor)


def create(capture: Path, vantage: Vantage = vantage_given.NOTHING) -> RunFiles:
    """Make the files, for their owner's eyes alone. Raises TargetError if one is there, OSError if it cannot be.

    The sidecar is written at once, and only where there is something to say in it.
    """
    check_free(capture, vantage)
    script = scripts.path_of(capture)
    sidecar = None if vantage == vantage_given.NOTHING else vantage_given.sidecar_of(capture)
    opened: dict[Path, int] = {}
    try:
        for path in (capture, script, *([sidecar] if sidecar else ())):
            opened[path] = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        os.posix_fallocate(opened[script], 0, RESERVED_BYTES)
        if sidecar:
            os.write(opened[sidecar], vantage_given.text(vantage).encode())
    except OSError:
        for path, descriptor in opened.items():
            os.close(descriptor)
            path.unlink()
        raise
    return RunFiles(
        capture=capture,
        script=script,
        capture_descriptor=opened[capture],
        script_descriptor=opened[script],
        sidecar_descriptor=opened[sidecar] if sidecar else None,
    )


def belongings(run: Path) -> tuple[Path, ...]:
    """The files of a run that exist, named by its capture or its script. Raises TargetError for what is no run.

    Only what this tool wrote is one: a capture whose header names it as the writer, with a script beside it.
    """
    capture = _capture_of(run)
    script = scripts.path_of(capture)
    half = script.with_name(script.name + ".part")
    found = tuple(path for path in (capture, script, half) if path.is_file() and not path.is_symlink())
    if not found:
        raise TargetError(f"{run}: there is no such run; name its capture, for example run.pcapng")
    if capture in found and not ours(capture):
        raise TargetError(f"{capture} was not recorded by this tool and is left alone; delete it yourself")
    if script in found:
        try:
            scripts.read(script)
        except ValueError:
            if capture not in found:
                raise TargetError(f"{script} is no script of a run and is left alone; delete it yourself") from None
    elif capture in found:
        raise TargetError(f"{capture} has no script beside it, so it is no run; delete it yourself")
    sidecar = vantage_given.sidecar_of(capture)
    return (*found, sidecar) if sidecar.is_file() and not sidecar.is_symlink() else found


def _capture_of(run: Path) -> Path:
    if not run.name.endswith(".script.json"):
        return run
    stem = run.name.removesuffix(".script.json")
    places = [run.with_name(stem + ending) for ending in (".pcapng", "")]
    return next((place for place in places if place.is_file()), places[0])


def ours(capture: Path) -> bool:
    """Whether this tool wrote the recording; an empty file is one that was killed before it began."""
    with capture.open("rb") as file:
        head = file.read(HEAD_BYTES)
    return not head or any(writer in head for writer in OURS)


def forget(run: Path) -> tuple[Path, ...]:
    """Delete a run, nothing else. Returns what was deleted. Raises TargetError for what is no run."""
    found = belongings(run)
    for path in found:
        path.unlink()
    return found


def discard(run: Path) -> None:
    """Delete what there is of a run that was never meant to stay; what cannot be deleted stays without a word."""
    with contextlib.suppress(TargetError, OSError):
        forget(run)
