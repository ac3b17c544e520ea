"""The document that ``--json`` prints, against its schema and word by word."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fingerprint import engine
from fingerprint.plugins import registry
from fingerprint.report import as_dict
from fingerprint.report.numbers import probability, short, timestamp
from tests.report.by_hand import CLIENT, CUT, THROTTLED, capture, evidence, mechanism, report, verdict

SCHEMA = Path(__file__).parents[2] / "docs/reference/report-1.schema.json"


@pytest.fixture(scope="module")
def valid():
    jsonschema = pytest.importorskip("jsonschema")
    if not SCHEMA.exists():
        pytest.skip("the schema belongs to the source and is not installed")
    schema = json.loads(SCHEMA.read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    return lambda document: jsonschema.Draft202012Validator(schema).validate(json.loads(json.dumps(document)))


@pytest.mark.parametrize(
    "made",
    [
        report(verdict()),
        report(verdict(mechanisms=(THROTTLED,)), verdict("b.test", "ok"), errors=(CUT,)),
        report(captures=(), errors=(CUT,)),
        report(*(verdict(state=s) for s in ("down", "invalid", "insufficient"))),
    ],
)
def test_every_report_is_valid_by_its_schema(valid, made):
    valid(as_dict(made, why=True, with_vantage=True))
    valid(as_dict(made))


def test_the_schema_refuses_a_block_without_a_mechanism(valid):
    document = as_dict(report(verdict()))
    document["targets"][0]["mechanisms"] = []
    with pytest.raises(Exception, match=r"mechanisms|should be non-empty|too short"):
        valid(document)


def test_bundled_samples_give_valid_reports(valid, samples):
    techniques = registry.load()
    for sample in samples:
        valid(as_dict(engine.analyse([str(sample)], techniques=techniques), why=True))


def test_two_runs_over_the_same_capture_give_the_same_bytes(samples):
    once, again = (json.dumps(as_dict(engine.analyse([str(samples[0])], techniques=registry.load()))) for _ in range(2))
    assert once == again


def test_times_are_exact_to_the_nanosecond():
    assert timestamp(1_589_736_662_123_456_789) == "2020-05-17T17:31:02.123456789Z"
    assert timestamp(-1) == "1969-12-31T23:59:59.999999999Z"


def test_a_time_that_no_calendar_holds_is_none_and_no_error():
    assert timestamp(2**62) is not None
    assert timestamp(10**30) is None


def test_a_probability_is_never_rounded_to_certainty():
    assert probability(0.99999612) == 0.99999612
    assert probability(0.98134567) == 0.9813
    assert probability(0.0057587) == 0.00576
    assert probability(1.0) == 1.0


def test_numbers_keep_four_digits_and_infinity_is_no_number():
    assert short(140_312.7) == 140_300
    assert short(4.23456) == 4.235
    assert short(float("inf")) is None


def test_a_rate_stands_plain_and_with_its_interval():
    m = as_dict(report(verdict(mechanisms=(THROTTLED,))))["targets"][0]["mechanisms"][0]
    assert m["rate_bps"] == 140_300
    assert m["rate_interval_bps"] == {"value": 140_300, "low": 138_000, "high": 143_000}
    assert m["burst_bytes"] == 53_510
    assert m["shape"] == "policer"


def test_evidence_from_two_files_is_split_and_counts_once():
    from fingerprint.verdict.model import Weighed

    both = evidence(packets=((1, 5), (0, 9), (0, 3)))
    m = mechanism(evidence=(Weighed(technique="t", evidence=both, log_odds=3.0),))
    entries = as_dict(report(verdict(mechanisms=(m,)), captures=(capture(), capture())))["targets"][0]["mechanisms"][0]
    assert [(e["capture"], e["packets"], e["log_odds"]) for e in entries["evidence"]] == [
        (0, [3, 9], 3.0),
        (1, [5], 0.0),
    ]


def test_the_client_address_appears_only_with_vantage():
    says = f"RST from 203.0.113.80 to {CLIENT}, not 1{CLIENT} nor {CLIENT}9"
    from fingerprint.verdict.model import Weighed

    m = mechanism(evidence=(Weighed(technique="t", evidence=evidence(says=says), log_odds=1.0),))
    made = report(verdict(mechanisms=(m,), vantage=CLIENT, next=(f"repeat from {CLIENT}.",)))
    hidden, shown = as_dict(made), as_dict(made, with_vantage=True)
    said = hidden["targets"][0]["mechanisms"][0]["evidence"][0]["says"]
    assert said == f"RST from 203.0.113.80 to client, not 1{CLIENT} nor {CLIENT}9"
    assert hidden["targets"][0]["vantage"] == "client"
    assert hidden["targets"][0]["next"] == ["repeat from client."]
    assert shown["targets"][0]["vantage"] == CLIENT


def test_several_clients_stay_apart_under_their_words():
    made = report(verdict(vantage="10.0.0.2"), captures=(capture(clients=("10.0.0.1", "10.0.0.2")),))
    assert as_dict(made)["targets"][0]["vantage"] == "client-2"


def test_an_address_that_serves_is_not_hidden():
    made = report(verdict(endpoints=(f"{CLIENT}:443/tcp",), next=(f"ask {CLIENT}",)))
    assert as_dict(made)["targets"][0]["next"] == [f"ask {CLIENT}"]


def test_absolute_paths_stay_out():
    made = report(captures=(capture(file="/home/somebody/x.pcap"),), errors=(CUT,))
    assert as_dict(made)["captures"][0]["file"] == "x.pcap"
    assert as_dict(made, with_vantage=True)["captures"][0]["file"] == "/home/somebody/x.pcap"


def test_ok_targets_are_listed_up_to_a_thousand_and_always_counted():
    made = report(verdict(), *(verdict(f"{i}.test", "ok") for i in range(1200)))
    document = as_dict(made)
    assert len(document["targets"]) == 1001
    assert document["summary"]["states"]["ok"] == 1200
    assert len(as_dict(made, all_ok=True)["targets"]) == 1201


def test_summary_counts_packets_and_seconds_of_capture():
    assert as_dict(report())["summary"] | {"states": None} == {
        "targets": 0,
        "states": None,
        "captures": 1,
        "packets": 286,
        "seconds": 10.0,
    }


def test_the_sum_is_in_the_document_only_with_why():
    assert "why" not in as_dict(report(verdict()))["targets"][0]["mechanisms"][0]
    assert as_dict(report(verdict()), why=True)["targets"][0]["mechanisms"][0]["why"][0] == "prior 1 %"


@pytest.mark.corpus
def test_malformed_captures_give_valid_reports(valid, corpus):
    techniques = registry.load()
    files = sorted((corpus / "malformed").iterdir())
    assert files
    for file in files[::8]:
        valid(as_dict(engine.analyse([str(file)], techniques=techniques)))
