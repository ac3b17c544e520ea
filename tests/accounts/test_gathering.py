"""Whatever is named becomes accounts by what is in it; what is named twice counts once."""

from __future__ import annotations

import json
import shutil

import pytest

from captures.errors import TargetError
from fingerprint.accounts.captured import Judging
from fingerprint.accounts.gathering import gather
from fingerprint.plugins.registry import load
from tests.incident.by_hand import document, target


@pytest.fixture(scope="module")
def how():
    return Judging(registry=load())


@pytest.fixture
def capture(tmp_path, samples):
    sample = next(s for s in samples if s.parent.name == "sni_forged_reset")
    return shutil.copy(sample, tmp_path / sample.name)


def test_a_capture_is_analysed_and_stays_at_hand(how, capture):
    (made,), problems = gather([str(capture)], how=how)
    assert made.kind == "packets"
    assert made.captures == (capture,)
    assert problems == ()
    blocked = next(t for t in made.document["targets"] if t["state"] == "blocked")
    assert "ladders" in blocked["mechanisms"][0]


def test_a_capture_and_its_report_are_one_account_with_the_packets_at_hand(how, capture, tmp_path):
    (made,), _ = gather([str(capture)], how=how)
    report = tmp_path / "report.json"
    report.write_text(json.dumps(made.document))
    for order in ([report, capture], [capture, report]):
        found, problems = gather([str(p) for p in order], how=how)
        assert len(found) == 1
        assert found[0].captures == (capture,)
        assert "counted once" in problems[0].says


def test_a_folder_is_read_whole_and_names_its_strangers(how, capture, tmp_path):
    (tmp_path / "report.json").write_text(json.dumps(document([target("a.test", 0)], sha="ab" * 32)))
    (tmp_path / "photo.jpg").write_bytes(b"\xff\xd8")
    (tmp_path / "about.md").write_text("beside it")
    found, problems = gather([str(tmp_path)], how=how)
    assert [a.file for a in found] == [capture.name, "x.pcapng"]
    assert [p.says for p in problems] == ["of no kind that is read, and left out: photo.jpg"]


def test_one_file_that_is_broken_does_not_end_the_others(how, tmp_path):
    (tmp_path / "broken.json").write_text('{"schema": "fingerprint/report/1"}')
    (tmp_path / "whole.json").write_text(json.dumps(document([target("a.test", 0)], sha="ab" * 32)))
    found, problems = gather([str(tmp_path)], how=how)
    assert len(found) == 1
    assert "broken.json" in problems[0].says


def test_what_is_not_there_is_a_problem(how, tmp_path):
    found, problems = gather([str(tmp_path / "nothing.pcap")], how=how)
    assert found == ()
    assert problems


def test_an_incident_is_no_account(how, tmp_path):
    path = tmp_path / "incident.json"
    path.write_text('{"schema": "fingerprint/incident/1"}')
    found, problems = gather([str(path)], how=how)
    assert found == ()
    assert "--compare" in problems[0].says


def test_what_people_told_counts_with_its_depth(how, tmp_path):
    path = tmp_path / "told.toml"
    path.write_text(
        'schema = "fingerprint/told/1"\n[source.a]\npublisher = "A paper"\nstanding = "read"\n[vantage.x]\nname = "X"\n'
        '[[statement]]\nvantage = "x"\nservice = "twitter"\nwhat = "slow"\nfrom = 2020-05-17T17:00:00Z\nby = ["a"]\n'
    )
    (made,), problems = gather([str(path)], how=how)
    assert made.kind == "told"
    assert made.document["targets"][0]["state"] == "insufficient"
    assert problems == ()


def test_parts_of_one_capture_that_do_not_overlap_are_all_counted(how, capture):
    from dataclasses import replace

    (made,), _ = gather([str(capture)], how=replace(how, part_s=5.0))
    parts = [c["part"] for c in made.document["captures"]]
    assert len(parts) > 1
    assert all(parts)


def test_nothing_is_a_request_at_fault(how):
    with pytest.raises(TargetError):
        gather([], how=how)
    with pytest.raises(TargetError):
        gather(["-", "-"], how=how)
