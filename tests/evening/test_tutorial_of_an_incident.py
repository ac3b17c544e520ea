"""The tutorial from captures to a report does what it says, command by command, in an empty folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.test_tutorial import BLOCK, Reader

PAGE = Path(__file__).parents[2] / "docs" / "tutorial" / "incident.md"

pytestmark = pytest.mark.skipif(not PAGE.exists(), reason="the documentation is not installed")


def test_it_takes_a_reader_from_captures_to_the_report(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    reader, done = Reader(home), 0
    for block in BLOCK.finditer(PAGE.read_text(encoding="utf-8")):
        if not block["aside"]:
            reader.session(block["text"])
            done += 1
    assert done >= 10
    written = (home / "evening" / "evening.html").read_text(encoding="utf-8")
    assert "simulation" in written.lower()
    assert (home / "fingerprint-incident.html").is_file()


def test_no_block_of_it_is_overlooked():
    text = PAGE.read_text(encoding="utf-8")
    assert len(BLOCK.findall(text)) == text.count("\n```console\n")
    assert "```python" not in text
