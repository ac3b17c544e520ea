"""The dates of plain answers check a vantage's clock, to a second or so, and only where servers agree."""

from __future__ import annotations

from dataclasses import replace
from email.utils import formatdate

import pytest

from fingerprint import engine
from fingerprint.plugins import registry
from fingerprint.script import Script, path_of, write
from fingerprint.testing.conversation import EPOCH_NS, Conversation, written
from fingerprint.vantages import given as vantage_given
from fingerprint.vantages.vantage import Clock, Vantage

PAGE = b"<html><body>" + b"<p>An ordinary page.</p>" * 40 + b"</body></html>"
HOME, NEXT, THIRD = "45.83.220.10", "45.83.220.11", "45.83.220.12"


def talk(server, *, at_s, ahead_s=0.0, date=None, extra="", says=b"200 OK"):
    """A page fetched from a server whose clock is ahead of the capture's by ``ahead_s``."""
    made = Conversation(server=server, port=80, at_s=at_s, source_port=40_000 + round(at_s))
    made.opens()
    made.asks(b"GET / HTTP/1.1\r\nHost: forum.test\r\n\r\n")
    made.waits(made.rtt_s)
    told = date if date is not None else formatdate(int(EPOCH_NS / 1e9 + made.at_s + ahead_s), usegmt=True)
    head = f"Date: {told}\r\n{extra}Content-Type: text/html\r\nContent-Length: {len(PAGE)}\r\n\r\n"
    made.answers(b"HTTP/1.1 " + says + b"\r\n" + head.encode() + PAGE)
    made.waits(0.1)
    made.closes()
    return made.packets


def judged(folder, *talks, vantage=vantage_given.NOTHING):
    file = written(folder / "run.pcap", [packet for packets in talks for packet in packets], until_s=120)
    return engine.analyse([str(file)], techniques=registry.load(), vantage=vantage)


def summary(folder, *talks, vantage=vantage_given.NOTHING):
    return judged(folder, *talks, vantage=vantage).captures[0]


@pytest.mark.parametrize("ahead_s", [-7200.0, -90.0, 45.0, 3600.0])
def test_servers_that_agree_show_how_far_a_clock_is_off(tmp_path, ahead_s):
    talks = [talk(server, at_s=10.0 * n, ahead_s=ahead_s) for n, server in enumerate((HOME, NEXT, HOME, NEXT), 1)]
    clock = summary(tmp_path, *talks).vantage.clock
    assert clock.offset_s == pytest.approx(ahead_s, abs=0.8)
    assert abs(clock.offset_s - ahead_s) <= clock.error_s == pytest.approx(1.05, abs=0.01)
    assert clock.source == "http date, 4 answers of 2 servers"


def test_a_clock_that_is_right_as_far_as_can_be_seen_is_not_corrected(tmp_path):
    talks = [talk(server, at_s=10.0 * n, ahead_s=0.4) for n, server in enumerate((HOME, NEXT), 1)]
    clock = summary(tmp_path, *talks).vantage.clock
    assert (clock.offset_s, clock.source) == (0.0, "http date, 2 answers of 2 servers")


def test_one_server_whose_clock_is_wrong_among_three_is_outvoted(tmp_path):
    talks = [talk(s, at_s=10.0 * n, ahead_s=a) for n, (s, a) in enumerate([(HOME, 60), (NEXT, 60), (THIRD, -900)], 1)]
    clock = summary(tmp_path, *talks).vantage.clock
    assert clock.offset_s == pytest.approx(60, abs=0.8)
    assert clock.source == "http date, 2 answers of 2 servers"


@pytest.mark.parametrize(
    "talks",
    [
        lambda: [talk(HOME, at_s=10.0 * n, ahead_s=60) for n in (1, 2, 3)],
        lambda: [talk(HOME, at_s=10, ahead_s=60), talk(NEXT, at_s=20, ahead_s=-60)],
        lambda: [talk(HOME, at_s=10, ahead_s=60), talk(NEXT, at_s=20, ahead_s=60, extra="Age: 300\r\n")],
        lambda: [talk(HOME, at_s=10, ahead_s=60), talk(NEXT, at_s=20, date="yesterday")],
        lambda: [talk(HOME, at_s=10, ahead_s=60), talk(NEXT, at_s=20, date="Fri, 31 Feb 99999 99:99:99 GMT")],
        lambda: [talk(HOME, at_s=10, ahead_s=60), talk(NEXT, at_s=20, date="")],
    ],
    ids=["one server alone", "servers that disagree", "an answer from a cache", "no date", "an absurd date", "none"],
)
def test_where_servers_do_not_tell_nothing_is_said_of_the_clock(tmp_path, talks):
    assert summary(tmp_path, *talks()).vantage == Vantage()


def test_a_server_with_a_target_that_is_not_well_dates_nothing(tmp_path):
    good, bad = talk(HOME, at_s=10, ahead_s=60), talk(NEXT, at_s=20, ahead_s=60)
    cut = Conversation(server=NEXT, port=80, at_s=40, source_port=41_000)
    cut.opens()
    cut.asks(b"GET / HTTP/1.1\r\nHost: other.test\r\n\r\n")
    cut.reset(ttl_hops=61)
    report = judged(tmp_path, good, bad, cut.packets)
    assert {v.target: v.state for v in report.verdicts}["other.test"] != "ok"
    assert report.captures[0].vantage == Vantage()


def test_a_clock_that_was_given_counts_and_a_contradiction_is_named(tmp_path):
    given = Vantage(name="cafe", clock=Clock(offset_s=2.0, error_s=0.5, source="ntp"))
    talks = [talk(server, at_s=10.0 * n, ahead_s=3600) for n, server in enumerate((HOME, NEXT), 1)]
    told = summary(tmp_path, *talks, vantage=given)
    assert told.vantage == given
    [doubt] = [q for q in told.quality if q.issue == "vantage-clock"]
    assert "+2.000 s, but the servers' dates say +3" in doubt.detail
    assert len(doubt.packets) == 2
    agreeing = replace(given, clock=Clock(offset_s=3599.0, error_s=0.5))
    assert [q for q in summary(tmp_path, *talks, vantage=agreeing).quality if q.issue == "vantage-clock"] == []


def test_two_captures_judged_together_keep_their_targets_apart_by_vantage(tmp_path):
    files = []
    for name in ("home", "vpn"):
        (tmp_path / name).mkdir()
        files.append(str(written(tmp_path / name / "run.pcap", talk(HOME, at_s=10), until_s=60)))
        (tmp_path / name / "run.vantage.toml").write_text(f"name = '{name}'")
    report = engine.analyse(files, techniques=registry.load(), together=True)
    assert [(v.target, v.vantage) for v in report.verdicts] == [("forum.test", "home"), ("forum.test", "vpn")]
    assert [c.vantage.name for c in report.captures] == ["home", "vpn"]


def test_a_broken_sidecar_is_an_error_of_the_report_told_once(tmp_path):
    files = [str(written(tmp_path / f"{n}.pcap", talk(HOME, at_s=10), until_s=60)) for n in (1, 2)]
    (tmp_path / "vantages.toml").write_text("[[vantage]]\nfiles = ['*']\ncountry = 'Pakistan'\n")
    report = engine.analyse(files, techniques=registry.load())
    assert [e.file for e in report.errors] == ["vantages.toml"]
    assert "want two letters" in report.errors[0].error
    assert [c.vantage for c in report.captures] == [Vantage(), Vantage()]


def test_a_recording_of_the_simulated_path_is_marked_so_unless_somebody_said_which(tmp_path):
    file = written(tmp_path / "run.pcap", talk(HOME, at_s=10), until_s=60)
    simulated = Script(
        tool="censorship-fingerprint", seed=1, order="fixed", hello="stdlib", recorder="simulated", capture_all=False,
        residual_s=0.0, began_ns=EPOCH_NS, ended_ns=EPOCH_NS + 60 * 10**9, targets=(), steps=(),
    )  # fmt: skip
    write(simulated, path_of(file))
    report = engine.analyse([str(file)], techniques=registry.load())
    assert report.captures[0].vantage.simulated == vantage_given.SIMULATION
    (tmp_path / "run.vantage.toml").write_text("simulated = 'an evening'")
    report = engine.analyse([str(file)], techniques=registry.load())
    assert report.captures[0].vantage.simulated == "an evening"
    write(replace(simulated, recorder="af-packet"), path_of(file))
    (tmp_path / "run.vantage.toml").unlink()
    assert engine.analyse([str(file)], techniques=registry.load()).captures[0].vantage == Vantage()
