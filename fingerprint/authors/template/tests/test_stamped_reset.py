"""What stamped-reset promises: on its samples, and behind boxes of the laboratory in virtual time."""

from __future__ import annotations

import json
import runpy
from pathlib import Path

from fingerprint import engine
from fingerprint.plugins import registry
from fingerprint.testing import Conversation, blocked, check_technique, run_behind, written

HERE = Path(__file__).parents[1]
KNOWN = "stamped-reset"
TECHNIQUE = HERE / "stamped_reset.py"
SAMPLES = ("blocked", "innocent", "too_short")


def sample(name: str) -> Path:
    """The capture of a sample."""
    return HERE / "samples" / name / "capture.pcapng"


def test_it_keeps_what_every_technique_promises() -> None:
    check_technique(
        TECHNIQUE,
        fires_on=[sample("blocked")],
        silent_on=[sample("innocent")],
        cannot_tell_on=[sample("too_short")],
    )


def test_together_with_all_other_techniques_it_says_what_was_expected() -> None:
    techniques = registry.load([TECHNIQUE])
    assert KNOWN in dict(techniques.techniques)
    for name in SAMPLES:
        expected = json.loads(sample(name).with_name("expected.json").read_text())["targets"]
        report = engine.analyse([str(sample(name))], techniques=techniques)
        for verdict in report.verdicts:
            want = expected.get(verdict.target, {"state": ["ok", "down", "insufficient", "invalid"]})
            assert verdict.state in want["state"]
            assert {m.node for m in verdict.mechanisms} <= set(want.get("mechanism", ()))


def test_the_recipes_make_the_same_bytes_every_time(tmp_path: Path) -> None:
    for name in SAMPLES:
        runpy.run_path(str(sample(name).with_name("make.py")))["make"](tmp_path)
        assert (tmp_path / "capture.pcapng").read_bytes() == sample(name).read_bytes()


def test_it_convicts_the_censor_by_name_and_its_twin_never() -> None:
    censor = HERE / "lab" / "censor.py"
    assert blocked(run_behind(f"{censor}:Censor", TECHNIQUE, secure=False)) == {"forum.test": ("http.reset.host",)}
    assert blocked(run_behind(f"{censor}:Innocent", TECHNIQUE, secure=False)) == {}
    assert blocked(run_behind("none", TECHNIQUE, secure=False)) == {}


def test_one_stamped_reset_without_a_control_says_no_more_than_reset(tmp_path: Path) -> None:
    talk = Conversation(server="45.83.220.10", port=80)
    talk.opens()
    talk.asks(b"GET / HTTP/1.1\r\nHost: forum.test\r\n\r\n")
    talk.reset(payload=b"blocked by order")
    capture = written(tmp_path / "one.pcapng", talk.packets)
    report = engine.analyse([str(capture)], techniques=registry.load([TECHNIQUE], only=[KNOWN]))
    assert blocked(report) == {"forum.test": ("http.reset",)}
