"""The tutorial does what it says: its files are written, its commands are run, in order, in an empty folder."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[1] / "docs" / "tutorial" / "write-a-technique.md"
# A block of code: a shell session, or a file with its name as caption; a comment above may say that it is not run.
BLOCK = re.compile(
    r"(?P<aside>^% not run: .*\n\n)?^```(?:(?P<shell>console)|\{code-block\} \w+\n:caption: (?P<file>\S+)\n)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)

pytestmark = pytest.mark.skipif(not PAGE.exists(), reason="the documentation is not installed")


class Reader:
    """Somebody who does everything that the page says."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        self.environment = {**os.environ, "PATH": path, "NO_COLOR": "1", "PYTHONDONTWRITEBYTECODE": "1"}
        self.environment |= {"PYTEST_ADDOPTS": "-p no:cacheprovider"}

    def session(self, text: str) -> None:
        """Commands, each with what it must print: every line in order, ``…`` standing for anything."""
        for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
            command, *shown = part.rstrip("\n").split("\n")
            where = self.folder.parent / "where"
            script = f"{command}\nstatus=$?; pwd > '{where}'; exit $status"
            done = subprocess.run(
                ["bash", "-c", script], cwd=self.folder, env=self.environment, capture_output=True, text=True,
                check=False, timeout=120,
            )  # fmt: skip
            self.folder = Path(where.read_text().strip())
            where.unlink()
            assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
            said = iter(re.sub(r"\s+", " ", line) for line in done.stdout.splitlines())
            for line in shown:
                wanted = re.escape(re.sub(r"\s+", " ", line).strip()).replace("…", ".*").replace(r"\ .*", ".*")
                assert any(re.search(wanted, heard) for heard in said), (
                    f"{command} does not print {line!r}: {done.stdout}"
                )

    def file(self, name: str, text: str) -> None:
        """A file of the page, in the folder where the reader is."""
        (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / name).write_text(text)


def test_the_tutorial_takes_a_reader_to_a_tested_technique(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    reader, done = Reader(home), 0
    for block in BLOCK.finditer(PAGE.read_text()):
        if block["aside"]:
            continue
        done += 1
        if block["shell"]:
            reader.session(block["text"])
        else:
            reader.file(block["file"], block["text"])
    assert done >= 12
    assert reader.folder == home / "hasty_goodbye"


def test_no_block_of_it_is_overlooked():
    text = PAGE.read_text()
    assert len(BLOCK.findall(text)) == text.count("\n```{code-block}") + text.count("\n```console\n")
    assert "```python" not in text


def test_its_minutes_are_fewer_than_thirty():
    minutes = [int(m) for m in re.findall(r"^## .*\((\d+) minutes", PAGE.read_text(), re.MULTILINE)]
    assert len(minutes) >= 5
    assert sum(minutes) <= 30
