"""A long capture judged in parts: what happened when, under the numbers that the file has."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import captures
from captures.write import Frame, Link, write
from fingerprint import engine
from fingerprint.plugins import registry
from fingerprint.report import as_dict

SAMPLES = Path(captures.__file__).parent / "samples"


@pytest.fixture(scope="module")
def long(tmp_path_factory):
    """Ten minutes in which nothing is wrong, then ten minutes in which a name is reset."""
    frames = []
    for number, case in enumerate(("slow_access", "sni_forged_reset")):
        recording = captures.read(next((SAMPLES / case).glob("capture.*")))
        times = recording.columns.time_ns
        shift_ns = 1_600_000_000 * 10**9 + number * 600 * 10**9 - int(times.min())
        order = np.argsort(times, kind="stable").tolist()
        frames += [Frame(content=recording.frame(r), time_ns=int(times[r]) + shift_ns) for r in order]
    path = tmp_path_factory.mktemp("long") / "long.pcapng"
    write(path, frames, links=[Link(link_type=recording.interfaces[0].link_type)])
    return path


def blocked(report):
    return [
        (report.captures[e.capture].part, v.target, m.node)
        for v in report.verdicts
        for m in v.mechanisms
        for e in m.evidence[0].evidence.packets[:1]
    ]


@pytest.mark.parametrize("jobs", [1, 2])
def test_each_part_has_its_own_verdict_and_the_files_own_numbers(long, jobs):
    registered = registry.load()
    whole = engine.analyse([str(long)], techniques=registered)
    report = engine.analyse([str(long), str(long)], techniques=registered, part_s=300, jobs=jobs)
    assert len(report.captures) == 4
    assert all(c.part[1] - c.part[0] == 300 * 10**9 for c in report.captures)
    (node,) = {m.node for v in whole.verdicts for m in v.mechanisms}
    found = blocked(report)
    assert [n for _, _, n in found] == [node, node]
    assert {part for part, _, _ in found} == {report.captures[1].part}
    cited = {c.number for v in whole.verdicts for m in v.mechanisms for w in m.evidence for c in w.evidence.packets}
    again = {c.number for v in report.verdicts for m in v.mechanisms for w in m.evidence for c in w.evidence.packets}
    assert again == cited
    document = as_dict(report)
    assert document["captures"][1]["part"]
    assert document["captures"][1]["packets"] < document["summary"]["packets"] / 2


def test_without_parts_nothing_is_divided(long):
    report = engine.analyse([str(long)], techniques=registry.load())
    assert [c.part for c in report.captures] == [None]
