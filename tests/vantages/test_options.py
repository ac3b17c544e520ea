"""The options that say where a capture was taken, as a user meets them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys

import pytest


def analyse(*words):
    return subprocess.run(
        [sys.executable, "-m", "fingerprint", "analyse", *map(str, words)],
        capture_output=True, text=True, check=False, timeout=120, env={**os.environ, "FINGERPRINT_TABLES": ""},
    )  # fmt: skip


@pytest.fixture
def file(samples, tmp_path):
    sample = next(s for s in samples if s.parent.name == "sni_forged_reset")
    return shutil.copy(sample, tmp_path / "run.pcapng")


ALL = ("--vantage", "cafe", "--provider", "Example Net", "--asn", "AS64500", "--country", "pk", "--place", "Lahore",
       "--note", "a guest's line")  # fmt: skip


def test_a_report_says_where_it_was_taken_as_its_user_said(file):
    made = json.loads(analyse(file, "--json", *ALL).stdout)
    assert made["captures"][0]["vantage"] == {
        "name": "cafe", "asn": 64500, "provider": "Example Net", "country": "PK", "place": "Lahore",
        "note": "a guest's line", "clock": None, "simulated": None,
    }  # fmt: skip
    assert {t["vantage"] for t in made["targets"]} == {"cafe"}
    said = analyse(file, *ALL).stdout
    assert "seen from cafe" in said
    assert "taken at cafe, Example Net, AS64500, Lahore, PK; a guest's line" in said


def test_nobody_is_told_where_it_was_taken_who_was_not_told(file):
    made = json.loads(analyse(file, "--json").stdout)
    assert set(made["captures"][0]["vantage"].values()) == {None}
    assert {t["vantage"] for t in made["targets"]} == {None}


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--country", "PAK"], "--country is 'PAK'; want two letters"),
        (["--asn", "Example Net"], "--asn is 'Example Net'; want a number"),
        (["--vantage", " "], "--vantage is empty"),
    ],
)
def test_a_slip_in_an_option_stops_before_anything_is_read(file, words, says):
    done = analyse(file, *words)
    assert done.returncode == 2
    assert done.stdout == ""
    assert says in done.stderr


def test_options_may_be_words_that_would_steer_a_terminal_and_do_not(file):
    done = analyse(file, "--vantage", "ca\x1b[31mfe")
    assert "\x1b" not in done.stdout
    assert "seen from ca\\x1b[31mfe" in done.stdout


def test_a_broken_sidecar_makes_the_answer_partial(file, tmp_path):
    (tmp_path / "run.vantage.toml").write_text("country = 'Pakistan'")
    done = analyse(file, "--json")
    assert done.returncode == 3
    assert "run.vantage.toml: country is 'Pakistan'" in json.loads(done.stdout)["errors"][0]["error"]


def test_a_report_for_people_says_that_it_is_about_a_simulation_and_how_the_clock_stood(file, tmp_path):
    assert "simulation" not in analyse(file).stdout
    assert "taken at" not in analyse(file).stdout
    (tmp_path / "run.vantage.toml").write_text(
        "simulated = 'an evening'\n[clock]\noffset_s = -1.5\nerror_s = 0.2\nsource = 'ntp'"
    )
    assert "a simulation (an evening); clock -1.500 s (± 0.2 s, by ntp)" in analyse(file).stdout
