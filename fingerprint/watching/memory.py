"""What a watch has to know after a crash or a reboot, in a small file of its own beside the accounts."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from captures.errors import CaptureError, TargetError
from fingerprint.store.entry import digest
from fingerprint.watching.schedule import Schedule

SCHEMA = "fingerprint/watch/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """``asked`` is everything that makes it this watch; ``last`` the round that began last, -1 before any did.

    ``under_way`` is true from a round's beginning until what came of it is kept.
    """

    asked: Mapping[str, Any]
    schedule: Schedule
    last: int = -1
    under_way: bool = False

    @property
    def name(self) -> str:
        """A short word for this watch."""
        return digest(self.asked)[:8]


def path_of(store: Path, asked: Mapping[str, Any]) -> Path:
    """Where the memory of a watch lies."""
    return store / f"watch-{digest(asked)[:8]}.json"


def recall(store: Path, asked: Mapping[str, Any]) -> Memory | None:
    """The memory of this very watch; None if it never began. Raises CaptureError for a file that is none."""
    path = path_of(store, asked)
    try:
        told = json.loads(path.read_bytes())
        if told["schema"] != SCHEMA:
            raise ValueError(f"its schema is {told['schema']!r}")  # noqa: TRY301  # one sentence for whatever it is
        return Memory(
            asked=told["asked"], schedule=Schedule(**told["schedule"]), last=told["last"], under_way=told["under_way"]
        )
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise CaptureError(f"{path} is no memory of a watch ({error}); move it away to begin anew") from None


def remember(store: Path, memory: Memory) -> None:
    """Write it in one piece and onto the disk: whoever looks finds this or the one before."""
    path = path_of(store, memory.asked)
    told = {"schema": SCHEMA, **asdict(memory), "asked": dict(memory.asked)}
    half = path.with_name(path.name + ".part")
    try:
        # For its owner's eyes alone: it says what was asked for on this line.
        descriptor = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(json.dumps(told, indent=1, ensure_ascii=False) + "\n")
            file.flush()
            os.fsync(file.fileno())
        half.replace(path)
    except OSError as error:
        raise TargetError(f"--store {store}: {error.strerror}; make room there, or name another folder") from None


def resumed(memory: Memory | None, fresh: Memory, now_ns: int) -> tuple[Memory, bool]:
    """The memory to go on with, and whether that is an older one.

    A watch that has ended begins anew. Where it ends is as it is said now; when it began, and by chance, as then.
    """
    if memory is None:
        return fresh, False
    schedule = replace(memory.schedule, rounds=fresh.schedule.rounds, for_s=fresh.schedule.for_s)
    ended = not schedule.exists(memory.last + 1) or not schedule.exists(
        int((now_ns - schedule.began_ns) / 1e9 / schedule.every_s)
    )
    return (fresh, False) if ended else (replace(memory, schedule=schedule), True)


@contextlib.contextmanager
def alone(store: Path, asked: Mapping[str, Any]) -> Iterator[None]:
    """Nobody else runs this watch meanwhile. Raises TargetError if somebody does; a crash leaves nothing behind."""
    descriptor = os.open(path_of(store, asked).with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise TargetError(
            f"this very watch is running already in {store}; end it first, or name another folder"
        ) from None
    try:
        yield
    finally:
        os.close(descriptor)
