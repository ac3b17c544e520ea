"""What the project promises about itself: versions, dependencies, contracts, wheels, words it never uses."""

from __future__ import annotations

import importlib.metadata
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import captures
import fingerprint

ROOT = Path(__file__).parents[1]
# Made for this field and no more than needed; whoever adds one defends it here.
RUNTIME = {"scapy", "cryptography", "pyshark", "typer", "rich", "numpy", "dnspython", "h11", "jinja2"}


@pytest.fixture(scope="module")
def project():
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def source_only():
    if not (ROOT / "Makefile").exists():
        pytest.skip("tests run against an installed package here")


def test_one_version_everywhere(project):
    assert project["version"] == fingerprint.__version__ == importlib.metadata.version("censorship-fingerprint")


def test_runtime_dependencies_are_exactly_these(project):
    assert {re.split(r"[<>=!~]", d)[0] for d in project["dependencies"]} == RUNTIME
    assert "pyshark==0.6" in project["dependencies"]


def test_the_command_and_the_entry_point_are_installed():
    points = importlib.metadata.entry_points(group="fingerprint.techniques")
    assert [p.value for p in points if p.name == "builtin"] == ["techniques"]
    assert Path(sys.executable).with_name("fingerprint").exists()


def test_samples_are_installed_and_tests_are_not():
    assert list(Path(captures.__file__).parent.glob("samples/*/capture.*"))
    files = importlib.metadata.files("censorship-fingerprint") or []
    assert not [f for f in files if str(f).startswith("tests/")]


def test_a_wheel_made_without_a_compiler_is_tested_without_one():
    if os.environ.get("FINGERPRINT_WHEEL") not in ("plain", "compiled"):
        pytest.skip("only where a wheel is being tested")
    expected = "compiled" if os.environ["FINGERPRINT_WHEEL"] == "compiled" else "plain Python"
    assert captures.core_in_use() == expected
    assert not Path(captures.__file__).is_relative_to(ROOT)


def test_no_file_is_longer_than_four_hundred_lines():
    source_only()
    files = [f for folder in ("captures", "fingerprint", "techniques") for f in (ROOT / folder).rglob("*.py")]
    long = {f.relative_to(ROOT).as_posix(): n for f in files if (n := len(f.read_text().splitlines())) > 400}
    assert not long


def test_no_module_has_a_vague_name():
    source_only()
    vague = {"utils", "util", "helpers", "common", "manager", "misc", "info", "pkt", "res"}
    assert not [
        f
        for folder in ("captures", "fingerprint", "techniques")
        for f in (ROOT / folder).rglob("*.py")
        if f.stem in vague
    ]


def test_every_lint_ignore_has_its_reason():
    source_only()
    inside = False
    for line in (ROOT / "pyproject.toml").read_text().splitlines():
        inside = line == "ignore = [" or (inside and line != "]")
        if inside and line.strip().startswith('"'):
            assert "# " in line, line


@pytest.mark.slow
def test_imports_go_one_way():
    source_only()
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"], cwd=ROOT, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stdout.decode()
