"""A server that sends one name slowly, over a line that loses at random, is nobody's throttling."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from fingerprint.engine import analyse
from fingerprint.lab.presets import preset
from fingerprint.lab.world import Path as Way
from fingerprint.lab.world import Servers
from fingerprint.plugins.registry import load
from tests.lab.judging import simulated


@pytest.mark.parametrize(
    ("pace_bps", "way"),
    [
        (200e3, Way(loss_ratio=0.1, before_s=0.01, behind_s=0.03, seed=1)),
        (200e3, Way(loss_ratio=0.1, before_s=0.01, behind_s=0.03, seed=2, rate_bps=6e6)),
        (600e3, Way(loss_ratio=0.03, reorder_ratio=0.05, at=1, before_s=0.0154, behind_s=0.0081, seed=816)),
    ],
)
async def test_its_own_pace_is_not_blocking_whatever_is_lost(pace_bps: float, way: Way, tmp_path: Path) -> None:
    innocent = replace(preset("none"), servers=Servers(limits_bps={"forum.test": pace_bps}))
    _, recording, _ = await simulated(innocent, tmp_path, path=way)
    verdicts = analyse([str(recording)], techniques=load()).verdicts
    assert [v.target for v in verdicts if v.state == "blocked"] == []
    assert "forum.test" in {v.target for v in verdicts}
