"""`fingerprint demo`: a block, the report of a simulated evening on disk, and what the public facts alone allow."""

from __future__ import annotations

import re

import pytest

from captures.errors import TargetError
from fingerprint import exits
from fingerprint.verbs import demonstration


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    """What it printed, and the page that it wrote."""
    import contextlib
    import io

    page, said = tmp_path_factory.mktemp("demo") / "fingerprint-incident.html", io.StringIO()
    with contextlib.redirect_stdout(said):
        assert demonstration.show(out=page) == exits.ANSWERED
    return re.sub(r"\s+", " ", said.getvalue()), page


def test_it_begins_with_one_block_and_ends_with_what_to_try_next(shown):
    said, _ = shown
    assert (
        said.index("tls.reset.sni") < said.index("SIMULATION") < said.index("insufficient:") < said.index("Try next:")
    )


def test_the_report_of_the_evening_is_on_disk_and_says_that_it_is_simulated(shown):
    said, page = shown
    written = page.read_text(encoding="utf-8")
    assert "simulation" in written.lower()
    assert "kestrelline" in written
    assert str(page) in said.replace(" ", "")


def test_the_paragraph_names_what_fell_together_and_where(shown):
    said, _ = shown
    told = said[said.index("SIMULATION") : said.index("public-facts.toml")]
    assert all(word in told for word in ("Twitter", "Periscope", "Zoom", "kestrelline", "pomelonet"))
    assert "outage of Zoom is unrelated" in told


def test_its_own_page_is_written_again(shown, capsys):
    _, page = shown
    before = page.read_bytes()
    demonstration.show(out=page)
    assert page.read_bytes() == before
    assert capsys.readouterr().out


def test_a_strangers_file_is_left_alone(tmp_path, capsys):
    page = tmp_path / "fingerprint-incident.html"
    page.write_text("<html>my holiday</html>")
    with pytest.raises(TargetError, match="no page of this tool"):
        demonstration.show(out=page)
    assert page.read_text() == "<html>my holiday</html>"
    assert capsys.readouterr().out == ""


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(TargetError, match="make it first"):
        demonstration.show(out=tmp_path / "nowhere" / "page.html")
