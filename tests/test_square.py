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
from fingerprint.engine import analyse
from fingerprint.registry import load
from fingerprint.verdict.model import Verdict

SAMPLES = Path(captures.__file__).parent / "samples"

# Technique → the kinds of mechanism (layer.action) that it can carry alone.
CONFORMANCE = json.loads(Path(__file__).with_name("techniques").joinpath("conformance.json").read_text())
DIAGONAL = {technique: tuple(told["kinds"]) for technique, told in CONFORMANCE.items() if told["kinds"]}
# Some say something about what others convict, and convict none alone.
TECHNIQUES = ("all", *CONFORMANCE)


def _cases() -> dict[str, tuple[Path, dict[str, dict[str, list[str]]]]]:
    out = {}
    for folder in sorted(p.parent for p in SAMPLES.glob("*/expected.json")):
        expected = json.loads((folder / "expected.json").read_text())
        for capture in sorted(folder.glob("capture.pcapng*")):
            out[folder.name] = (capture, expected["targets"])
    return out


CASES = _cases()


@cache
def _verdicts(case: str, technique: str) -> tuple[Verdict, ...]:
    only = () if technique == "all" else (technique,)
    return analyse([str(CASES[case][0])], techniques=load(only=only)).verdicts


def _kinds(targets: dict[str, dict[str, list[str]]]) -> set[str]:
    nodes = [n for t in targets.values() if "blocked" in t["state"] for n in t.get("mechanism") or []]
    return {".".join(n.split(".")[:2]) for n in nodes}


def _innocents() -> list[str]:
    return [case for case, (_, targets) in CASES.items() if not _kinds(targets)]


@pytest.mark.parametrize("technique", TECHNIQUES)
@pytest.mark.parametrize("case", _innocents())
def test_an_innocent_sample_is_acquitted(case: str, technique: str) -> None:
    assert [
        (v.target, [m.node for m in v.mechanisms]) for v in _verdicts(case, technique) if v.state == "blocked"
    ] == []


@pytest.mark.parametrize("technique", DIAGONAL)
@pytest.mark.parametrize("case", CASES)
def test_a_technique_alone_convicts_only_its_own_kind(case: str, technique: str) -> None:
    kinds = {".".join(m.node.split(".")[:2]) for v in _verdicts(case, technique) for m in v.mechanisms}
    assert kinds <= set(DIAGONAL[technique]) & _kinds(CASES[case][1])


@pytest.mark.parametrize("technique", DIAGONAL)
def test_every_technique_convicts_some_sample_alone(technique: str) -> None:
    own = [c for c, (_, targets) in CASES.items() if _kinds(targets) & set(DIAGONAL[technique])]
    convicted = [c for c in own if any(v.state == "blocked" for v in _verdicts(c, technique))]
    assert len(convicted) >= 3, f"{technique} convicts {convicted} of {own}"


def test_names_that_are_not_the_target_stay_unblocked_in_guilty_samples() -> None:
    wrong = []
    for case, (_, targets) in CASES.items():
        guilty = {name for name, t in targets.items() if "blocked" in t["state"]}
        wrong += [(case, v.target) for v in _verdicts(case, "all") if v.state == "blocked" and v.target not in guilty]
    assert wrong == []
