"""Techniques look at a capture, each within bounds and held to its word; what one does wrong costs only itself.

A technique that raises, does not come to an end, or yields what is no finding is named with its file and line, and all
that it had found in this capture is dropped: half of its findings might say the opposite of the whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from fingerprint.capture import Capture
from fingerprint.plugins import blame
from fingerprint.plugins.overdue import Overdue, bounded
from fingerprint.technique import (
    Cited,
    Clue,
    Evidence,
    Facets,
    Finding,
    Inconclusive,
    Interval,
    Location,
    Subject,
    Technique,
    Trigger,
)
from fingerprint.verdict.judge import judge
from fingerprint.verdict.model import Verdict

# Seconds of computing that a technique has. Ours take a few milliseconds for a small capture and less than 0.1 ms a
# packet for the worst of the samples, measured on one core of 2020: tenfold, and then some for a slower machine.
LEAST_S, A_PACKET_S = 10.0, 0.001
# Findings that a technique may yield. Ours yield less than one a packet on every sample.
LEAST_FINDINGS, FINDINGS_A_PACKET = 20_000, 5


class Stopped(Exception):
    """A technique did something that it may not; ``at`` is its file and line, or empty."""

    def __init__(self, says: str, at: str) -> None:
        super().__init__(says)
        self.at = at


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How long a technique may look at one capture, and how much it may find there."""

    seconds: float
    findings: int


def bounds(capture: Capture) -> Bounds:
    """The bounds for a capture of that size."""
    packets = sum(len(r.columns) for r in capture.recordings)
    return Bounds(seconds=LEAST_S + A_PACKET_S * packets, findings=LEAST_FINDINGS + FINDINGS_A_PACKET * packets)


Found = tuple[list[tuple[str, Finding]], list[tuple[str, str]]]


def look(capture: Capture, techniques: Iterable[tuple[str, Technique]]) -> Found:
    """What the techniques find in a capture, as (id, finding), and what went wrong, as (id, sentence)."""
    within, findings, faults = bounds(capture), list[tuple[str, Finding]](), list[tuple[str, str]]()
    for name, technique in techniques:
        try:
            findings.extend((name, finding) for finding in looked(technique, capture, within))
        except Stopped as error:
            faults.append((name, sentence(name, error)))
    return findings, faults


def looked(technique: Technique, capture: Capture, within: Bounds | None = None) -> list[Finding]:
    """Everything that one technique finds in a capture. Raises Stopped, whatever it does wrong."""
    within, file = within or bounds(capture), blame.file_of(type(technique).analyse)
    held = Held(technique, capture)
    try:
        with bounded(within.seconds):
            return held.all_of(technique.analyse(capture), within.findings, file)
    except Stopped:
        raise
    except Overdue as error:
        why = f"did not come to an end within {within.seconds:.0f} seconds of computing"
        raise Stopped(why, blame.at(error, file)) from None
    except (Exception, SystemExit, GeneratorExit) as error:
        raise Stopped(blame.said(error), blame.at(error, file)) from error


def sentence(name: str, error: Stopped) -> str:
    """What went wrong, for the report."""
    where = f" at {error.at}" if error.at else ""
    return f"technique {name} stopped{where}: {error}; its findings are left out, report it to its author"


class Held:
    """A technique held to its word: what it yields is a finding, of clues it declares, on packets that exist."""

    def __init__(self, technique: Technique, capture: Capture) -> None:
        """Sizes are taken once; a finding is checked as it is yielded."""
        self._clues = type(technique).clues
        self._known = {id(clue) for clue in self._clues}
        self._packets = {r.index: len(r.columns) for r in capture.recordings}

    def all_of(self, steps: Iterable[Finding], most: int, file: str | None) -> list[Finding]:
        """All findings. Raises Stopped at the first that is none, and when there are more than ``most``."""
        findings: list[Finding] = []
        for finding in steps:
            if complaint := self.complaint(finding):
                raise Stopped(complaint, blame.stands_at(steps, file))
            if len(findings) == most:
                raise Stopped(f"yields more than {most} findings", blame.stands_at(steps, file))
            findings.append(finding)
        return findings

    def complaint(self, finding: object) -> str | None:
        """What is wrong with a finding, as half a sentence; None if nothing is."""
        match finding:
            case Evidence():
                return self._undeclared(finding.clue) or self._of_evidence(finding)
            case Inconclusive(why=str(), subject=None | Subject()):
                return self._missing(finding.packets) or wrong_subject(finding.subject)
            case Inconclusive():
                return "yielded Inconclusive with something else than (why, packets, subject)"
        return f"yielded {finding!r:.60}, which is neither Evidence nor Inconclusive"

    def _of_evidence(self, finding: Any) -> str | None:
        if not isinstance(finding.subject, Subject) or not isinstance(finding.facets, Facets):
            return f"evidence of {finding.clue.id} has no Subject, or facets that are no Facets"
        if not isinstance(finding.says, str):
            return f"evidence of {finding.clue.id} says no text"
        if finding.forged and not set(finding.forged) <= set(finding.packets):
            return f"evidence of {finding.clue.id} calls packets forged that it does not cite"
        return self._missing(finding.packets) or wrong_subject(finding.subject) or wrong_facets(finding.facets)

    def _undeclared(self, clue: object) -> str | None:
        if id(clue) in self._known or clue in self._clues:
            return None
        return f"evidence of {clue.id!r}, which is not in `clues`" if isinstance(clue, Clue) else "evidence of no clue"

    def _missing(self, packets: object) -> str | None:
        """A citation of a packet that does not exist, or that is none."""
        if not isinstance(packets, tuple):
            return f"cites {packets!r:.60}; want a tuple of Cited(capture, number)"
        for cited in packets:
            if not isinstance(cited, Cited) or not isinstance(cited.number, int):
                return f"cites {cited!r:.60}; want Cited(capture, number)"
            held = self._packets.get(cited.capture)
            if held is None or not 1 <= cited.number <= held:
                return f"cites packet {cited.number} of capture {cited.capture}, which does not exist"
        return None


def wrong_subject(subject: Subject | None) -> str | None:
    """A field of the subject that is of another kind."""
    if subject is None:
        return None
    words = (subject.name, subject.address, subject.protocol, subject.vantage, subject.trial)
    if all(word is None or isinstance(word, str) for word in words) and isinstance(subject.port, int | None):
        return None
    return f"has a subject of the wrong kind: {subject!r:.80}"


def wrong_facets(facets: Facets) -> str | None:
    """A facet of the wrong kind."""
    match facets:
        case Facets(
            position=None | "on-path" | "in-path" | "resolver" | "server",
            trigger=None | Trigger(),
            location=None | Location(),
            shape=None | str(),
            rate_bps=None | Interval(),
            burst_bytes=None | Interval(),
            residual_s=None | Interval(),
        ):
            return None
    return f"has facets of the wrong kind: {facets!r:.80}"


def judged(
    capture: Capture, findings: Sequence[tuple[str, Finding]]
) -> tuple[tuple[Verdict, ...], list[tuple[str, str]]]:
    """The verdicts, and what went wrong. A finding that cannot be judged is left out with all of its technique.

    Raises what the judgement raised if no technique's absence mends it.
    """
    try:
        return judge(capture, findings), []
    except Exception as error:
        for suspect in dict.fromkeys(name for name, _ in findings):
            try:
                verdicts = judge(capture, [f for f in findings if f[0] != suspect])
            except Exception:  # noqa: BLE001, S112 - another is at fault, or nobody
                continue
            why = f"its findings cannot be judged ({blame.said(error)})"
            return verdicts, [(suspect, f"technique {suspect}: {why}; they are left out, report it to its author")]
        raise
