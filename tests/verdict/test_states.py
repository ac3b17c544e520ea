"""What a name did at a server of others is no service of its own; when it worked and failed is told in times."""

from __future__ import annotations

from pathlib import Path

import pytest

import captures
from fingerprint.engine import analyse
from fingerprint.plugins.registry import load
from tests.lab.judging import simulated

SAMPLES = Path(captures.__file__).parent / "samples"


async def test_a_server_that_is_off_is_not_well_because_another_answers_to_its_name(tmp_path: Path) -> None:
    _, recording, _ = await simulated("server-down", tmp_path)
    verdicts = {v.target: v for v in analyse([str(recording)], techniques=load()).verdicts}
    assert verdicts["forum.test"].state == "insufficient"
    assert verdicts["forum.test"].worked_ns is None
    assert verdicts["forum.test"].failed_ns


@pytest.mark.parametrize("case", ["slow_access", "sni_forged_reset"])
def test_times_of_work_and_of_failure_lie_within_the_target_s_own(case: str) -> None:
    report = analyse([str(next((SAMPLES / case).glob("capture.*")))], techniques=load())
    for v in report.verdicts:
        for span in filter(None, (v.worked_ns, v.failed_ns)):
            assert v.first_ns <= span[0] <= span[1] <= v.last_ns
        assert bool(v.failed_ns) >= (v.state == "blocked")
        assert bool(v.worked_ns) >= (v.state == "ok")
    assert {v.state for v in report.verdicts} >= ({"ok", "blocked"} if case == "sni_forged_reset" else {"ok"})
