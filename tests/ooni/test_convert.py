"""``fingerprint convert``: from whatever holds findings to whatever form is asked for."""

from __future__ import annotations

import csv
import io
import json

import pytest
from typer.testing import CliRunner

from captures.errors import TargetError
from fingerprint.__main__ import main
from fingerprint.accounts import ooni, reports
from fingerprint.cli.main import app
from tests.ooni.measurements import later, other_site, reset_after_hello, web, written

RUNNER = CliRunner()


@pytest.fixture
def measured(tmp_path):
    lines = [m for h in range(3) for m in (reset_after_hello(later(h)), other_site(later(h + 0.05)))]
    elsewhere = web(top={"probe_asn": "AS64501", "probe_network_name": "Indus Link", "report_id": "run-2"})
    return written(tmp_path / "measured.jsonl.gz", *lines, elsewhere)


def convert(*words, given=None):
    return RUNNER.invoke(app, ["convert", *map(str, words)], input=given, catch_exceptions=False)


def test_measurements_become_a_report_that_is_read_again_as_the_same_accounts(measured, tmp_path, valid):
    out = tmp_path / "report.json"
    assert convert(measured, "--to", "json", "-o", out).exit_code == 0
    document = json.loads(out.read_text())
    valid(document)
    assert document["summary"]["states"]["blocked"] == 1
    again, problems = reports.accounts(out)
    before, _ = ooni.accounts(measured)
    assert not problems
    assert [(a.kind, a.vantage) for a in again] == [(a.kind, a.vantage) for a in before]
    assert [a.document["targets"] for a in again] == [a.document["targets"] for a in before]


def test_lines_hold_the_same_as_a_document(measured, tmp_path):
    whole, lines = tmp_path / "a.json", tmp_path / "a.jsonl"
    convert(measured, "--to", "json", "-o", whole)
    convert(measured, "--to", "jsonl", "-o", lines)
    told = [json.loads(line) for line in lines.read_text().splitlines()]
    assert [t["kind"] for t in told] == ["target"] * 3 + ["summary"]
    rest = {key: value for key, value in told[-1].items() if key != "kind"}
    targets = [{key: value for key, value in t.items() if key != "kind"} for t in told[:-1]]
    assert {**rest, "targets": targets} == json.loads(whole.read_text())


def test_a_table_says_how_deep_each_row_goes(measured, samples):
    shown = convert(measured, samples[0], "--to", "csv")
    rows = list(csv.DictReader(io.StringIO(shown.stdout)))
    assert {r["kind"] for r in rows} == {"ooni", "packets"}
    (blocked,) = [r for r in rows if r["state"] == "blocked" and r["kind"] == "ooni"]
    assert (blocked["provider"], blocked["asn"], blocked["country"]) == ("Ravi Net", "64500", "PK")
    assert (blocked["mechanism"], blocked["service"], blocked["role"]) == ("tls.reset.sni", "", "")


def test_citations_of_several_reports_move_with_their_captures(samples, tmp_path, valid):
    blocked = [s for s in samples if s.parent.name in ("sni_forged_reset", "dns_bogon")]
    out = tmp_path / "both.json"
    convert(*blocked, "--to", "json", "-o", out)
    document = json.loads(out.read_text())
    valid(document)
    cited = {e["capture"] for t in document["targets"] for m in t["mechanisms"] for e in m["evidence"] if e["packets"]}
    assert cited == {0, 1}
    assert document["summary"]["packets"] == sum(c["packets"] for c in document["captures"])


def test_standard_input_may_be_measurements_a_report_or_a_capture(measured, samples):
    from_pipe = convert("-", "--to", "csv", given=measured.read_bytes())
    assert "tls.reset.sni" in from_pipe.stdout
    report = convert(measured, "--to", "json").stdout
    assert "tls.reset.sni" in convert("-", "--to", "csv", given=report).stdout
    capture = convert("-", "--to", "csv", given=samples[0].read_bytes())
    assert ",packets," in capture.stdout


def test_measurements_become_lines_of_ours_and_those_reports_again(measured, tmp_path):
    lines = tmp_path / "ours.jsonl"
    convert(measured, "--to", "ooni", "-o", lines)
    told = [json.loads(line) for line in lines.read_text().splitlines()]
    assert {t["test_name"] for t in told} == {"censorship_fingerprint"}
    again, _ = ooni.accounts(lines)
    states = {t["target"]: t["state"] for a in again for t in a.document["targets"] if a.vantage.asn == 64500}
    assert states == {"cooking.example": "ok", "news.example": "insufficient"}


def test_two_runs_give_the_same_bytes(measured):
    for form in ("ooni", "csv", "json", "jsonl"):
        assert convert(measured, "--to", form).stdout == convert(measured, "--to", form).stdout


def test_what_is_wrong_with_a_file_is_said_and_the_rest_is_written(tmp_path):
    broken = written(tmp_path / "a.jsonl", web(), "{broken")
    shown = convert(broken, "--to", "csv")
    assert shown.exit_code == 3
    assert "line 2 is left out" in shown.stderr
    assert "news.example" in shown.stdout


def test_nothing_that_can_be_read_is_a_failure(tmp_path):
    junk = tmp_path / "a.json"
    junk.write_text("no measurement")
    shown = convert(junk, "--to", "csv")
    assert (shown.exit_code, shown.stdout) == (1, "")
    assert shown.stderr.startswith("fingerprint: a.json")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--to", "xml"), "choose ooni, csv, jsonl, json, parquet"),
        (("--to", "parquet"), "name a file for it with -o"),
        (("--to", "csv", "-o", "nowhere/a.csv"), "there is no folder nowhere"),
    ],
)
def test_a_form_that_cannot_be_written_is_the_command_lines_fault(measured, words, says):
    with pytest.raises(TargetError, match=says):
        convert(measured, *words)


def test_a_usage_error_has_its_exit_code(measured, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["fingerprint", "convert", str(measured), "--to", "xml"])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 2
    assert "--to xml is not available" in capsys.readouterr().err
