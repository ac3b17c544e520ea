"""The page for people: what it opens with, what it says, and what it never lets through."""

from __future__ import annotations

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from captures.errors import TargetError
from fingerprint.report import Showing, write
from fingerprint.report.wording import confidence, how, percent
from fingerprint.terminal import STEERING, clean
from fingerprint.verdict import taxonomy
from fingerprint.verdict.model import Cause, Weighed
from tests.report.by_hand import CLIENT, CUT, THROTTLED, capture, evidence, mechanism, report, verdict


def page(made, **showing):
    out = io.StringIO()
    write(made, out, showing=Showing(**showing))
    return out.getvalue()


def unwrapped(made, **showing):
    return " ".join(page(made, **showing).split())


def test_a_report_opens_with_findings():
    first = page(report(verdict(), verdict("b.test", "ok"))).splitlines()[0]
    assert first == "2 targets: 1 blocked, 1 works"


def test_a_blocked_target_says_how_where_by_what_and_from_which_packets():
    said = unwrapped(report(verdict()))
    for part in (
        "✗ blocked a.test",
        "tls.reset.sni",
        "uncalibrated",
        "tls.sni = a.test",
        "on-path",
        "hop 3, on the link 2–3",
        "X fits ip.id, contradicts ip.ttl",
        "RST 3.1 ms after the hello packets 12, 14",
        "the server itself refuses (0.10 %) – against it: it came too soon",
        "next sweep the TTL of the trigger",
    ):
        assert part in said, part


def test_confidence_names_the_captures_that_it_was_measured_on():
    assert "calibrated on 412 captures" in confidence(mechanism(calibrated={"from": "lab", "n": 412}))


def test_insufficient_names_what_is_missing():
    said = unwrapped(report(verdict(state="insufficient")))
    assert "because no request was sent missing only 0.4 s of transfer, want 3 s packet 40" in said


def test_a_rate_is_read_with_its_interval():
    assert "rate 140 kbit/s (138–143) burst 53.5 kB (53–54)" in unwrapped(report(verdict(mechanisms=(THROTTLED,))))


def test_an_innocent_cause_shows_its_evidence():
    cause = Cause(
        hypothesis="server-down",
        posterior=0.97,
        says="the server is down",
        evidence=(Weighed(technique="t", evidence=evidence("no SYN was answered"), log_odds=2.0),),
    )
    assert "the server is down (97.0 %) evidence no SYN was answered" in unwrapped(
        report(verdict(state="down", cause=cause))
    )


def test_why_prints_the_sum_line_by_line():
    assert "+4.23 sooner" not in page(report(verdict()))
    assert "+4.23 sooner" in page(report(verdict()), why=True)


def test_quality_and_errors_are_on_the_page():
    said = page(report(verdict(), errors=(CUT,)))
    assert "one-sided: 3 of 4 connections" in said
    assert "! y.pcap: packet 812 is cut short" in said


def test_the_last_line_says_what_to_do_next():
    for made in (report(verdict()), report(), report(verdict(state="ok")), report(verdict(state="insufficient"))):
        assert page(made).splitlines()[-1].startswith("Next: ")


def test_a_file_is_named_where_there_are_several():
    m = mechanism(evidence=(Weighed(technique="t", evidence=evidence(packets=((1, 7),)), log_odds=3.0),))
    assert "packet 7 of file 2" in unwrapped(report(verdict(mechanisms=(m,)), captures=(capture(), capture())))


def test_targets_that_work_are_counted_and_a_few_named():
    said = unwrapped(report(*(verdict(f"{i}.test", "ok") for i in range(20))))
    assert "7.test and 12 more (--all lists them)" in said
    assert "19.test" in unwrapped(report(*(verdict(f"{i}.test", "ok") for i in range(20))), all_ok=True)


def test_the_client_address_is_not_on_the_page():
    made = report(verdict(vantage=CLIENT))
    assert CLIENT not in page(made)
    assert CLIENT in page(made, with_vantage=True)


@pytest.mark.parametrize(
    "hostile", ["\x1b[2J\x1b]0;gone\x07.test", "[/x].test", "[red]a.test", "a\u202etset.b", "a\nb\rc\x9b1m"]
)
def test_a_hostile_name_never_steers_the_terminal(hostile):
    from fingerprint.technique import Trigger

    m = mechanism(trigger=Trigger(field="tls.sni", value=hostile))
    said = page(report(verdict(hostile, mechanisms=(m,), next=(hostile,))), why=True)
    assert not STEERING.search(said.replace("\n", ""))
    assert "a\nb" not in said


@given(st.text())
def test_whatever_is_cleaned_holds_nothing_that_steers(text):
    assert not STEERING.search(clean(text))


def test_markup_in_a_name_is_text():
    assert "[/x].test" in page(report(verdict("[/x].test")))


@pytest.mark.parametrize("width", [80, 120])
def test_no_line_is_wider_than_the_terminal(monkeypatch, width):
    from fingerprint.report import text

    plain = text.console
    monkeypatch.setattr(text, "console", lambda out: (made := plain(out), setattr(made, "width", width))[0])
    long = verdict("a-very-long-name." * 8 + "test", next=("word " * 60,))
    assert max(map(len, page(report(long)).splitlines())) <= width


def test_a_pipe_gets_no_colour_and_no_trailing_blanks():
    said = page(report(verdict(), verdict("b.test", "insufficient")))
    assert "\x1b" not in said
    assert not [line for line in said.splitlines() if line != line.rstrip()]


def test_a_stream_without_the_symbols_gets_ascii():
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, encoding="ascii")
    write(report(verdict(), verdict("b.test", "ok")), out)
    out.flush()
    assert b"x blocked" in raw.getvalue()


def test_percentages_never_claim_certainty():
    assert percent(0.999999) == "> 99.99 %"
    assert percent(0.0000001) == "< 0.01 %"


@pytest.mark.parametrize("node", taxonomy.NODES)
def test_every_mechanism_has_words(node):
    assert how(node) != node
    assert "{" not in how(node)


def test_a_plugin_mechanism_is_shown_as_it_is():
    assert how("x.mine.strange") == "x.mine.strange"


def test_json_lines_are_targets_and_a_summary():
    out = io.StringIO()
    write(report(verdict(), verdict("b.test", "ok")), out, form="jsonl")
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [line["kind"] for line in lines] == ["target", "target", "summary"]
    assert lines[-1]["summary"]["targets"] == 2


@pytest.mark.parametrize("form", ["pdf", "xml"])
def test_a_form_that_does_not_exist_names_those_that_do(form):
    with pytest.raises(TargetError, match="choose text, html, md, json, jsonl"):
        write(report(), io.StringIO(), form=form)
