"""The page about services shows what the program does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from fingerprint.services.reading import read
from fingerprint.services.roles import ROLES

PAGE = Path(__file__).parents[2] / "docs" / "howto" / "services.md"

pytestmark = pytest.mark.skipif(not PAGE.exists(), reason="the documentation is not installed")


def test_the_service_on_the_page_reads_as_one():
    (forum,) = re.findall(r"```toml\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert [e.role for e in read(forum.encode()).endpoints] == ["web", "media"]


def test_the_page_has_every_role_with_its_sentence():
    rows = dict(re.findall(r"^\| `(.*?)` \| (.*?) \|$", PAGE.read_text(), re.MULTILINE))
    assert rows == {role: known.says for role, known in ROLES.items()}
