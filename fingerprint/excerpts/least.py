"""How much of a capture a verdict needs: as little as says the same when it is judged again."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import captures
from captures.errors import CaptureError, TargetError
from captures.recording import Recording
from fingerprint import engine, script
from fingerprint.capture import Capture
from fingerprint.excerpts import annotated as evidence_file
from fingerprint.excerpts import belonging
from fingerprint.excerpts.annotated import Original
from fingerprint.excerpts.belonging import Rows
from fingerprint.verdict.model import Report, Verdict

# Controls count within a minute of what they are compared with (the taxonomy's rule b), and so do their neighbours.
AROUND_NS = 60 * 10**9
# Conversations of the same client that worked: several servers, and each more than once.
CONTROLS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """What was written, and whether it says the same as the whole; ``differs`` tells where it does not."""

    packets: int
    of_packets: int
    kept: str
    differs: tuple[str, ...]
    script: Path | None  # the script beside it, if one was copied
    left_script: bool  # a script was there and names others


Answer = tuple[str, str, tuple[tuple[str, str], ...]]  # target, state, (mechanism, position)


def cut(file: str, out: Path, report: Report, techniques: engine.Techniques) -> Cut:
    """Write the evidence of a report on one capture. Raises TargetError if the two are one file or it cannot be made,
    CaptureError if no verdict cites anything.

    Tries the cited conversations first, then more of the capture, and in the end all of it.
    """
    if file == "-":
        raise TargetError("evidence is cut from a file; write standard input to one first")
    if out.exists() and out.samefile(file):
        raise TargetError(f"{out} is the capture itself; choose another name for the evidence")
    if not out.parent.is_dir():
        raise TargetError(f"{out}: there is no folder {out.parent}; make it first")
    recording = captures.read(file)
    if not report.captures or report.captures[0].sha256 != recording.sha256:
        raise CaptureError(f"{recording.file}: changed while it was read; do it again")
    if not evidence_file.cited(evidence_file.deciding(report), recording.index):
        raise CaptureError(f"{recording.file}: no verdict cites a packet, so there is no evidence to cut out")
    notes, told = evidence_file.comments(report, recording), script.beside(Path(file))
    whole, vantage = answers(report), report.captures[recording.index].vantage
    with tempfile.TemporaryDirectory(prefix="fingerprint-evidence-") as folder:
        half = Path(folder) / "evidence.pcapng"
        for rows, kept in choices(recording, report):
            with half.open("wb") as file_out:
                count = evidence_file.write(file_out, Original(recording=recording, kept=kept), rows, notes)
            goes_along = _script(told, half, recording, rows)
            again = engine.analyse([str(half)], techniques=techniques, vantage=vantage)
            differs = tuple(differences(whole, answers(again)))
            if not differs or rows.all():
                break
        shutil.copyfile(half, out)
        beside = script.path_of(out) if goes_along else None
        if beside is not None:
            shutil.copyfile(script.path_of(half), beside)
    return Cut(
        packets=count, of_packets=len(recording.columns), kept=kept, differs=differs, script=beside,
        left_script=told is not None and beside is None,
    )  # fmt: skip


def choices(recording: Recording, report: Report) -> Iterator[tuple[Rows, str]]:
    """Ever more of the capture, each with what it is; the last is all of it."""
    verdicts, seen = evidence_file.deciding(report), 0
    for rows, kept in _choices(recording, report, verdicts):
        if int(rows.sum()) > seen:
            seen = int(rows.sum())
            yield rows, kept
    if seen < len(recording.columns):
        yield np.ones(len(recording.columns), bool), "all of it, for less does not say the same"


def _choices(recording: Recording, report: Report, verdicts: tuple[Verdict, ...]) -> Iterator[tuple[Rows, str]]:
    numbers = evidence_file.cited(verdicts, recording.index)
    cited = belonging.with_belongings(recording, belonging.whole(recording, numbers))
    yield cited, "the conversations cited, the answers that led to them and the errors about them"
    everything = evidence_file.cited(report.verdicts, recording.index)
    alike = belonging.with_belongings(recording, belonging.whole(recording, everything) | _same(recording, cited))
    yield alike, "the conversations cited, and all others with their servers and names"
    asked = belonging.with_belongings(recording, alike | _lookups(recording))
    yield asked, "the conversations cited, all others with their servers and names, and every DNS transaction"
    beside = belonging.with_belongings(recording, asked | _controls(recording, cited))
    yield (
        beside,
        f"the conversations cited, all that concerns their names and servers, and {CONTROLS} that worked beside",
    )
    c = recording.columns
    first_ns, last_ns = int(c.time_ns[cited].min()), int(c.time_ns[cited].max())
    near = (c.time_ns >= first_ns - AROUND_NS) & (c.time_ns <= last_ns + AROUND_NS)
    around = belonging.whole(recording, (np.flatnonzero(near | beside) + 1).tolist())
    yield belonging.with_belongings(recording, around), "everything within a minute of the conversations cited"


def _same(recording: Recording, rows: Rows) -> Rows:
    """The conversations with the servers, and for the names, of those among the rows."""
    capture = Capture(recordings=(recording,))
    names = belonging.asked_for(capture, rows)
    servers = {s.server.address for s in capture.streams if rows[s.rows[0]]}
    servers |= {q.server.address for q in capture.quic if rows[q.rows[0]]}
    out = rows.copy()
    for stream in capture.streams:
        if stream.server.address in servers or stream.name in names:
            out[stream.rows] = True
    for flow in capture.quic:
        if flow.server.address in servers or flow.name in names:
            out[flow.rows] = True
    return out


def _controls(recording: Recording, rows: Rows) -> Rows:
    """The conversations of the same clients that were answered, those nearest in time: they show that others worked."""
    capture, c = Capture(recordings=(recording,)), recording.columns
    mine = [s for s in capture.streams if rows[s.rows[0]]]
    clients = {s.client.address for s in mine} | belonging.servers(recording, rows)
    times = np.sort(c.time_ns[rows])
    others = [s for s in capture.streams if s.answered and s.client.address in clients and not rows[s.rows[0]]]
    began = np.array([s.first_ns for s in others], np.int64)
    at = np.searchsorted(times, began)
    away = np.minimum(
        np.abs(times[np.minimum(at, len(times) - 1)] - began), np.abs(times[np.maximum(at - 1, 0)] - began)
    )
    out = rows.copy()
    for stream in [others[i] for i in np.argsort(away, kind="stable")[:CONTROLS].tolist()]:
        out[stream.rows] = True
    return out


def _lookups(recording: Recording) -> Rows:
    """Every DNS transaction: what other resolvers say, and what this one says of other names, is a control."""
    packets = [p.number for x in Capture(recordings=(recording,)).lookups for p in x.packets]
    return belonging.whole(recording, packets)


def answers(report: Report) -> dict[str, Answer]:
    """What a report says of each target: state, mechanisms and their positions. Vantages are told apart by address."""
    return {
        f"{v.target} seen from {v.vantage}": (
            v.target, v.state, tuple(sorted((m.node, m.position) for m in v.mechanisms)),
        )
        for v in report.verdicts
    }  # fmt: skip


def differences(whole: dict[str, Answer], part: dict[str, Answer]) -> Iterator[str]:
    """Where the part says something else of what does not work; targets that work may be missing from it."""
    failing = {key: a for key, a in whole.items() if a[1] != "ok"}
    blocked = {key: a for key, a in failing.items() if a[1] == "blocked"}
    must = blocked or failing or {key: a for key, a in whole.items() if key in part}
    for key, answer in must.items():
        if part.get(key) != answer:
            yield f"{answer[0]} is {_words(answer)} in the whole, and {_words(part.get(key))} in this part"
    for key, answer in part.items():
        if answer[1] == "blocked" and key not in must:
            yield f"{answer[0]} is {_words(answer)} in this part, and {_words(whole.get(key))} in the whole"


def _words(answer: Answer | None) -> str:
    if answer is None:
        return "not seen"
    how = ", ".join(f"{node} {position}" for node, position in answer[2])
    return f"{answer[1]} ({how})" if how else answer[1]


def _script(told: Path | None, half: Path, recording: Recording, rows: Rows) -> bool:
    """Put the script beside the cut file if it names nobody who is not in it."""
    beside = script.path_of(half)
    beside.unlink(missing_ok=True)
    if told is None:
        return False
    try:
        run = script.read(told)
    except ValueError:
        return False
    named = {t.name for t in run.targets} | {name for t in run.targets for name, _ in t.controls}
    capture = Capture(recordings=(recording,))
    known = belonging.asked_for(capture, rows) | belonging.servers(recording, rows)
    if not named <= known:
        return False
    beside.write_bytes(told.read_bytes())
    return True


__all__ = ["Cut", "answers", "choices", "cut", "differences"]
