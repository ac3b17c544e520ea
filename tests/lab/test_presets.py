"""Every preset, live in a laboratory of namespaces and on the simulated path, judged against what was written first.

`make lab-quick` runs the live half. A run is a recording judged like any other: the same verdict comes from the file alone.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from fingerprint import engine, registry
from fingerprint.lab import world
from fingerprint.lab.laboratory import Settings
from fingerprint.lab.presets import PRESETS
from fingerprint.lab.simulated.carrier import SimulatedCarrier
from fingerprint.probing import engine as probing
from fingerprint.probing.plan import Plan
from fingerprint.report import as_dict
from fingerprint.script import path_of, write
from fingerprint.steps import Control, Target
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
    report, script, recording, says, seconds = judging.live(censor, tmp_path, settings=settings)
    outcome = judging.judged(censor, report, at=settings.path.at, seconds=seconds, says=says, script=script)
    assert outcome.right, outcome
    assert script["partial"] is None
    assert report["targets"] == analysed(recording)


def analysed(recording: Path):
    """The targets as `fingerprint analyse` sees them in the file."""
    command = [sys.executable, "-m", "fingerprint", "analyse", str(recording), "--json"]
    return json.loads(subprocess.run(command, capture_output=True, check=False).stdout)["targets"]


@pytest.mark.parametrize("censor", PRESETS)
async def test_the_simulated_path_agrees(censor, tmp_path):
    techniques = registry.load()
    carrier = SimulatedCarrier(censor, residual_s=judging.RESIDUAL_S, folder=tmp_path)
    lies = carrier.preset.servers.resolver_lies
    home = world.NAMES[world.MINDED]
    target = Target(
        name=world.MINDED, addresses=(*filter(None, [lies.get(world.MINDED)]), *home), path="/large",
        controls=(Control(name="garden.test", addresses=world.NAMES["garden.test"]),),
        resolvers=(world.RESOLVER[0], world.PUBLIC_RESOLVER[0]), seed=1, residual_s=judging.RESIDUAL_S,
    )  # fmt: skip
    plan = Plan(targets=(target,), seed=1, residual_s=judging.RESIDUAL_S, recorder="simulated")
    script = await probing.probe(plan, carrier, techniques)
    recording = await carrier.flush()
    write(script, path_of(recording))
    report = as_dict(engine.analyse([str(recording)], techniques=techniques))
    outcome = judging.judged(censor, report, at=carrier.path.at)
    assert outcome.right, outcome
