"""Rounds that are played again are judged as the stored ones: the scenario, not its bytes, decides."""

from __future__ import annotations

import pytest

from fingerprint.accounts.captured import Judging, accounts
from fingerprint.lab.evening import cutting, playing
from fingerprint.lab.evening.timetable import evening
from fingerprint.plugins import registry
from fingerprint.script import path_of
from tests.evening.bundled import NAMES, clock, told, wanted

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("vantage", "time"),
    [("kestrelline", "18:40"), ("pomelonet", "19:20"), ("quincewave", "18:00"), ("vpn", "13:00")],
)
def test_a_round_gives_its_verdicts_again_whole_and_cut(vantage, time, tmp_path):
    of = evening()
    post = of.post(vantage)
    recording = playing.play(of, post, clock(time), tmp_path)
    (tmp_path / "cut").mkdir()
    cut = cutting.packed(recording, tmp_path / "cut" / f"{recording.name}.xz")
    path_of(cut).write_bytes(path_of(recording).read_bytes())
    expected = {name: wanted(vantage, clock(time), name) for name in NAMES}
    for capture in (recording, cut):
        (account,), _ = accounts(str(capture), Judging(registry=registry.load(), vantage=post.vantage))
        assert told(account) == expected
