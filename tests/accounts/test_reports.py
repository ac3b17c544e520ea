"""Reports as accounts: what is broken is named, what is whole counts, and nobody's target goes to another's vantage."""

from __future__ import annotations

import json

import pytest

from captures.errors import CaptureError
from fingerprint.accounts.reports import accounts, is_report
from tests.incident.by_hand import document, mechanism, target

SHA = "ab" * 32


def written(folder, told, name="report.json"):
    path = folder / name
    path.write_text(told if isinstance(told, str) else json.dumps(told))
    return path


def two_captures(one, other, targets):
    whole = document(targets, sha=SHA)
    first = whole["captures"][0]
    whole["captures"] = [
        {**first, "file": "a.pcapng", **one},
        {**first, "file": "b.pcapng", "sha256": "cd" * 32, **other},
    ]
    return whole


def test_a_report_of_one_capture_is_one_account(tmp_path):
    path = written(tmp_path, document([target("a.test", 0), target("b.test", 1, "blocked")], sha=SHA))
    assert is_report(path)
    (made,), problems = accounts(path)
    assert made.sha256 == SHA
    assert [t["target"] for t in made.document["targets"]] == ["a.test", "b.test"]
    assert problems == ()


def test_lines_of_targets_and_a_summary_are_the_same_report(tmp_path):
    whole = document([target("a.test", 0), target("b.test", 1, "blocked")], sha=SHA)
    targets = whole.pop("targets")
    lines = [*({"kind": "target", **t} for t in targets), {"kind": "summary", **whole}]
    path = written(tmp_path, "\n".join(map(json.dumps, lines)) + "\n", "report.jsonl")
    assert is_report(path)
    (made,), _ = accounts(path)
    assert [t["target"] for t in made.document["targets"]] == ["a.test", "b.test"]


def test_fields_that_an_older_version_did_not_write_are_filled(tmp_path):
    one = target("a.test", 0, "blocked")
    del one["mechanisms"][0]["rate_interval_bps"]
    path = written(tmp_path, document([one], sha=SHA))
    (made,), _ = accounts(path)
    told = made.document["targets"][0]
    assert (told["worked"], told["failed"], told["flows"]) == (None, None, [])
    assert told["mechanisms"][0]["rate_interval_bps"] is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("state", "censored"),
        ("first", "yesterday"),
        ("first", "2020-13-17T15:00:00.000000000Z"),
        ("mechanisms", None),
        ("endpoints", [7]),
        ("worked", ["2020-05-17T15:00:00.000000000Z"]),
        ("target", 7),
        ("mechanisms", [mechanism()]),
    ],
)
def test_a_target_that_is_broken_is_named_and_the_others_count(tmp_path, field, value):
    broken = {**target("a.test", 0), field: value}
    whole = document([target("a.test", 0), target("b.test", 1)], sha=SHA)
    whole["targets"][0] = broken
    (made,), problems = accounts(written(tmp_path, whole))
    assert [t["target"] for t in made.document["targets"]] == ["b.test"]
    assert "target 0 of report.json" in problems[0].says


@pytest.mark.parametrize(
    "told",
    ["", "{", "[]", "{}", '{"schema": "fingerprint/report/2"}', '{"schema": "fingerprint/report/1"}', "[" * 100_000],
)
def test_what_is_no_report_is_an_error_and_never_an_empty_one(tmp_path, told):
    with pytest.raises(CaptureError):
        accounts(written(tmp_path, told))


def test_lines_that_end_before_their_summary_are_an_error(tmp_path):
    line = json.dumps({"kind": "target", **target("a.test", 0)})
    with pytest.raises(CaptureError, match="before its summary"):
        accounts(written(tmp_path, line + "\n", "report.jsonl"))


def test_a_report_of_two_captures_is_two_accounts_each_with_its_targets(tmp_path):
    here = {"name": "Alpha", "asn": None, "provider": None, "country": None}
    there = {**here, "name": "Beta"}
    mine, theirs = target("a.test", 0, "blocked"), target("a.test", 0, "blocked")
    theirs["mechanisms"][0]["evidence"][0]["capture"] = 1
    whole = two_captures({"vantage": here}, {"vantage": there}, [mine, theirs])
    one, other = accounts(written(tmp_path, whole))[0]
    assert (one.vantage.key, other.vantage.key) == ("Alpha", "Beta")
    assert (one.file, other.file) == ("a.pcapng", "b.pcapng")
    assert len(one.document["targets"]) == len(other.document["targets"]) == 1
    assert other.document["targets"][0]["mechanisms"][0]["evidence"][0]["capture"] == 0


def test_a_target_that_may_be_of_either_vantage_is_left_out_and_named(tmp_path):
    here = {"name": "Alpha", "asn": None, "provider": None, "country": None}
    whole = two_captures({"vantage": here}, {"vantage": {**here, "name": "Beta"}}, [target("a.test", 0)])
    made, problems = accounts(written(tmp_path, whole))
    assert [len(a.document["targets"]) for a in made] == [0, 0]
    assert "may be of several vantages" in problems[0].says
    same = two_captures({"vantage": here}, {"vantage": here}, [target("a.test", 0)])
    made, problems = accounts(written(tmp_path, same))
    assert [len(a.document["targets"]) for a in made] == [1, 0]
    assert problems == ()


def test_targets_that_are_counted_and_not_listed_are_a_problem(tmp_path):
    whole = document([target("a.test", 0)], sha=SHA)
    whole["summary"]["targets"] = 1200
    _, problems = accounts(written(tmp_path, whole))
    assert "1199 targets" in problems[0].says


def test_other_files_are_no_reports(tmp_path):
    assert not is_report(written(tmp_path, '{"measurement_start_time": "2020-05-17 17:00:00"}'))
    assert not is_report(tmp_path)
    assert not is_report(tmp_path / "nothing.json")
