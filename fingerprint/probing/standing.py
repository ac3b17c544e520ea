"""How things stand in the middle of a run: the recording so far, judged by the same analysis as any capture."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

import captures
from captures import CaptureError, Recording
from fingerprint import tables
from fingerprint.capture import Capture
from fingerprint.plugins import looking
from fingerprint.technique import Evidence, Technique
from fingerprint.verdict.judge import weighed
from fingerprint.verdict.model import Verdict
from fingerprint.verdict.weighing import Balance


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Verdicts, balances and clues of the recording so far, by target name."""

    verdicts: dict[str, Verdict] = field(default_factory=dict)
    balances: dict[str, tuple[Balance, ...]] = field(default_factory=dict)
    clues: dict[str, frozenset[str]] = field(default_factory=dict)  # ids of clues that were found
    recording: Recording | None = None
    broken: frozenset[str] = frozenset()  # techniques that were stopped


def standing(path: Path, techniques: Sequence[tuple[str, Technique]]) -> Standing:
    """Read and judge a recording; nothing stands where nothing was recorded yet."""
    try:
        recording = captures.read(path)
    except CaptureError:
        return Standing()
    capture = Capture(recordings=(recording,), known=tables.at_hand()[0])
    findings, faults = looking.look(capture, techniques)
    verdicts, more = looking.judged(capture, findings)
    broken = frozenset(name for name, _ in (*faults, *more))  # told by the analysis of the whole run
    findings = [(name, finding) for name, finding in findings if name not in broken]
    balances: dict[str, tuple[Balance, ...]] = {}
    for balance in weighed(capture, findings):
        balances[balance.symptom.target] = (*balances.get(balance.symptom.target, ()), balance)
    clues: dict[str, set[str]] = {}
    for _, finding in findings:
        if isinstance(finding, Evidence) and finding.subject.name:
            clues.setdefault(finding.subject.name, set()).add(finding.clue.id)
    return Standing(
        verdicts={v.target: v for v in verdicts},
        balances=balances,
        clues={name: frozenset(ids) for name, ids in clues.items()},
        recording=recording,
        broken=broken,
    )


def recorded(recording: Recording | None, ends: Iterable[tuple[str, int | None]]) -> tuple[int, int]:
    """Packets and bytes of conversations with these far ends, by (address, local port or None for any)."""
    if recording is None:
        return 0, 0
    flows, wanted = recording.flows, set(ends)
    by_address: dict[bytes, set[int | None]] = {}
    for address, port in wanted:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        by_address.setdefault(socket.inet_pton(family, address).ljust(16, b"\0"), set()).add(port)
    mine = np.zeros(len(flows), bool)
    for i in range(len(flows)):
        for far, port in ((flows.address_b[i], flows.port_a[i]), (flows.address_a[i], flows.port_b[i])):
            ports = by_address.get(far.tobytes())
            if ports and (None in ports or int(port) in ports):
                mine[i] = True
    rows = recording.columns.flow
    counted = (rows >= 0) & mine[np.maximum(rows, 0)] if len(flows) else np.zeros(len(rows), bool)
    return int(counted.sum()), int(recording.columns.wire_bytes[counted].sum())
