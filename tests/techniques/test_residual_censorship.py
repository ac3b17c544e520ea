"""How long a block outlives its trigger, and whom it covers: from captures, and from a run of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

import captures
from captures.reading import read
from fingerprint import engine
from fingerprint.capture import Capture
from fingerprint.lab.simulated.carrier import SimulatedCarrier
from fingerprint.lab.world import NAMES, RESOLVER
from fingerprint.plugins import registry
from fingerprint.probing import engine as probing
from fingerprint.probing.plan import Plan
from fingerprint.script import Script, path_of, write
from fingerprint.steps import Control, Target
from fingerprint.technique import Evidence, Inconclusive
from fingerprint.verdict.model import Verdict
from techniques.residual_censorship import OTHERS_FAIL_AFTER_IT, SCOPE, ResidualCensorship

SAMPLES = Path(captures.__file__).parent / "samples"


def found(sample: str) -> list[Evidence | Inconclusive]:
    capture = Capture(recordings=(read(SAMPLES / sample / "capture.pcapng"),))
    return list(ResidualCensorship().analyse(capture))


@pytest.mark.parametrize(("sample", "true_s", "low_s"), [("http_residual", 40, 28), ("sni_residual", 30, 5)])
def test_the_window_lies_between_the_last_failure_and_the_first_pass(sample: str, true_s: float, low_s: float) -> None:
    (said,) = [f for f in found(sample) if isinstance(f, Evidence) and f.clue is OTHERS_FAIL_AFTER_IT]
    window = said.facets.residual_s
    assert window is not None
    assert low_s < window.low < true_s < window.high < true_s + 12


def test_a_port_that_passes_meanwhile_bounds_what_is_covered() -> None:
    (said,) = [f for f in found("http_residual") if isinstance(f, Evidence) and f.clue is SCOPE]
    assert said.says.endswith("the two addresses and the server's port")


def test_a_window_that_was_not_seen_to_end_is_said_to_be_open() -> None:
    said = found("sni_residual_unended")
    assert [f.facets.residual_s for f in said if isinstance(f, Evidence)] == [None, None]
    assert any(isinstance(f, Inconclusive) for f in said)


def test_a_server_that_bans_its_client_is_not_convicted() -> None:
    report = engine.analyse([str(SAMPLES / "server_bans_client" / "capture.pcapng")], techniques=registry.load())
    assert "blocked" not in {v.state for v in report.verdicts}


async def _run(censor: str, residual_s: float, folder: Path) -> tuple[Script, Verdict]:
    carrier = SimulatedCarrier(censor, residual_s=residual_s, folder=folder)
    target = Target(
        name="forum.test", addresses=NAMES["forum.test"][:1], residual_s=60.0, resolvers=RESOLVER[:1], seed=1,
        controls=(Control(name="garden.test", addresses=NAMES["garden.test"]),),
    )  # fmt: skip
    plan = Plan(targets=(target,), techniques=("residual-censorship",), seed=1, residual_s=60.0, recorder="simulated")
    script = await probing.probe(plan, carrier, registry.load())
    recording = await carrier.flush()
    write(script, path_of(recording))
    report = engine.analyse([str(recording)], techniques=registry.load())
    return script, next(v for v in report.verdicts if v.target == "forum.test")


@pytest.mark.parametrize("residual_s", [5.0, 40.0])
async def test_a_run_measures_the_window_with_few_tries(residual_s: float, tmp_path: Path) -> None:
    script, verdict = await _run("gfw-rst-iii", residual_s, tmp_path)
    mine = [s for s in script.steps if s.technique == "residual-censorship"]
    assert sum(s.role == "target" for s in mine) == 1
    assert len(mine) <= 10
    windows = [m.residual_s for m in verdict.mechanisms if m.residual_s]
    assert windows
    assert all(w.low - 1 <= residual_s <= w.high + 1 for w in windows)


@pytest.mark.parametrize("censor", ["none", "sni-drop"])
async def test_where_nothing_outlives_its_trigger_little_is_sent(censor: str, tmp_path: Path) -> None:
    script, verdict = await _run(censor, 0.0, tmp_path)
    mine = [s for s in script.steps if s.technique == "residual-censorship" and s.outcome != "skipped"]
    assert len(mine) == (0 if censor == "none" else 3)
    assert all(m.residual_s is None for m in verdict.mechanisms)
