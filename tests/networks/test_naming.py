"""A report says in whose network a router answered, by which table, and when that table is too old to say."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from fingerprint import networks
from fingerprint.networks.naming import located, named
from fingerprint.technique import Location
from tests.report.by_hand import capture, mechanism, report, verdict

MAY = "45.83.220.0\t24\t64501\n45.83.221.0\t24\t64502_64503\n"
# 17 May 2020, 12:00 UTC
THEN_NS = 1_589_716_800 * 10**9


@pytest.fixture
def table(tmp_path):
    (tmp_path / "x-20200517.pfx2as").write_text(MAY)
    return networks.load(tmp_path / "x-20200517.pfx2as")


def at(address, asn=None):
    return Location(hop=3, link=(2, 3), address=address, asn=asn)


@pytest.mark.parametrize(
    ("address", "asn"), [("45.83.220.1", 64501), ("45.83.221.1", None), ("9.9.9.9", None), (None, None)]
)
def test_a_router_s_network_is_named_where_one_alone_announces_it(table, address, asn):
    made = named(report(verdict(mechanisms=(mechanism(location=at(address)),))), table)
    assert made.verdicts[0].mechanisms[0].location == at(address, asn)


def test_a_mechanism_without_a_place_stays_as_it_was(table):
    whole = report(verdict(mechanisms=(mechanism(location=None),)), verdict("b.test", "ok"))
    assert named(whole, table).verdicts == whole.verdicts


def test_a_report_names_the_table_with_its_date_and_hash(table):
    assert named(report(verdict()), table).tables[-1] == ("networks", "2020-05-17", table.sha256)
    assert named(report(verdict()), None) == report(verdict())


def test_a_table_of_another_time_is_doubted_at_each_capture_and_one_of_the_same_is_not(table):
    old, now = capture(first_ns=THEN_NS - 40 * 86_400 * 10**9), capture(first_ns=THEN_NS)
    made = named(report(verdict(), captures=(old, now)), table)
    issues = [[q.issue for q in c.quality if q.issue == "networks-date"] for c in made.captures]
    assert issues == [["networks-date"], []]


def test_what_could_not_be_read_of_a_table_is_an_error_of_the_report(tmp_path):
    (tmp_path / "x-20200517.pfx2as").write_text("junk\n" + MAY)
    made = named(report(verdict()), networks.load(tmp_path / "x-20200517.pfx2as"))
    assert [e.error for e in made.errors] == ["x-20200517.pfx2as: line 1 of 3 cannot be read and is left out"]


def test_a_place_that_has_a_network_keeps_it(table):
    assert located(at("9.9.9.9"), table) == at("9.9.9.9")


def analyse(*words):
    return subprocess.run(
        [sys.executable, "-m", "fingerprint", "analyse", "--json", *map(str, words)],
        capture_output=True, text=True, check=False, timeout=120, env={**os.environ, "FINGERPRINT_TABLES": ""},
    )  # fmt: skip


def test_on_the_command_line_the_router_before_an_injector_gets_its_number(samples, tmp_path):
    sample = next(s for s in samples if s.parent.name == "sni_ttl_sweep")
    place = json.loads(analyse(sample).stdout)["targets"][0]["mechanisms"][0]["location"]
    assert place["address"]
    assert place["asn"] is None
    table = tmp_path / "x-20200517.pfx2as"
    table.write_text(f"{place['address']}\t32\t64500\n")
    made = json.loads(analyse(sample, "--networks", table).stdout)
    assert made["targets"][0]["mechanisms"][0]["location"]["asn"] == 64500
    assert made["tables"][-1]["name"] == "networks"
    said = subprocess.run(
        [sys.executable, "-m", "fingerprint", "analyse", sample, "--networks", table],
        capture_output=True, text=True, check=False, timeout=120, env={**os.environ, "FINGERPRINT_TABLES": ""},
    ).stdout  # fmt: skip
    assert f"({place['address']}, AS64500)" in said


def test_a_table_that_is_none_stops_before_anything_is_judged(samples, tmp_path):
    done = analyse(samples[0], "--networks", tmp_path / "nowhere")
    assert done.returncode == 2
    assert done.stdout == ""
    assert "want CAIDA's pfx2as" in done.stderr
