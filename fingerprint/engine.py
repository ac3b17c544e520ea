"""From files to a report: read, look, judge. The one path that every command takes."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_all_start_methods, get_context
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

import captures
from captures import CaptureError, Recording
from captures.part import parts
from fingerprint import __version__, injectors, script, services, signatures, tables
from fingerprint.capture import Capture
from fingerprint.pictures import beside as pictures
from fingerprint.plugins import looking
from fingerprint.technique import Technique
from fingerprint.vantages import given as vantage_given
from fingerprint.vantages import http_dates
from fingerprint.vantages.vantage import Vantage
from fingerprint.verdict import community_id
from fingerprint.verdict.judge import ORDER
from fingerprint.verdict.model import CaptureSummary, Failure, Report, Run, Verdict
from fingerprint.wireshark import opened

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


def analyse(
    files: Sequence[str],
    *,
    techniques: Techniques,
    together: bool = False,
    jobs: int = 1,
    part_s: float | None = None,
    vantage: Vantage = vantage_given.NOTHING,
    read: Read | None = None,
) -> Report:
    """The report on some files. A file that cannot be read is an entry in ``errors``, never an exception.

    ``together`` lets the controls of one file serve another; otherwise each is judged apart, on ``jobs`` processes.
    With ``part_s`` each is judged in parts of that many seconds, and each part is a capture of the report by itself.
    ``vantage`` is what the options say of where they were taken; sidecars and manifests are read beside the files.
    ``read`` is what reads a file, where not all of it is to be seen.
    """
    read = read or _read
    if together:
        judged = [_together(files, techniques, vantage, read)]
    else:
        judged = list(_apart(files, techniques, jobs, part_s, vantage, read))
    known = services.at_hand()[0]
    verdicts = sorted((v for _, found, _ in judged for v in found), key=lambda v: ORDER[v.state])
    verdicts = list(services.filed(verdicts, known))
    return Report(
        version=__version__,
        captures=tuple(s for summaries, _, _ in judged for s in summaries),
        verdicts=tuple(verdicts),
        tables=(
            *((t.name, t.version, t.sha256) for t in tables.at_hand()[0].tables),
            *services.used(verdicts, known),
        ),
        errors=(*techniques.failures, *_of_tables(), *dict.fromkeys(e for _, _, errors in judged for e in errors)),
        partial="; ".join(p for summaries, _, _ in judged for s in summaries if (p := s.partial)) or None,
    )


def _of_tables() -> Iterator[Failure]:
    """What of the user's own tables cannot be used."""
    known, complaints = tables.at_hand()
    yield from (Failure(file=file, error=error) for file, error in (*complaints, *services.at_hand()[1]))
    if len(known.named("blockpages")) > 1:
        yield from (Failure(file=says.partition(",")[0], error=says) for says in signatures.of(known).complaints)
    if len(known.named("injectors")) > 1:
        yield from (Failure(file="injectors", error=says) for says in injectors.complaints(known))


Read = Callable[[str, int], Recording]  # a file, and its place among those of the report; raises CaptureError


def _read(file: str, index: int) -> Recording:
    return captures.read(file, index=index)


Part = tuple[tuple[CaptureSummary, ...], tuple[Verdict, ...], tuple[Failure, ...]]


def _apart(
    files: Sequence[str], techniques: Techniques, jobs: int, part_s: float | None, vantage: Vantage, read: Read
) -> Iterator[Part]:
    """Each file judged on its own. An unreadable file leaves no summary, so indices count what was read."""
    if jobs > 1 and len(files) > 1 and "fork" in get_all_start_methods():
        workers = min(jobs, len(files), os.cpu_count() or 1)
        # Forked workers inherit the techniques: those of a plugin file could not be sent to them.
        with ProcessPoolExecutor(
            workers, get_context("fork"), _equip, (techniques.techniques, part_s, vantage, read)
        ) as pool:
            yield from renumbered(pool.map(_equipped, files, range(0, len(files) * STRIDE, STRIDE)))
        return
    index = 0
    for file in files:
        part = _one(file, index, techniques.techniques, part_s, vantage, read)
        index += len(part[0])
        yield part


# Workers number the parts of the n-th file from n times this on: no file has as many.
STRIDE = 1 << 20
Equipment = tuple[Sequence[tuple[str, Technique]], float | None, Vantage, Read]
_EQUIPMENT: list[Equipment] = []


def _equip(techniques: Sequence[tuple[str, Technique]], part_s: float | None, vantage: Vantage, read: Read) -> None:
    """Give a worker process its techniques."""
    _EQUIPMENT[:] = [(techniques, part_s, vantage, read)]


def _equipped(file: str, index: int) -> Part:
    return _one(file, index, *_EQUIPMENT[0])


def renumbered(parts: Iterable[Part]) -> Iterator[Part]:
    """Parts made with multiples of STRIDE as indices, their citations moved to the place among what was read."""
    read = 0
    for place, (summaries, verdicts, errors) in enumerate(parts):
        yield summaries, moved(verdicts, read - place * STRIDE), errors
        read += len(summaries)


def moved(verdicts: tuple[Verdict, ...], by: int) -> tuple[Verdict, ...]:
    """The verdicts with every citation moved by so many files."""
    if not by:
        return verdicts
    from dataclasses import fields, is_dataclass

    from fingerprint.technique import Cited
    from fingerprint.verdict.model import Ladder

    def move(value: object) -> object:
        if isinstance(value, Cited):
            return Cited(value.capture + by, value.number)
        if isinstance(value, Ladder):
            return replace(value, capture=value.capture + by)
        if isinstance(value, tuple):
            return tuple(move(v) for v in value)
        if is_dataclass(value) and not isinstance(value, type):
            return replace(value, **{f.name: move(getattr(value, f.name)) for f in fields(value)})
        return value

    return tuple(v for v in (move(v) for v in verdicts) if isinstance(v, Verdict))


def _one(
    file: str,
    index: int,
    techniques: Sequence[tuple[str, Technique]],
    part_s: float | None,
    vantage: Vantage,
    read: Read,
) -> Part:
    try:
        recording = read(file, index)
    except CaptureError as error:
        return (), (), (Failure(file=_name(file), error=str(error)),)
    if part_s is None:
        return _judged((recording,), (file,), techniques, vantage)
    return _in_parts(recording, file, techniques, part_s, vantage)


def _in_parts(
    recording: Recording, file: str, techniques: Sequence[tuple[str, Technique]], part_s: float, vantage: Vantage
) -> Part:
    """Each part judged by itself, knowing of the others only which addresses were given for which names."""
    named = Capture(recordings=(recording,)).given_addresses
    summaries, verdicts, errors = list[CaptureSummary](), list[Verdict](), dict[Failure, None]()
    for number, (part, from_ns, until_ns) in enumerate(parts(recording, part_s)):
        one = replace(part, index=recording.index + number)
        about, found, complaints = _judged((one,), (file,), techniques, vantage, named)
        times = one.columns.time_ns[one.columns.wire_bytes > 0]
        first_ns, last_ns = int(times.min()), int(times.max())
        summaries += [
            replace(s, part=(from_ns, until_ns), packets=len(times), first_ns=first_ns, last_ns=last_ns) for s in about
        ]
        verdicts += found
        errors.update(dict.fromkeys(complaints))
    if not summaries:  # not one conversation: nothing to divide
        return _judged((recording,), (file,), techniques, vantage)
    return tuple(summaries), tuple(verdicts), tuple(errors)


def _together(files: Sequence[str], techniques: Techniques, vantage: Vantage, read: Read) -> Part:
    recordings: list[Recording] = []
    readable: list[str] = []
    errors: list[Failure] = []
    for file in files:
        try:
            recordings.append(read(file, len(recordings)))
            readable.append(file)
        except CaptureError as error:
            errors.append(Failure(file=_name(file), error=str(error)))
    if not recordings:
        return (), (), tuple(errors)
    summaries, verdicts, more = _judged(tuple(recordings), readable, techniques.techniques, vantage)
    return summaries, verdicts, (*errors, *more)


def _judged(
    recordings: tuple[Recording, ...],
    files: Sequence[str],
    techniques: Sequence[tuple[str, Technique]],
    vantage: Vantage,
    given: Mapping[str, Collection[str]] = MappingProxyType({}),
) -> Part:
    errors = [Failure(file=r.file, error=e) for r in recordings for e in r.errors]
    scripts, vantages = {}, {}
    for recording, file in zip(recordings, files, strict=True):
        try:
            if told := _script(recording, file):
                scripts[recording.index] = told
                errors += [Failure(file=recording.file, error=error) for error in told.errors]
        except ValueError as error:
            errors.append(Failure(file=recording.file, error=str(error)))
        said = vantage_given.of(file, vantage)
        errors += [Failure(file=where, error=says) for where, says in said.complaints]
        vantages[recording.index] = vantage_given.with_script(said.vantage, scripts.get(recording.index))
    capture = Capture(recordings=recordings, known=tables.at_hand()[0], scripts=scripts, given=given, vantages=vantages)
    findings, faults = looking.look(capture, techniques)
    verdicts, more = looking.judged(capture, findings)
    verdicts = injectors.named(capture, verdicts)
    verdicts = pictures.pictured(capture, verdicts)
    verdicts = opened.with_observations(verdicts, capture)
    verdicts = tuple(replace(v, flows=community_id.flows(v, recordings)) for v in verdicts)
    errors += [Failure(file=recordings[0].file, error=says) for _, says in (*faults, *more)]
    return (
        tuple(http_dates.checked(summary(r, capture), r.index, capture, verdicts) for r in recordings),
        verdicts,
        tuple(errors),
    )


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
        vantage=capture.vantages.get(recording.index, vantage_given.NOTHING),
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
