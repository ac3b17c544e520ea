"""What `fingerprint new-technique` writes runs at once, whatever its name, and it refuses what cannot be."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from captures.errors import TargetError
from fingerprint.authors import scaffold
from fingerprint.plugins import registry
from fingerprint.testing import blocked, run_behind
from tests.lab.laboratories import needs_a_laboratory

ROOT = Path(__file__).parents[2]
NAMES = ("late-surprise", "ab", "an-unusually-long-name-for-what-is-done")


def fingerprint(*words, cwd=None):
    command = [sys.executable, "-m", "fingerprint", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, cwd=cwd)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made")
    return {name: scaffold.new_technique(name, folder) for name in NAMES}


def test_the_command_says_what_it_wrote_and_what_is_next(tmp_path):
    done = fingerprint("new-technique", "late-surprise", "--into", tmp_path)
    assert done.returncode == 0, done.stderr
    assert "late_surprise.py" in done.stdout
    assert f"Next: cd {tmp_path / 'late_surprise'} && python -m pytest" in done.stdout
    assert sorted(p.name for p in (tmp_path).iterdir()) == ["late_surprise"]
    names = {p.relative_to(tmp_path / "late_surprise").as_posix() for p in (tmp_path / "late_surprise").rglob("*.*")}
    assert {"late_surprise.py", "lab/censor.py", "tests/test_late_surprise.py"} <= names
    assert {f"samples/blocked/{file}" for file in ("make.py", "expected.json", "about.md", "capture.pcapng")} <= names


@pytest.mark.parametrize("name", NAMES)
def test_its_own_tests_pass_at_once(name, made):
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=made[name],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "5 passed" in done.stdout


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_left_of_the_name_in_the_template(name, made):
    for file in made[name].rglob("*"):
        if file.suffix in (".py", ".md", ".json"):
            assert not any(
                old in file.read_text().lower() for old in ("stamped_reset", "stamped-reset", "stampedreset")
            )


@pytest.mark.parametrize("name", NAMES)
def test_it_is_analysed_with_from_a_file_and_from_its_folder(name, made):
    folder = made[name]
    file = folder / f"{name.replace('-', '_')}.py"
    for plugins in (file, folder):
        capture = folder / "samples" / "blocked" / "capture.pcapng"
        done = fingerprint("analyse", capture, "--plugins", plugins, "--technique", name, "--json")
        assert done.returncode == 0, done.stderr
        (target,) = [t for t in json.loads(done.stdout)["targets"] if t["state"] == "blocked"]
        assert [m["mechanism"] for m in target["mechanisms"]] == ["http.reset.host"]
    said = fingerprint("explain", name, "--plugins", file).stdout
    assert "reset-carries-a-stamp" in said


@pytest.mark.parametrize("name", NAMES)
def test_what_it_writes_is_formatted_linted_and_typed(name, made):
    if not (ROOT / "Makefile").exists():
        pytest.skip("tests run against an installed package here")
    bin_ = Path(sys.executable).parent
    # In a folder of its own a recipe or a test is no package, as with the samples and tests here.
    config = ["--config", str(ROOT / "pyproject.toml"), "--no-cache"]
    for command in (
        [bin_ / "ruff", "format", "--check", *config, made[name]],
        [bin_ / "ruff", "check", *config, "--extend-ignore", "INP001", made[name]],
        [bin_ / "mypy", "--strict", "--no-error-summary", "--cache-dir", os.devnull, made[name] / f"{name.replace('-', '_')}.py", made[name] / "lab" / "censor.py"],
        [bin_ / "mypy", "--strict", "--no-error-summary", "--cache-dir", os.devnull, *made[name].glob("tests/*.py")],
    ):  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=made[name])
        assert done.returncode == 0, done.stdout + done.stderr


def test_underscores_are_hyphens(tmp_path):
    assert scaffold.new_technique("late_surprise", tmp_path).name == "late_surprise"


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("LateSurprise", "is no name for a technique"),
        ("late surprise", "is no name for a technique"),
        ("late--surprise", "is no name for a technique"),
        ("-late", "is no name for a technique"),
        ("../late", "is no name for a technique"),
        ("a-late", "is no name for a technique"),
        ("late-2", "is no name for a technique"),
        ("überraschung", "is no name for a technique"),
        ("", "is no name for a technique"),
        ("dns", "says to what it is done and not what"),
        ("utils", "says to what it is done and not what"),
        ("clue", "a word that the file itself needs"),
        ("lambda", "a word that the file itself needs"),
        ("sni-filtering", "there is a technique 'sni-filtering' already"),
    ],
)
def test_a_name_that_cannot_be_is_refused(name, says, tmp_path):
    with pytest.raises(TargetError, match=says):
        scaffold.new_technique(name, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_what_exists_is_left_alone(tmp_path):
    (tmp_path / "late_surprise").mkdir()
    with pytest.raises(TargetError, match="exists already"):
        scaffold.new_technique("late-surprise", tmp_path)
    with pytest.raises(TargetError, match="no such folder"):
        scaffold.new_technique("late-surprise", tmp_path / "gone")
    assert list((tmp_path / "late_surprise").iterdir()) == []


def test_the_command_refuses_in_one_sentence(tmp_path):
    done = fingerprint("new-technique", "Late", "--into", tmp_path)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("fingerprint: 'Late' is no name")


def test_all_techniques_together_say_the_same_of_its_censor(made):
    censor = made["late-surprise"] / "lab" / "censor.py"
    assert blocked(run_behind(f"{censor}:Censor", secure=False)).keys() == {"forum.test"}
    assert blocked(run_behind(f"{censor}:Innocent", None, secure=False)).keys() <= {"forum.test"}


@pytest.mark.lab
@pytest.mark.parametrize(("box", "nodes"), [("Censor", ["http.reset.host"]), ("Innocent", [])])
def test_it_convicts_its_censor_between_real_stacks(box, nodes, made, tmp_path):
    needs_a_laboratory()
    folder = made["late-surprise"]
    done = fingerprint(
        "lab", "run", "--censor", f"{folder / 'lab' / 'censor.py'}:{box}", "--residual", "2", "--",
        sys.executable, "-m", "fingerprint", "run", "http://forum.test/", "--control", "garden.test", "--residual", "2",
        "--yes", "--plugins", folder / "late_surprise.py", "--technique", "late-surprise", "--resolver", "81.17.25.53",
        "-w", tmp_path / "run.pcapng", "--json",
    )  # fmt: skip
    document = json.loads(done.stdout)
    assert not document["errors"]
    found = [m["mechanism"] for t in document["targets"] if t["target"] == "forum.test" for m in t["mechanisms"]]
    assert found == nodes, done.stderr


def test_the_template_is_a_technique_like_any_other():
    loaded = registry.load([scaffold.TEMPLATE])
    assert not loaded.failures
    assert "stamped-reset" in dict(loaded.techniques)
