"""``fingerprint incident`` as a user meets it."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.incident.by_hand import rounds


def fingerprint(*words):
    return subprocess.run(
        [sys.executable, "-m", "fingerprint", "incident", *map(str, words)],
        capture_output=True,
        env={**os.environ, "NO_COLOR": "1"},
        check=False,
        timeout=120,
        text=True,
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder of reports of one evening, of two vantages."""
    here = tmp_path_factory.mktemp("evening")
    row = "." * 24 + "b" * 16 + "." * 8
    rows = {"twitter.com": row, "www.pscp.tv": row, "zoom.us": "..dddd......" + row[12:]}
    changes = {name: {"service": None, "role": None} for name in rows}
    for vantage in ("Alpha", "Beta"):
        for n, account in enumerate(rounds(vantage, rows, **changes)):
            for t in account.document["targets"]:
                t["service"], t["role"] = None, "control" if t["target"] == "control.test" else None
            place = {"name": vantage, "asn": None, "provider": None, "country": None}
            account.document["captures"][0]["vantage"] = place
            (here / f"{vantage}-{n:02}.json").write_text(json.dumps(account.document))
    return here


def test_a_summary_names_who_when_and_how_surely(folder):
    found = fingerprint(folder)
    assert found.returncode == 0
    words = " ".join(found.stdout.split())
    assert "Twitter (X), Periscope and Zoom" in words or "were blocked together (p = " in words
    assert "✗ blocked" in found.stdout
    assert "unrelated" in words
    assert "Not known" in found.stdout
    assert "Next" in found.stdout
    assert found.stdout.isprintable() or "\x1b" not in found.stdout


def test_json_goes_to_standard_output_alone_and_twice_the_same(folder):
    one, again = fingerprint(folder, "--json"), fingerprint(folder, "--json")
    told = json.loads(one.stdout)
    assert told["schema"] == "fingerprint/incident/1"
    assert told["answer"] == "blocked"
    assert one.stdout == again.stdout


def test_an_incident_compared_with_its_own_file_is_the_same_technique(folder, tmp_path):
    out = tmp_path / "incident.json"
    assert fingerprint(folder, "-o", out).returncode == 0
    found = fingerprint(folder, "--compare", out, "--json")
    (comparison,) = json.loads(found.stdout)["comparisons"]
    assert comparison["answer"] == "same technique"
    assert comparison["file"] == "incident.json"


def test_one_service_and_a_time_can_be_picked(folder):
    told = json.loads(fingerprint(folder, "--service", "zoom", "--until", "2020-05-17T16:00", "--json").stdout)
    assert [s["id"] for s in told["services"]] == ["zoom"]
    assert told["answer"] == "down"


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("{folder}", "--since", "yesterday"),
        ("{folder}", "--parts", "long"),
        ("{folder}", "--compare", "{folder}/Alpha-00.json"),
        ("{folder}", "-o", "{folder}/no/such/folder.json"),
    ],
)
def test_what_is_asked_wrongly_is_a_fault_of_the_command_line(folder, words):
    found = fingerprint(*(word.format(folder=folder) for word in words))
    assert found.returncode == 2
    assert "Traceback" not in found.stderr
    assert found.stdout == ""


def test_a_file_that_is_broken_makes_the_answer_partial_and_alone_it_fails(folder, tmp_path):
    broken = tmp_path / "broken.json"
    broken.write_text('{"schema": "fingerprint/report/1"}')
    partial = fingerprint(folder, broken, "--json")
    assert partial.returncode == 3
    assert "broken.json" in partial.stderr
    assert any("broken.json" in d["says"] for d in json.loads(partial.stdout)["doubts"])
    failed = fingerprint(broken, "--json")
    assert failed.returncode == 1
    assert json.loads(failed.stdout)["answer"] == "insufficient"


def test_every_form_is_written_in_one_run(folder, tmp_path):
    page, prose, table, whole = (tmp_path / name for name in ("o.html", "o.md", "o.csv", "o.json"))
    found = fingerprint(folder, "--html", page, "--md", prose, "--csv", table, "-o", whole)
    assert found.returncode == 0
    assert "Periscope" in page.read_text()
    assert "Periscope" in prose.read_text()
    assert len(table.read_text().splitlines()) > 48 * 2 * 3
    assert json.loads(whole.read_text())["answer"] == "blocked"
    assert found.stderr.count("wrote ") == 4
