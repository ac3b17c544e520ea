"""Which captures of a watch stay: those that found something, the last so many, all, or none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from captures.errors import TargetError
from fingerprint.live import runs

# Worth keeping: what a person will want to look at again.
FINDINGS = ("blocked", "down")


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """``last`` is how many stay whatever they found, None for all; ``findings`` if those that found something do."""

    last: int | None
    findings: bool


WORDS = {
    "findings": Policy(last=0, findings=True),
    "all": Policy(last=None, findings=True),
    "none": Policy(last=0, findings=False),
}


def policy(word: str) -> Policy:
    """``findings``, ``all``, ``none`` or a number. Raises TargetError for anything else."""
    if word in WORDS:
        return WORDS[word]
    if word.isascii() and word.isdecimal() and int(word):
        return Policy(last=int(word), findings=False)
    raise TargetError(f"--keep {word}: want {', '.join(WORDS)} or a number of captures")


def path(folder: Path, target: str, now_ns: int, watch: str) -> Path:
    """``forum.test-20261124T231500Z-1a2b3c4d.pcapng``: names of one watch sort by time."""
    named = runs.default_path(target, datetime.fromtimestamp(now_ns / 1e9, UTC))
    return folder / f"{named.stem}-{watch}{named.suffix}"


def surplus(of: Policy, capture: Path, document: dict[str, Any] | None, watch: str) -> Iterator[Path]:
    """The captures to delete after a round."""
    if of.last is None or (of.findings and document and found_something(document)):
        return
    if not of.last:
        yield capture
        return
    yield from sorted(capture.parent.glob(f"*-{watch}{capture.suffix}"), key=when)[: -of.last]


def when(capture: Path) -> str:
    """The time in a capture's name, by which captures of one watch are sorted."""
    return capture.stem.rsplit("-", 2)[-2]


def found_something(document: dict[str, Any]) -> bool:
    """Whether anything was blocked or down."""
    return any(target["state"] in FINDINGS for target in document["targets"])
