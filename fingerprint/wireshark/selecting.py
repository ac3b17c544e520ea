"""Captures read with tshark's help: conversations picked by a display filter, sessions opened by a key log."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import captures
from captures.errors import CaptureError, TargetError
from captures.part import only
from captures.recording import Recording
from fingerprint.excerpts import belonging
from fingerprint.technique import Quality
from fingerprint.verdict.model import Report
from fingerprint.wireshark.keylog import Keylog, read
from fingerprint.wireshark.opened import opened


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads a capture with nothing in sight but what a filter picks, and with what a key log opens; numbers stay."""

    display_filter: str | None
    keylog: Keylog | None

    def __call__(self, file: str, index: int) -> Recording:
        """As `captures.read`. Raises CaptureError also if nothing is picked, TargetError for a filter that is none."""
        recording = captures.read(file, index=index)
        if file == "-":
            raise TargetError("-Y and --keylog need a file that tshark can read too; write standard input to one first")
        if self.keylog is not None:
            recording = opened(recording, Path(file), self.keylog)
        if self.display_filter is not None:
            recording = by_display_filter(recording, Path(file), self.display_filter)
        return recording


def reader(display_filter: str | None, keylog: Path | None) -> Callable[[str, int], Recording] | None:
    """What reads captures that way; None where nothing is asked for. Raises TargetError for what is no key log."""
    if display_filter is None and keylog is None:
        return None
    return Reader(display_filter, read(keylog) if keylog else None)


def told(report: Report, display_filter: str | None) -> Report:
    """The report, saying of each capture that not all of it was looked at."""
    if display_filter is None:
        return report
    partly = Quality(issue="selected", detail=f"only conversations that match the display filter {display_filter}")
    return replace(report, captures=tuple(replace(c, quality=(*c.quality, partly)) for c in report.captures))


def by_display_filter(recording: Recording, file: Path, display_filter: str) -> Recording:
    """The conversations in which some packet matches, whole, with the answers that led to them and errors about them.

    Raises TargetError with tshark's own words for a filter that it rejects, CaptureError if nothing matches or tshark
    cannot read the file, PrivilegeError without tshark.
    """
    from fingerprint.wireshark import shark

    numbers = shark.matching(file, display_filter)
    held = [n for n in numbers if n <= len(recording.columns)]
    if not held:
        raise CaptureError(f"{recording.file}: no packet matches the display filter {display_filter}")
    return only(recording, belonging.with_belongings(recording, belonging.whole(recording, held)))
