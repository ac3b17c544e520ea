"""The annotated capture: the conversations that a verdict rests on, cut out of a capture, and every cited packet named.

A comment begins with ``fingerprint: `` and the packet's number in the original, so that one display filter finds them
and every sentence of a report can be followed. What is cut must say the same when it is judged again; where a few
conversations do not, for want of a control, more of the capture is kept, and the first line of the file says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import IO

import numpy as np

from captures.recording import Recording
from captures.write import Frame, Link, Writer
from fingerprint import __version__
from fingerprint.excerpts.belonging import Rows
from fingerprint.terminal import clean
from fingerprint.verdict.model import Report, Verdict, Weighed

# What every comment begins with; a display filter of users depends on it: frame.comment contains "fingerprint: ".
BEGINS = "fingerprint: "
TOOL = f"censorship-fingerprint {__version__}"
# A packet that decides everything is cited by many sentences; Wireshark shows a list, and the report has them all.
MOST_COMMENTS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Original:
    """The capture that a file is cut from."""

    recording: Recording
    kept: str  # which part of it, in half a sentence


def deciding(report: Report) -> tuple[Verdict, ...]:
    """The verdicts that a file of evidence is about: what does not work, or everything where all does."""
    failing = tuple(v for v in report.verdicts if v.state != "ok")
    blocked = tuple(v for v in failing if v.state == "blocked")
    return blocked or failing or report.verdicts


def weighed(verdict: Verdict) -> Iterator[tuple[str, Weighed]]:
    """The evidence of a verdict, each with what it speaks for: a mechanism, or the state."""
    for mechanism in verdict.mechanisms:
        yield from ((mechanism.node, w) for w in mechanism.evidence)
    if verdict.cause is not None:
        yield from ((verdict.state, w) for w in verdict.cause.evidence)


def cited(verdicts: Sequence[Verdict], capture: int) -> list[int]:
    """The packets of one capture that these verdicts rest on, and those that only follow from them, in order."""
    found = {c.number for v in verdicts for _, w in weighed(v) for c in w.evidence.packets if c.capture == capture}
    found |= {c.number for v in verdicts for _, packets in v.consequences for c in packets if c.capture == capture}
    found |= {
        c.number for v in verdicts for _, finding in v.inconclusive for c in finding.packets if c.capture == capture
    }
    return sorted(found)


def comments(report: Report, original: Recording) -> Mapping[int, tuple[str, ...]]:
    """What to write at each cited packet, by its number in the original."""
    out: dict[int, dict[str, None]] = {}
    for verdict in deciding(report):
        for speaks_for, w in weighed(verdict):
            for number in (c.number for c in w.evidence.packets if c.capture == original.index):
                forged = (original.index, number) in w.evidence.forged
                says = f"{verdict.target} {speaks_for}: {w.evidence.says}{' (forged)' if forged else ''}"
                out.setdefault(number, {})[says] = None
        for says, packets in verdict.consequences:
            for number in (c.number for c in packets if c.capture == original.index):
                out.setdefault(number, {})[f"{verdict.target} follows: {says}"] = None
    return {
        number: tuple(
            f"{BEGINS}frame {number} of {clean(original.file)}: {clean(s)}" for s in list(told)[:MOST_COMMENTS]
        )
        for number, told in out.items()
    }


def write(file: IO[bytes], original: Original, rows: Rows, notes: Mapping[int, Sequence[str]]) -> int:
    """Write the rows of a recording as pcapng, in their order, with their interfaces, times and lengths.

    The recorder went on until the original ended, so the silence after the last packet kept is witnessed still; it lost
    what it lost. Returns how many packets were written.
    """
    recording, c = original.recording, original.recording.columns
    links = [
        Link(link_type=max(i.link_type, 0), name=i.name, snaplen_bytes=i.snaplen_bytes) for i in recording.interfaces
    ]
    about = (
        f"{BEGINS}cut from {clean(recording.file)} by {TOOL}, SHA-256 of the original {recording.sha256}",
        f"{BEGINS}{int(rows.sum())} of its {len(c)} packets are kept: {original.kept}",
    )
    writer = Writer(file, links=links, application=TOOL, comments=about)
    for row in np.flatnonzero(rows).tolist():
        writer.frame(
            Frame(
                content=recording.frame(row),
                time_ns=max(0, int(c.time_ns[row])),
                wire_bytes=int(c.wire_bytes[row]),
                interface=int(c.interface[row]),
                comments=tuple(notes.get(row + 1, ())),
            )
        )
    if writer.count:
        _statistics(writer, recording, rows)
    return writer.count


def _statistics(writer: Writer, recording: Recording, rows: Rows) -> None:
    c = recording.columns
    held = np.bincount(c.interface[rows], minlength=len(recording.interfaces)).tolist()
    began_ns, ended_ns = max(0, int(c.time_ns.min())), max(0, recording.ended_ns)
    for number, interface in enumerate(recording.interfaces):
        lost = interface.dropped_pkts
        writer.statistics(
            interface=number,
            received_pkts=held[number] + (lost or 0),
            dropped_pkts=lost,
            began_ns=began_ns,
            ended_ns=ended_ns,
        )
