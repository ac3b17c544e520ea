"""Whatever the bucket of a policer holds, it is told as a policer or not told; never as chance."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from fingerprint.engine import analyse
from fingerprint.lab.boxes.slowing import Policer
from fingerprint.lab.presets import preset, slowing
from fingerprint.lab.world import Path as Way
from fingerprint.plugins.registry import load
from tests.lab.judging import simulated

# A line whose own queue overflows under the control: there the control is sent again, too.
FULL_LINE = Way(rate_bps=2e6, before_s=0.02, behind_s=0.06)


@pytest.mark.parametrize(
    ("rate_bps", "burst_bytes", "way"),
    [
        (150_000.0, 9_000, Way()),
        (150_000.0, 37_500, FULL_LINE),
        (150_000.0, 60_000, Way()),
        (400_000.0, 18_750, FULL_LINE),
        (400_000.0, 37_500, FULL_LINE),
    ],
)
async def test_its_losses_are_no_chance(rate_bps: float, burst_bytes: int, way: Way, tmp_path: Path) -> None:
    box = Policer(rate_bps=rate_bps, burst_bytes=burst_bytes, both_ways=False, marks=slowing.marks())
    _, recording, _ = await simulated(replace(preset("turkey-throttling"), boxes=lambda _: (box,)), tmp_path, path=way)
    verdicts = {v.target: v for v in analyse([str(recording)], techniques=load()).verdicts}
    (mechanism,) = verdicts["forum.test"].mechanisms
    assert mechanism.node == "tls.throttle.sni"
    assert mechanism.shape in ("policer", None)
    if mechanism.rate_bps is not None:
        assert mechanism.rate_bps.value == pytest.approx(rate_bps, rel=0.1)
