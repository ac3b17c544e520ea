"""Whatever bytes a censor sends, analyse() finishes and cites only packets that exist."""

from __future__ import annotations

import random
import struct
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import captures
from fingerprint.engine import analyse
from fingerprint.plugins.registry import load
from fingerprint.verdict.model import Report

SAMPLES = Path(captures.__file__).parent / "samples"
REGISTRY = load()


def _frames(path: Path) -> tuple[int, list[tuple[int, bytes]]]:
    recording = captures.read(path)
    rows = range(min(400, len(recording.columns)))
    times = recording.columns.time_ns.tolist()
    return recording.interfaces[0].link_type, [(times[row], recording.frame(row)) for row in rows]


CASES = [_frames(p) for p in sorted(SAMPLES.glob("*/capture.pcapng")) if p.stat().st_size < 60_000]


def _written(link: int, frames: list[tuple[int, bytes]], path: Path) -> Path:
    out = [struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262144, link)]
    for time_ns, frame in frames:
        out.append(struct.pack("<IIII", time_ns // 10**9, time_ns % 10**9, len(frame), len(frame)) + frame)
    path.write_bytes(b"".join(out))
    return path


def _cites_only_what_exists(report: Report) -> None:
    for verdict in report.verdicts:
        cited = [c for m in verdict.mechanisms for w in m.evidence for c in w.evidence.packets]
        cited += [c for _, i in verdict.inconclusive for c in i.packets]
        cited += [c for _, e in verdict.observations for c in e.packets]
        cited += [c for _, packets in verdict.consequences for c in packets]
        cited += [c for w in (verdict.cause.evidence if verdict.cause else ()) for c in w.evidence.packets]
        for c in cited:
            assert 1 <= c.number <= report.captures[c.capture].packets


def _no_technique_stopped(report: Report) -> None:
    assert [e.error for e in report.errors if e.error.startswith("technique")] == []


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
@given(case=st.integers(0, len(CASES) - 1), seed=st.integers(0, 2**32), share=st.floats(0.0, 0.3))
def test_damaged_samples_are_read_to_their_end(tmp_path: Path, case: int, seed: int, share: float) -> None:
    link, frames = CASES[case]
    dice = random.Random(seed)
    damaged = []
    for time_ns, frame in frames:
        raw = bytearray(frame)
        if dice.random() < share:
            for _ in range(dice.randint(1, 6)):
                raw[dice.randrange(len(raw))] = dice.randrange(256)
            raw = raw[: dice.randint(1, len(raw))] if dice.random() < 0.2 else raw
        damaged.append((time_ns + dice.randint(-(10**8), 10**8) * (dice.random() < share), bytes(raw)))
        if dice.random() < share / 4:
            damaged.append(damaged[-1])
    report = analyse([str(_written(link, damaged, tmp_path / "x.pcap"))], techniques=REGISTRY)
    _cites_only_what_exists(report)
    _no_technique_stopped(report)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.binary(min_size=20, max_size=120), max_size=12))
def test_arbitrary_packets_after_an_ip_header_are_read_to_their_end(tmp_path: Path, bodies: list[bytes]) -> None:
    frames = []
    for i, body in enumerate(bodies):
        protocol = (6, 17, 1)[i % 3]
        head = struct.pack(
            "!BBHHHBBH4s4s", 0x45, 0, 20 + len(body), i, 0, 60, protocol, 0, b"\x08\x08\x08\x08", b"\x09\x09\x09\x09"
        )
        frames.append((10**18 + i * 10**6, head + body))
    report = analyse([str(_written(101, frames, tmp_path / "y.pcap"))], techniques=REGISTRY)
    _cites_only_what_exists(report)
    _no_technique_stopped(report)


def test_the_same_input_gives_the_same_report(tmp_path: Path) -> None:
    for path in sorted(SAMPLES.glob("*/capture.pcapng"))[:6]:
        assert analyse([str(path)], techniques=load()) == analyse([str(path)], techniques=load())
