"""The square: every technique against every sample. The diagonal is convicted, the rest acquitted, by each alone and by all.

A technique alone may convict only samples of its own kind of interference; innocent samples are acquitted by every
technique alone and by all together.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import pytest

import captures
from fingerprint import script, tables
from fingerprint.capture import Capture
from fingerprint.plugins import looking
from fingerprint.plugins.registry import load
from fingerprint.verdict.judge import judge
from fingerprint.verdict.model import Verdict

SAMPLES = Path(captures.__file__).parent / "samples"

# Technique → the kinds of mechanism (layer.action) that it can carry alone.
CONFORMANCE = json.loads(Path(__file__).with_name("techniques").joinpath("conformance.json").read_text())
DIAGONAL = {technique: tuple(told["kinds"]) for technique, told in CONFORMANCE.items() if told["kinds"]}


def _cases() -> dict[str, tuple[Path, dict[str, dict[str, list[str]]]]]:
    out = {}
    for folder in sorted(p.parent for p in SAMPLES.glob("*/expected.json")):
        expected = json.loads((folder / "expected.json").read_text())
        for capture in sorted(folder.glob("capture.pcapng*")):
            out[folder.name] = (capture, expected["targets"])
    return out


CASES = _cases()


def open_capture(file: Path) -> Capture:
    """The sample with its script, if it has one."""
    recording, beside = captures.read(str(file), index=0), script.beside(file)
    scripts = {0: script.read(beside)} if beside else {}
    return Capture(recordings=(recording,), known=tables.at_hand()[0], scripts=scripts)


@cache
def _square(case: str) -> dict[str, tuple[Verdict, ...]]:
    """The verdicts on one sample by each technique alone and by all: looked at once, judged as often as need be."""
    capture = open_capture(CASES[case][0])
    techniques = load().techniques
    findings, faults = looking.look(capture, techniques)
    assert not faults
    alone = {t: judge(capture, [f for f in findings if f[0] == t]) for t in CONFORMANCE}
    return {"all": judge(capture, findings), **alone}


def _kinds(targets: dict[str, dict[str, list[str]]]) -> set[str]:
    nodes = [n for t in targets.values() if "blocked" in t["state"] for n in t.get("mechanism") or []]
    return {".".join(n.split(".")[:2]) for n in nodes}


def _innocents() -> list[str]:
    return [case for case, (_, targets) in CASES.items() if not _kinds(targets)]


@pytest.mark.parametrize("case", _innocents())
def test_an_innocent_sample_is_acquitted_by_each_alone_and_by_all(case: str) -> None:
    assert [
        (technique, v.target, [m.node for m in v.mechanisms])
        for technique, verdicts in _square(case).items()
        for v in verdicts
        if v.state == "blocked"
    ] == []


@pytest.mark.parametrize("case", CASES)
def test_a_technique_alone_convicts_only_its_own_kind(case: str) -> None:
    true = _kinds(CASES[case][1])
    wrong = {}
    for technique in CONFORMANCE:
        kinds = {".".join(m.node.split(".")[:2]) for v in _square(case)[technique] for m in v.mechanisms}
        if others := kinds - (set(DIAGONAL.get(technique, ())) & true):
            wrong[technique] = others
    assert wrong == {}


@pytest.mark.parametrize("technique", DIAGONAL)
def test_every_technique_convicts_some_sample_alone(technique: str) -> None:
    own = [c for c, (_, targets) in CASES.items() if _kinds(targets) & set(DIAGONAL[technique])]
    convicted = [c for c in own if any(v.state == "blocked" for v in _square(c)[technique])]
    assert len(convicted) >= 3, f"{technique} convicts {convicted} of {own}"


def test_names_that_are_not_the_target_stay_unblocked_in_guilty_samples() -> None:
    wrong = []
    for case, (_, targets) in CASES.items():
        guilty = {name for name, t in targets.items() if "blocked" in t["state"]}
        wrong += [(case, v.target) for v in _square(case)["all"] if v.state == "blocked" and v.target not in guilty]
    assert wrong == []
