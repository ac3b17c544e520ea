"""An incident in Markdown: one page, its limits stated."""

from __future__ import annotations

import io
from dataclasses import replace

import by_hand
import pytest

from fingerprint.pages import write_markdown


def written(incident):
    out = io.StringIO()
    write_markdown(incident, by_hand.accounts(), out)
    return out.getvalue()


@pytest.fixture(scope="module")
def text():
    return written(by_hand.incident())


def test_it_is_one_page(text):
    # A page of print holds some seven hundred words; hashes and the table are no reading.
    prose = [line for line in text.splitlines() if line and not line.startswith(("|", "- `"))]
    assert sum(len(line.split()) for line in prose) < 900


def test_a_simulation_is_called_one_in_the_title(text):
    assert text.startswith("# Incident report (simulation)")
    assert "> **Simulation:**" in text
    assert not written(replace(by_hand.incident(), simulated=())).startswith("# Incident report (simulation)")


def test_the_table_has_every_role_and_vantage(text):
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert len(rows) == 2 + 6
    assert all(v.name in rows[0] for v in by_hand.VANTAGES)
    assert "✗ blocked `tls.reset.sni`" in text


def test_limits_are_stated(text):
    assert "## What is not known" in text
    assert "The test assumes:" in text
    assert "more files with their hashes" in text


def test_what_does_not_fit_is_counted():
    many = replace(by_hand.incident(), unknown=tuple(f"thing {n}" for n in range(30)))
    assert "- 22 more in the data." in written(many)
