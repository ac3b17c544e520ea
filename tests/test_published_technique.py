"""The package that the documentation shows installs without a network, is seen, and passes its own test."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[1] / "docs" / "examples" / "shut-windows"

pytestmark = pytest.mark.skipif(not EXAMPLE.exists(), reason="the documentation is not installed")


def run(*words, folder: Path, cwd: Path | None = None):
    paths = os.pathsep.join(filter(None, (str(folder), os.environ.get("PYTHONPATH"))))
    environment = {**os.environ, "PYTHONPATH": paths, "NO_COLOR": "1"}
    return subprocess.run(
        [sys.executable, "-m", *map(str, words)], capture_output=True, text=True, check=False, env=environment, cwd=cwd
    )


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A folder with the package installed into it, and the sources it came from."""
    if importlib.util.find_spec("hatchling") is None and not os.environ.get("CI"):
        pytest.skip("hatchling is not here to build it; `make ready-dev` installs it")
    sources = tmp_path_factory.mktemp("sources") / EXAMPLE.name
    shutil.copytree(EXAMPLE, sources, ignore=shutil.ignore_patterns("__pycache__", ".pytest_cache"))
    folder = tmp_path_factory.mktemp("installed")
    done = run(
        "pip", "install", "--quiet", "--no-index", "--no-deps", "--no-build-isolation", "--disable-pip-version-check",
        "--target", folder, sources, folder=folder,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return folder, sources


def test_it_takes_part_by_being_installed(installed):
    folder, _ = installed
    listed = run("fingerprint", "techniques", folder=folder).stdout.splitlines()
    assert [line.split()[0] for line in listed if line.startswith("window-shut")] == ["window-shut"]
    assert any(line.startswith("sni-filtering") for line in listed)
    assert "window-stays-shut" in run("fingerprint", "explain", "window-shut", folder=folder).stdout


def test_it_is_not_there_when_it_is_not_installed(tmp_path):
    assert "window-shut" not in run("fingerprint", "techniques", folder=tmp_path).stdout


def test_its_own_test_passes(installed):
    folder, sources = installed
    done = run("pytest", "-q", "-p", "no:cacheprovider", folder=folder, cwd=sources)
    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout


def test_the_page_shows_every_file_that_matters():
    page = (EXAMPLE.parents[1] / "howto" / "publish-a-technique.md").read_text()
    shown = [EXAMPLE / name for name in ("pyproject.toml", "shut_windows/window_shut.py", "tests/test_window_shut.py")]
    assert all(f"../examples/shut-windows/{file.relative_to(EXAMPLE).as_posix()}" in page for file in shown)
