"""From files to a report: read, look, judge. The one path that every command takes."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_all_start_methods, get_context
from pathlib import Path
from typing import Protocol

import captures
from captures import CaptureError, Recording
from fingerprint import __version__, injectors, looking, script, signatures, tables
from fingerprint.capture import Capture
from fingerprint.technique import Technique
from fingerprint.verdict.judge import ORDER
from fingerprint.verdict.model import CaptureSummary, Failure, Report, Run, Verdict

# libpcap's link-type registry: the names of the types that are met in practice.
LINK_TYPES = {
    0: "null", 1: "ethernet", 9: "ppp", 12: "raw", 14: "raw", 50: "ppp", 51: "pppoe", 101: "raw", 105: "ieee-802-11",
    108: "loop", 113: "linux-sll", 119: "prism", 127: "radiotap", 163: "avs", 228: "ipv4", 229: "ipv6", 239: "nflog",
    276: "linux-sll2",
}  # fmt: skip


class Techniques(Protocol):
    """What the engine needs of a registry."""

    @property
    def techniques(self) -> Sequence[tuple[str, Technique]]:
        """(id, technique), in a fixed order."""

    @property
    def failures(self) -> Sequence[Failure]:
        """Plugins that could not be loaded."""


def analyse(files: Sequence[str], *, techniques: Techniques, together: bool = False, jobs: int = 1) -> Report:
    """The report on some files. A file that cannot be read is an entry in ``errors``, never an exception.

    ``together`` lets the controls of one file serve another; otherwise each is judged apart, on ``jobs`` processes.
    """
    parts = [_together(files, techniques)] if together else list(_apart(files, techniques, jobs))
    verdicts = sorted((v for _, found, _ in parts for v in found), key=lambda v: ORDER[v.state])
    return Report(
        version=__version__,
        captures=tuple(s for summaries, _, _ in parts for s in summaries),
        verdicts=tuple(verdicts),
        tables=tuple((t.name, t.version, t.sha256) for t in tables.at_hand()[0].tables),
        errors=(*techniques.failures, *_of_tables(), *(e for _, _, errors in parts for e in errors)),
        partial="; ".join(p for summaries, _, _ in parts for s in summaries if (p := s.partial)) or None,
    )


def _of_tables() -> Iterator[Failure]:
    """What of the user's own tables cannot be used."""
    known, complaints = tables.at_hand()
    yield from (Failure(file=file, error=error) for file, error in complaints)
    if len(known.named("blockpages")) > 1:
        yield from (Failure(file=says.partition(",")[0], error=says) for says in signatures.of(known).complaints)
    if len(known.named("injectors")) > 1:
        yield from (Failure(file="injectors", error=says) for says in injectors.complaints(known))


Part = tuple[tuple[CaptureSummary, ...], tuple[Verdict, ...], tuple[Failure, ...]]


def _apart(files: Sequence[str], techniques: Techniques, jobs: int) -> Iterator[Part]:
    """Each file judged on its own. An unreadable file leaves no summary, so indices count what was read."""
    if jobs > 1 and len(files) > 1 and "fork" in get_all_start_methods():
        workers = min(jobs, len(files), os.cpu_count() or 1)
        # Forked workers inherit the techniques: those of a plugin file could not be sent to them.
        with ProcessPoolExecutor(workers, get_context("fork"), _equip, (techniques.techniques,)) as pool:
            yield from renumbered(pool.map(_equipped, files, range(len(files))))
        return
    index = 0
    for file in files:
        part = _one(file, index, techniques.techniques)
        index += len(part[0])
        yield part


_EQUIPMENT: list[Sequence[tuple[str, Technique]]] = []


def _equip(techniques: Sequence[tuple[str, Technique]]) -> None:
    """Give a worker process its techniques."""
    _EQUIPMENT[:] = [techniques]


def _equipped(file: str, index: int) -> Part:
    return _one(file, index, _EQUIPMENT[0])


def renumbered(parts: Iterable[Part]) -> Iterator[Part]:
    """Parts made with the file's place as index, their citations moved to the place among the files that were read."""
    read = 0
    for place, (summaries, verdicts, errors) in enumerate(parts):
        yield summaries, _moved(verdicts, place, read) if summaries else verdicts, errors
        read += len(summaries)


def _moved(verdicts: tuple[Verdict, ...], old: int, new: int) -> tuple[Verdict, ...]:
    if old == new:
        return verdicts
    from dataclasses import fields, is_dataclass, replace

    from fingerprint.technique import Cited

    def move(value: object) -> object:
        if isinstance(value, Cited):
            return Cited(new, value.number) if value.capture == old else value
        if isinstance(value, tuple):
            return tuple(move(v) for v in value)
        if is_dataclass(value) and not isinstance(value, type):
            return replace(value, **{f.name: move(getattr(value, f.name)) for f in fields(value)})
        return value

    return tuple(v for v in (move(v) for v in verdicts) if isinstance(v, Verdict))


def _one(file: str, index: int, techniques: Sequence[tuple[str, Technique]]) -> Part:
    try:
        recording = captures.read(file, index=index)
    except CaptureError as error:
        return (), (), (Failure(file=_name(file), error=str(error)),)
    return _judged((recording,), (file,), techniques)


def _together(files: Sequence[str], techniques: Techniques) -> Part:
    recordings: list[Recording] = []
    readable: list[str] = []
    errors: list[Failure] = []
    for file in files:
        try:
            recordings.append(captures.read(file, index=len(recordings)))
            readable.append(file)
        except CaptureError as error:
            errors.append(Failure(file=_name(file), error=str(error)))
    if not recordings:
        return (), (), tuple(errors)
    summaries, verdicts, more = _judged(tuple(recordings), readable, techniques.techniques)
    return summaries, verdicts, (*errors, *more)


def _judged(
    recordings: tuple[Recording, ...], files: Sequence[str], techniques: Sequence[tuple[str, Technique]]
) -> Part:
    errors = [Failure(file=r.file, error=e) for r in recordings for e in r.errors]
    scripts = {}
    for recording, file in zip(recordings, files, strict=True):
        try:
            if told := _script(recording, file):
                scripts[recording.index] = told
                errors += [Failure(file=recording.file, error=error) for error in told.errors]
        except ValueError as error:
            errors.append(Failure(file=recording.file, error=str(error)))
    capture = Capture(recordings=recordings, known=tables.at_hand()[0], scripts=scripts)
    findings, faults = looking.look(capture, techniques)
    verdicts, more = looking.judged(capture, findings)
    verdicts = injectors.named(capture, verdicts)
    errors += [Failure(file=recordings[0].file, error=says) for _, says in (*faults, *more)]
    return tuple(summary(r, capture) for r in recordings), verdicts, tuple(errors)


def _script(recording: Recording, file: str) -> script.Script | None:
    """The script beside a capture. Raises ValueError for one that cannot be read, or that is of another time."""
    path = script.beside(Path(file)) if file != "-" else None
    if path is None:
        return None
    told, times = script.read(path), recording.columns.time_ns
    if len(times) and (told.ended_ns < int(times.min()) or int(times.max()) < told.began_ns):
        raise ValueError(f"{path.name} is of another time than {recording.file}; it is left out")
    return told


def summary(recording: Recording, capture: Capture) -> CaptureSummary:
    """A recording as the report names it."""
    times, told = recording.columns.time_ns, capture.scripts.get(recording.index)
    kinds = dict.fromkeys(LINK_TYPES.get(i.link_type, f"link type {i.link_type}") for i in recording.interfaces)
    return CaptureSummary(
        file=recording.file,
        sha256=recording.sha256,
        packets=len(times),
        link_type="+".join(kinds) or "none",
        first_ns=int(times.min()) if len(times) else None,
        last_ns=int(times.max()) if len(times) else None,
        quality=tuple(q for i, q in capture.quality if i == recording.index),
        clients=_clients(recording, capture),
        partial=told.partial if told else None,
        run=_run(told) if told else None,
    )


def _run(told: script.Script) -> Run:
    costs = tuple((t.name, t.packets, t.decided_after_pkts, t.stopped) for t in told.targets)
    return Run(order=told.order, seed=told.seed, targets=costs)


def _clients(recording: Recording, capture: Capture) -> tuple[str, ...]:
    """Addresses on the client's side, in order of appearance: those who connect, and those who ask for names."""
    connecting = (s.client.address for s in capture.streams if s.capture == recording.index)
    asking = (lookup.client.address for lookup in capture.lookups if lookup.capture == recording.index)
    over_quic = (flow.client.address for flow in capture.quic if flow.capture == recording.index)
    return tuple(dict.fromkeys((*connecting, *asking, *over_quic)))


def _name(file: str) -> str:
    return "standard input" if file == "-" else Path(file).name
