"""Every preset, live in a laboratory of namespaces and on the simulated path, judged against what was written first.

`make lab-quick` runs the live half. A run is a recording judged like any other: the same verdict comes from the file alone.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from fingerprint import engine
from fingerprint.lab.laboratory import Settings
from fingerprint.lab.presets import PRESETS
from fingerprint.lab.world import Path as Way
from fingerprint.plugins import registry
from fingerprint.report import as_dict
from tests.lab import judging
from tests.lab.laboratories import needs_a_laboratory


def test_every_preset_has_its_expectation():
    asked = judging.expected()
    assert set(PRESETS) == {*asked["presets"], *asked["innocents"]}
    assert {name for name, preset in PRESETS.items() if preset.kind == "innocent"} == set(asked["innocents"])


@pytest.mark.lab
@pytest.mark.parametrize("censor", PRESETS)
def test_a_live_run_says_what_stands_on_the_way(censor, tmp_path):
    needs_a_laboratory()
    settings = Settings.of(censor)
    # On a busy machine a run may lose the packets that a link rests on, and then says less. It may try once more; a run
    # that says what is not so may not.
    for seed in (1, 2):
        folder = tmp_path / str(seed)
        folder.mkdir()
        report, script, recording, says, seconds = judging.live(censor, folder, settings=settings, seed=seed)
        outcome = judging.judged(censor, report, at=settings.path.at, seconds=seconds, says=says, script=script)
        if outcome.right or outcome.claims_wrong:
            break
    assert outcome.right, outcome
    assert script["partial"] is None
    assert report["targets"] == analysed(recording, judging.asks(censor))


def analysed(recording: Path, only: tuple[str, ...] = ()):
    """The targets as `fingerprint analyse` sees them in the file, with the techniques of the run."""
    asked = (word for technique in only for word in ("--technique", technique))
    command = [sys.executable, "-m", "fingerprint", "analyse", str(recording), "--json", *asked]
    return json.loads(subprocess.run(command, capture_output=True, check=False).stdout)["targets"]


@pytest.mark.parametrize("censor", PRESETS)
async def test_the_simulated_path_agrees(censor, tmp_path):
    _, recording, path = await judging.simulated(censor, tmp_path)
    report = as_dict(engine.analyse([str(recording)], techniques=registry.load()))
    outcome = judging.judged(censor, report, at=path.at)
    assert outcome.right, outcome


@pytest.mark.parametrize(("hops", "at"), [(7, 3), (9, 6)])
@pytest.mark.parametrize("censor", ["gfw-rst-iii", "airtel", "gfw-dns-1", "gfw-dns-3", "iran-dns"])
async def test_a_box_elsewhere_is_placed_there_or_nowhere(censor, hops, at, tmp_path):
    """Those that copy a TTL answer with packets that may die on their way back: no link is better than a wrong one."""
    _, recording, path = await judging.simulated(censor, tmp_path, path=Way(hops=hops, at=at))
    report = as_dict(engine.analyse([str(recording)], techniques=registry.load()))
    outcome = judging.judged(censor, report, at=path.at)
    assert outcome.result == "exact", outcome
    assert outcome.hop_right or (censor == "airtel" and outcome.hop is None), outcome
