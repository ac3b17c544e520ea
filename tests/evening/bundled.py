"""The bundle of the evening, and what must be found in it."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from fingerprint.accounts import Account
from fingerprint.accounts.captured import Judging, accounts
from fingerprint.lab.evening.timetable import S, evening
from fingerprint.plugins import registry

FOLDER = Path(str(files("captures"))) / "evening"
EXPECTED: dict[str, Any] = json.loads((FOLDER / "expected.json").read_text(encoding="utf-8"))
BLOCKED, DOWN = EXPECTED["blocked"], EXPECTED["down"]
NAMES = tuple(evening().names)
# Midnight of 17 May 2020, UTC.
MIDNIGHT_NS = 1_589_673_600 * S


def clock(text: str) -> int:
    """``17:20`` as nanoseconds since the epoch."""
    hour, minute = text.split(":")
    return MIDNIGHT_NS + (int(hour) * 60 + int(minute)) * 60 * S


def round_of(account: Account) -> int:
    """When the round of an account began, by its file's name."""
    return clock(f"{account.file[11:13]}:{account.file[13:15]}")


def wanted(vantage: str, round_ns: int, name: str) -> tuple[str, str | None]:
    """State and mechanism by the hand-written expectations."""
    cell = BLOCKED["cells"].get(vantage, {}).get(name)
    if cell and clock(BLOCKED["first"]) <= round_ns <= clock(BLOCKED["last"]):
        return "blocked", str(cell["mechanism"])
    if name in DOWN["targets"] and clock(DOWN["first"]) <= round_ns <= clock(DOWN["last"]):
        return "down", None
    return "ok", None


def told(account: Account) -> dict[str, tuple[str, str | None]]:
    """State and most probable mechanism of each name of the evening."""
    return {
        t["target"]: (t["state"], t["mechanisms"][0]["mechanism"] if t["mechanisms"] else None)
        for t in account.document["targets"]
        if t["target"] in NAMES
    }


@cache
def kept() -> tuple[Path, ...]:
    """The captures of the bundle."""
    return tuple(sorted(FOLDER.glob("*.pcapng.xz")))


@cache
def judged(capture: Path) -> Account:
    """A capture, judged now."""
    (account,), problems = accounts(str(capture), Judging(registry=registry.load()))
    assert not problems
    return account
