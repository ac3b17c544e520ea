"""Files of measurements as they come: compressed, broken, of tests that nobody reads, of networks that nobody names."""

from __future__ import annotations

import json
import lzma

import pytest

from captures.errors import CaptureError
from fingerprint.accounts import SOCKETS, ooni
from tests.ooni.measurements import later, measurement, other_site, query, reset_after_hello, web, written


def account(path):
    (made,), problems = ooni.accounts(path)
    return made, [p.says for p in problems]


def test_an_account_is_a_valid_report_that_cites_no_packet(tmp_path, valid):
    lines = [m for h in range(3) for m in (reset_after_hello(later(h)), other_site(later(h + 0.05)))]
    made, problems = account(written(tmp_path / "a.jsonl", *lines))
    valid(made.document)
    assert problems == []
    assert (made.kind, made.captures, made.file) == (SOCKETS, (None,), "a.jsonl")
    assert [(c["packets"], c["link_type"], c["sha256"]) for c in made.document["captures"]] == [
        (0, "ooni", made.sha256)
    ]
    assert '"packets": [1' not in json.dumps(made.document)
    evidence = made.document["targets"][1]["mechanisms"][0]["evidence"]
    assert all((e["capture"], e["packets"]) == (None, []) and "line" in e["says"] for e in evidence)


def test_the_vantage_is_what_the_probe_says_of_its_network(tmp_path):
    made, _ = account(written(tmp_path / "a.jsonl", web()))
    assert (made.vantage.provider, made.vantage.asn, made.vantage.country) == ("Ravi Net", 64500, "PK")
    assert made.vantage.key == "Ravi Net"


def test_two_networks_of_a_file_are_two_accounts_even_under_one_name(tmp_path):
    other = {"probe_asn": "AS64501", "report_id": "run-2"}
    made, _ = ooni.accounts(written(tmp_path / "a.jsonl", web(), web(top=other)))
    assert [a.vantage.key for a in made] == ["Ravi Net (AS64500)", "Ravi Net (AS64501)"]


def test_pairs_are_never_made_across_networks(tmp_path):
    there = {"probe_asn": "AS64501", "report_id": "run-2"}
    lines = [m for h in range(3) for m in (reset_after_hello(later(h)), other_site(later(h + 0.05), **there))]
    made, _ = ooni.accounts(written(tmp_path / "a.jsonl", *lines))
    states = {t["target"]: t["state"] for a in made for t in a.document["targets"]}
    assert states == {"news.example": "insufficient", "cooking.example": "ok"}


def test_withheld_networks_and_countries_are_unknown_and_named(tmp_path):
    hidden = {"probe_asn": "AS0", "probe_cc": "ZZ", "probe_network_name": ""}
    made, problems = account(written(tmp_path / "a.jsonl", web(top=hidden)))
    assert (made.vantage.asn, made.vantage.country, made.vantage.provider) == (None, None, None)
    assert any("AS0" in says for says in problems)
    assert made.document["targets"][0]["vantage"] is None


@pytest.mark.parametrize("packed", ["plain", "gz", "xz", "array", "indented"])
def test_every_way_of_writing_a_file_gives_the_same_account(tmp_path, packed):
    lines = [web(), other_site()]
    plain, _ = account(written(tmp_path / "plain.jsonl", *lines))
    path = tmp_path / "a.json"
    if packed == "plain":
        written(path, *lines)
    elif packed == "gz":
        path = written(tmp_path / "a.jsonl.gz", *lines)
    elif packed == "xz":
        path.write_bytes(lzma.compress(written(tmp_path / "b", *lines).read_bytes()))
    else:
        path.write_text(json.dumps(lines, indent=2 if packed == "indented" else None))
    assert ooni.is_ooni(path)
    made, problems = account(path)
    assert problems == []
    assert made.document["targets"] == plain.document["targets"]


def test_broken_lines_are_named_by_number_and_cost_only_themselves(tmp_path):
    lines = ["{broken", web(), "[1, 2", '"text"', web(later(1)) | {"measurement_start_time": "soon"}, web(later(2))]
    made, problems = account(written(tmp_path / "a.jsonl", web(later(3)), *lines))
    assert [says.partition(" left out")[0] for says in problems] == ["lines 2, 4 are", "line 5 is", "line 6 is"]
    assert "its time is 'soon'" in problems[-1]
    assert "3 of 3" in made.document["targets"][0]["cause"]["says"]


def test_many_broken_lines_are_counted_by_what_is_wrong_with_them(tmp_path):
    lines = [*["{"] * 50, measurement("web_connectivity", None)]
    _, problems = account(written(tmp_path / "a.jsonl", web(), *lines))
    assert problems == [
        "lines 2, 3, 4, 5, 6, 7, 8, 9 and 42 more are left out: it is no JSON (JSONDecodeError)",
        "line 52 is left out: it failed: it has no test_keys",
    ]


def test_many_kinds_of_wrong_are_counted(tmp_path):
    lines = [web(top={"input": f"no address {n}"}) for n in range(50)]
    _, problems = account(written(tmp_path / "a.jsonl", web(), *lines))
    assert len(problems) == 21
    assert problems[-1] == "lines 22, 23, 24, 25, 26, 27, 28, 29 and 22 more are left out, for reasons like these"


def test_what_oonis_api_says_of_one_measurement_holds_the_measurement_as_text(tmp_path):
    told = {"probe_asn": 64500, "probe_cc": "PK", "anomaly": False, "raw_measurement": json.dumps(web()) + "\n"}
    path = written(tmp_path / "a.json", told)
    assert ooni.is_ooni(path)
    made, problems = account(path)
    assert (problems, made.document["targets"][0]["state"]) == ([], "ok")
    with pytest.raises(CaptureError, match="it is no JSON"):
        ooni.accounts(written(tmp_path / "b.json", told | {"raw_measurement": "{"}))


def test_tests_that_are_not_read_are_named_once_with_a_count(tmp_path):
    others = [
        measurement("ndt", {"failure": None}),
        measurement("ndt", {"failure": None}),
        measurement("dash", {"a": 1}),
    ]
    _, problems = account(written(tmp_path / "a.jsonl", web(), *others))
    assert [says.partition(" left")[0] for says in problems] == [
        "1 measurement of the test 'dash'",
        "2 measurements of the test 'ndt'",
    ]


def test_a_measurement_that_failed_is_named_and_left_out(tmp_path):
    _, problems = account(written(tmp_path / "a.jsonl", web(), measurement("web_connectivity", {}, later(1))))
    assert problems == ["line 2 is left out: it failed: it has no test_keys"]


def test_a_measurement_that_is_there_twice_counts_once(tmp_path):
    made, problems = account(written(tmp_path / "a.jsonl", web(), web()))
    assert problems == ["line 2 is left out: it was there before"]
    assert "1 of 1" in made.document["targets"][0]["cause"]["says"]


def test_a_file_without_a_measurement_is_an_error_that_says_why(tmp_path):
    with pytest.raises(CaptureError, match="holds no measurement that can be read"):
        ooni.accounts(written(tmp_path / "a.jsonl", measurement("ndt", {"a": 1})))
    with pytest.raises(CaptureError, match="it is empty"):
        ooni.accounts(written(tmp_path / "b.jsonl"))
    with pytest.raises(CaptureError, match="there is no such file"):
        ooni.accounts(tmp_path / "c.jsonl")


def test_a_stream_that_was_cut_gives_what_came_before_and_says_so(tmp_path):
    whole = written(
        tmp_path / "a.jsonl.gz", *(web(later(h), top={"annotations": {"n": str(h) * 5000}}) for h in range(20))
    )
    cut = tmp_path / "cut.jsonl.gz"
    cut.write_bytes(whole.read_bytes()[:-100])
    made, problems = account(cut)
    assert any("cut short" in says for says in problems)
    assert made.document["targets"]


@pytest.mark.parametrize(
    "strange",
    [
        {"queries": "none", "tcp_connect": {"ip": 1}, "tls_handshakes": [1, None], "requests": [{"request": []}]},
        {"queries": [query(name="x" * 400)], "control": {"dns": {"addrs": [1, {}]}, "tcp_connect": []}},
        {"requests": [{"request": {"url": "http://[::1"}, "response": {"code": "200", "headers_list": [["a"]]}}]},
        {"tls_handshakes": [{"address": "1.2.3.4:99999", "failure": 7, "server_name": {"a": 1}}]},
        {"control": {"http_request": {"status_code": True}, "dns": None}, "status_code_match": "yes"},
    ],
)
def test_strange_entries_are_data_and_no_errors(tmp_path, valid, strange):
    made, problems = account(written(tmp_path / "a.jsonl", web(**strange)))
    valid(made.document)
    assert problems == []


def test_hostile_words_do_not_reach_a_terminal(tmp_path):
    evil = {"probe_network_name": "Ravi\x1b[31m Net\u202e"}
    made, _ = account(written(tmp_path / "a.jsonl", web(top=evil)))
    assert made.vantage.provider == "Ravi\\x1b[31m Net\\u202e"
    _, problems = account(written(tmp_path / "b.jsonl", web(), measurement("\x1b]0;", {"a": 1})))
    assert "\x1b" not in "".join(problems)


def test_two_readings_give_the_same_bytes(tmp_path):
    path = written(tmp_path / "a.jsonl", *(reset_after_hello(later(h)) for h in range(4)), other_site())
    once, again = (json.dumps([a.document for a in ooni.accounts(path)[0]]) for _ in range(2))
    assert once == again


def test_other_files_are_no_measurements(tmp_path, samples):
    assert not ooni.is_ooni(samples[0])
    assert not ooni.is_ooni(tmp_path / "nothing")
    (tmp_path / "report.json").write_text('{"schema": "fingerprint/report/1"}')
    assert not ooni.is_ooni(tmp_path / "report.json")
