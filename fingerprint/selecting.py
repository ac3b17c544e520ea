"""Conversations picked by a display filter of Wireshark's: what it matches, whole, with what belongs to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import captures
from captures.errors import CaptureError, TargetError
from captures.part import only
from captures.recording import Recording
from fingerprint import belonging
from fingerprint.technique import Quality
from fingerprint.verdict.model import Report


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads a capture with nothing in sight but what a display filter picks; the numbers of packets stay."""

    display_filter: str

    def __call__(self, file: str, index: int) -> Recording:
        """As `captures.read`. Raises CaptureError also if nothing is picked, TargetError for a filter that is none."""
        return by_display_filter(captures.read(file, index=index), file, self.display_filter)


def reader(display_filter: str) -> Callable[[str, int], Recording]:
    """What reads captures through that filter."""
    return Reader(display_filter)


def told(report: Report, display_filter: str | None) -> Report:
    """The report, saying of each capture that not all of it was looked at."""
    if display_filter is None:
        return report
    partly = Quality(issue="selected", detail=f"only conversations that match the display filter {display_filter}")
    return replace(report, captures=tuple(replace(c, quality=(*c.quality, partly)) for c in report.captures))


def by_display_filter(recording: Recording, file: str, display_filter: str) -> Recording:
    """The conversations in which some packet matches, whole, with the answers that led to them and errors about them.

    Raises TargetError with tshark's own words for a filter that it rejects, CaptureError if nothing matches or tshark
    cannot read the file, PrivilegeError without tshark.
    """
    from fingerprint.crosscheck import shark

    if file == "-":
        raise TargetError("-Y needs a file that tshark can read too; write standard input to one first")
    numbers = shark.matching(Path(file), display_filter)
    held = [n for n in numbers if n <= len(recording.columns)]
    if not held:
        raise CaptureError(f"{recording.file}: no packet matches the display filter {display_filter}")
    return only(recording, belonging.with_belongings(recording, belonging.whole(recording, held)))
