"""The second opinion on one file: its report, our facts and Wireshark's, and where they part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import captures
from captures.errors import CaptureError, TargetError
from captures.recording import Recording
from fingerprint.capture import Capture
from fingerprint.crosscheck import claims, comparing, facts, wireshark
from fingerprint.crosscheck.comparing import AGREE, DISAGREE, NOT_AVAILABLE, Compared
from fingerprint.crosscheck.facts import Facts
from fingerprint.wireshark import keylog as keylogs
from fingerprint.wireshark import shark


@dataclass(frozen=True, slots=True, kw_only=True)
class Opinion:
    """What came of a comparison. ``complaints`` are what tshark said of the file, and what was left out."""

    file: str
    sha256: str
    version: str  # of tshark
    packets: int  # cited and compared
    compared: tuple[Compared, ...]
    complaints: tuple[str, ...]

    def of(self, outcome: comparing.Outcome) -> tuple[Compared, ...]:
        """The comparisons that came out so."""
        return tuple(c for c in self.compared if c.outcome == outcome)

    @property
    def agrees(self) -> bool:
        """Something was compared, and nothing disagrees."""
        return bool(self.of(AGREE)) and not self.of(DISAGREE)


def opinion(
    path: Path, document: Any, *, ours: Mapping[int, Facts] | None = None, keylog: Path | None = None
) -> Opinion:
    """Compares what a report's verdicts rest on with Wireshark's reading of the same packets.

    ``ours`` are facts to compare instead of those that we read. With ``keylog`` Wireshark looks inside TLS, too,
    and what only it shows there is not available for comparison. Raises CaptureError for a file that either of the two
    cannot read or that cites nothing, TargetError for the report of another file, PrivilegeError without tshark.
    """
    shark.found()
    recording = captures.read(path)
    mine = claims.of_file(document, recording.sha256)
    numbers = claims.cited(document, mine)
    _check(recording, numbers)
    complaints = list(recording.errors)
    if keylog is not None:
        complaint = keylogs.read(keylog).complaint(Capture(recordings=(recording,)))
        complaints += [complaint] if complaint else []
    if len(numbers) > claims.MOST_PACKETS:
        complaints.append(
            f"{path.name}: {len(numbers)} packets are cited; the first {claims.MOST_PACKETS} are compared"
        )
    numbers = numbers[: claims.MOST_PACKETS]
    seen = shark.dissect(path, numbers, protocols=("communityid",), keylog=keylog)
    theirs = {number: wireshark.values(layers) for number, layers in seen.frames.items()}
    addresses = {number: wireshark.addresses(layers) for number, layers in seen.frames.items()}
    read = facts.of_frames(recording, numbers) if ours is None else ours
    told = dict.fromkeys(claims.claims(document, mine))
    compared = (
        *comparing.compare(read, theirs),
        *(claims.compare(claim, theirs, addresses) for claim in told),
    )
    return Opinion(
        file=recording.file,
        sha256=recording.sha256,
        version=seen.version,
        packets=len(numbers),
        compared=compared,
        complaints=(*complaints, *seen.complaints),
    )


def _check(recording: Recording, numbers: list[int]) -> None:
    """Raises CaptureError if there is nothing to compare, TargetError if a packet does not exist."""
    if not numbers:
        raise CaptureError(f"{recording.file}: the verdict cites no packet, so there is nothing to compare")
    beyond = [n for n in numbers if type(n) is not int or not 1 <= n <= len(recording.columns)]
    if beyond:
        raise TargetError(
            f"the report cites packet {beyond[0]} of {recording.file}, which has {len(recording.columns)}"
        )


__all__ = ["AGREE", "DISAGREE", "NOT_AVAILABLE", "Opinion", "opinion"]
