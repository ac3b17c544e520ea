"""A script is optional knowledge: it names the controls and says how a run went, and no finding rests on it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import captures
from fingerprint.engine import analyse
from fingerprint.plugins.registry import load
from fingerprint.report.document import as_dict
from fingerprint.script import Script, ScriptStep, ScriptTarget, path_of, write
from fingerprint.verdict.model import Report

SAMPLE = Path(captures.__file__).parent / "samples" / "sni_hello_dropped" / "capture.pcapng"
START_NS = 1_589_736_600 * 10**9


def _target(name: str, *controls: str) -> ScriptTarget:
    return ScriptTarget(
        name=name, addresses=(), port=443, secure=True, path="/", controls=tuple((c, ()) for c in controls),
        resolvers=(), seed=1,
    )  # fmt: skip


def _step(number: int, from_s: float) -> ScriptStep:
    return ScriptStep(
        number=number, target="chatter.test", technique="sni-filtering", label="hello", role="target", seeks="mechanism",
        trial=0, kind="Hello", message={}, from_ns=START_NS + int(from_s * 1e9), until_ns=START_NS, listen_s=2.0,
        local_port=None, outcome="silent",
    )  # fmt: skip


def _script(**changes: object) -> Script:
    fields: dict[str, object] = {
        "tool": "0.1.0", "seed": 1, "order": "fixed", "hello": "stdlib", "recorder": "af-packet", "capture_all": False,
        "residual_s": 180.0, "began_ns": START_NS, "ended_ns": START_NS + 10**12,
        "targets": (_target("chatter.test", "library.test"),), "steps": (),
    }  # fmt: skip
    return Script(**{**fields, **changes})  # type: ignore[arg-type]


def _run(folder: Path, script: Script | None) -> Path:
    path = folder / "run.pcapng"
    shutil.copy(SAMPLE, path)
    if script is not None:
        write(script, path_of(path))
    return path


def _report(path: Path) -> Report:
    return analyse([str(path)], techniques=load())


def test_only_a_script_gives_the_role_of_a_control(tmp_path: Path) -> None:
    told = {v.target: v.role for v in _report(_run(tmp_path, _script())).verdicts}
    assert told["library.test"] == "control"
    assert told["chatter.test"] is None
    (tmp_path / "run.script.json").unlink()
    assert {v.role for v in _report(tmp_path / "run.pcapng").verdicts} == {None}


def test_a_script_changes_no_state_and_no_mechanism(tmp_path: Path) -> None:
    def answers() -> list[tuple[str, str, tuple[str, ...]]]:
        return [(v.target, v.state, tuple(m.node for m in v.mechanisms)) for v in _report(path).verdicts]

    path = _run(tmp_path, _script(partial="interrupted", capture_all=True, steps=(_step(1, 5), _step(2, 1))))
    with_script = answers()
    path_of(path).unlink()
    assert answers() == with_script


def test_what_a_run_says_of_itself_stands_among_the_quality_of_its_file(tmp_path: Path) -> None:
    report = _report(_run(tmp_path, _script(partial="interrupted", capture_all=True, steps=(_step(1, 5), _step(2, 1)))))
    assert {q.issue for q in report.captures[0].quality} >= {"capture-all", "partial", "run-clock"}
    assert report.partial == "interrupted"
    plain = _report(_run(tmp_path, _script(steps=(_step(1, 1), _step(2, 5)))))
    assert not {q.issue for q in plain.captures[0].quality} & {"capture-all", "partial", "run-clock"}
    assert plain.partial is None


@pytest.mark.parametrize(
    "broken",
    [
        "",
        "[]",
        "{}",
        '{"schema": "fingerprint/script/2"}',
        "[" * 100_000,
        json.dumps({"schema": "fingerprint/script/1"}),
    ],
)
def test_a_broken_script_is_named_and_left_out(tmp_path: Path, broken: str) -> None:
    path = _run(tmp_path, None)
    path_of(path).write_text(broken)
    report = _report(path)
    assert [e for e in report.errors if "run.script.json" in e.error]
    assert [v.state for v in report.verdicts if v.target == "chatter.test"] == ["blocked"]


def test_a_script_with_a_number_that_is_none_is_left_out(tmp_path: Path) -> None:
    path = _run(tmp_path, _script(steps=(_step(1, 1),)))
    text = path_of(path).read_text()
    path_of(path).write_text(text.replace(f'"from_ns": {START_NS + 10**9}', '"from_ns": "soon"'))
    assert [e for e in _report(path).errors if "run.script.json" in e.error]


def test_the_script_of_another_time_is_left_out(tmp_path: Path) -> None:
    report = _report(_run(tmp_path, _script(began_ns=0, ended_ns=1)))
    assert [e for e in report.errors if "another time" in e.error]
    assert {v.role for v in report.verdicts} == {None}


def test_two_runs_of_the_analysis_give_equal_bytes(tmp_path: Path) -> None:
    path = _run(tmp_path, _script(partial="interrupted"))
    assert json.dumps(as_dict(_report(path))) == json.dumps(as_dict(_report(path)))
