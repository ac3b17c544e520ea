"""Ladders and curves: the conversation that decided, the control beside it, and Wireshark's words for exactly it."""

from __future__ import annotations

import lzma
import os
import shutil
import subprocess
from pathlib import Path

import pytest

import captures
from fingerprint.engine import renumbered
from fingerprint.pictures.ladders import CONTROL_RUNGS, MOST_RUNGS
from fingerprint.pictures.packet_words import shortened
from fingerprint.report import as_dict
from fingerprint.verbs import analysing

SAMPLES = Path(captures.__file__).parent / "samples"


def file_of(sample):
    return next(f for f in (SAMPLES / sample).iterdir() if f.name.startswith("capture."))


@pytest.fixture(scope="module")
def judged():
    registry, kept = analysing.registry((), (), ()), {}

    def of(sample):
        if sample not in kept:
            kept[sample] = analysing.judged([str(file_of(sample))], registry, jobs=1)
        return kept[sample]

    return of


def blocked(report):
    """Every mechanism of the targets that are blocked, with the target's name."""
    return [(v, m) for v in report.verdicts if v.state == "blocked" for m in v.mechanisms]


def test_a_forged_reset_stands_on_a_rung_and_is_called_forged(judged):
    ((_, mechanism),) = blocked(judged("sni_forged_reset"))
    mine, control = mechanism.ladders
    words = [r.says for r in mine.rungs]
    assert words[:5] == ["SYN", "SYN-ACK", "ACK", "ClientHello chatter.test", "RST"]
    assert [r.says for r in mine.rungs if r.forged] == ["RST"]
    assert not mine.control
    assert control.control
    assert control.title == "weather.test at the same address"
    assert "ServerHello" in [r.says for r in control.rungs]


def test_the_servers_own_answer_is_no_forgery(judged):
    ((_, mechanism),) = blocked(judged("sni_forged_reset"))
    late = [r for r in mechanism.ladders[0].rungs if r.says == "ServerHello"]
    assert late
    assert not late[0].forged


def test_a_race_of_answers_shows_both_and_forges_one(judged):
    ((_, mechanism),) = blocked(judged("dns_race"))
    mine = mechanism.ladders[0]
    assert [(r.says, r.forged) for r in mine.rungs] == [
        ("DNS query A chatter.test", False),
        ("DNS answer 31.13.94.37", True),
        ("DNS answer 151.101.129.140", False),
    ]
    assert mechanism.ladders[1].title == "weather.test asked of the same resolver"


def test_what_a_router_reports_stands_beside_what_it_is_about(judged):
    (_, mechanism) = blocked(judged("icmp_prohibited"))[0]
    words = [r.says for r in mechanism.ladders[0].rungs]
    assert words[:2] == ["SYN", "ICMP prohibited"]
    assert [r.from_client for r in mechanism.ladders[0].rungs[:2]] == [True, False]


def test_where_the_name_did_not_decide_the_control_is_the_same_name_tried_otherwise(judged):
    for verdict, mechanism in blocked(judged("ech_dropped")):
        control = mechanism.ladders[1]
        assert control.control
        assert control.title == f"{verdict.target} at the same address, tried otherwise"
        assert "ServerHello" in [r.says for r in control.rungs]


def test_where_the_name_decided_the_control_has_another(judged):
    for sample in ("sni_forged_reset", "dns_race", "quic_sni_dropped", "throttled_policer"):
        for verdict, mechanism in blocked(judged(sample)):
            assert not mechanism.ladders[1].title.startswith(verdict.target)


def test_a_blocked_name_is_no_control(judged):
    for sample in ("sni_forged_reset", "dns_race"):
        names = {v.target for v, _ in blocked(judged(sample))}
        titles = {ladder.title.split()[0] for _, m in blocked(judged(sample)) for ladder in m.ladders if ladder.control}
        assert titles
        assert not titles & names


def test_a_flow_over_udp_has_no_control_over_tcp(judged):
    for _, mechanism in blocked(judged("udp_stun_dropped")):
        assert all("udp.port" in ladder.display_filter for ladder in mechanism.ladders)


def test_a_slowed_transfer_has_a_curve_beside_its_controls(judged):
    ((_, mechanism),) = blocked(judged("throttled_policer"))
    slow, free = mechanism.curves
    assert (slow.control, free.control) == (False, True)
    mean = [sum(c.rate_bps) / len(c.rate_bps) for c in mechanism.curves]
    # The recipe's policer lets 140 kbit/s pass.
    assert 100_000 < mean[0] < 200_000
    assert mean[1] > 10 * mean[0]


def test_a_mechanism_that_slows_nothing_has_no_curve(judged):
    assert all(not m.curves for _, m in blocked(judged("sni_forged_reset")))


def test_what_is_not_blocked_has_no_ladder(judged):
    report = judged("server_sends_alert")
    assert [v.state for v in report.verdicts] == ["down"]
    assert not blocked(report)


def pictures():
    """Samples of every protocol and of every way to fail."""
    return (
        "sni_forged_reset", "sni_ttl_sweep", "sni_forged_reset_ipv6", "dns_race", "dns_bogon", "quic_sni_dropped",
        "icmp_prohibited", "throttled_policer", "throttled_freeze", "http_blockpage_injected", "port_black_hole",
        "sni_hello_dropped", "fully_encrypted_dropped", "dns_query_dropped",
    )  # fmt: skip


@pytest.mark.parametrize("sample", pictures())
def test_a_ladder_is_short_and_in_order_and_holds_what_the_verdict_cites(judged, sample):
    found = blocked(judged(sample))
    for _, mechanism in found:
        cited = {(c.capture, c.number) for w in mechanism.evidence for c in w.evidence.packets}
        for ladder in mechanism.ladders:
            numbers = [r.number for r in ladder.rungs]
            assert 0 < len(numbers) <= (CONTROL_RUNGS if ladder.control else MOST_RUNGS)
            assert len(set(numbers)) == len(numbers)
            assert [r.time_s for r in ladder.rungs] == sorted(r.time_s for r in ladder.rungs)
            assert all(r.deciding == ((ladder.capture, r.number) in cited) or r.forged for r in ladder.rungs)
            assert ladder.left_out >= 0
        assert any(r.deciding for r in mechanism.ladders[0].rungs)


@pytest.mark.parametrize("sample", pictures())
def test_the_display_filter_selects_exactly_the_conversation(judged, sample, tmp_path):
    if not shutil.which("tshark"):
        assert not os.environ.get("CI"), "tshark is missing"
        pytest.skip("tshark is not installed")
    plain = file_of(sample)
    if plain.suffix == ".xz":
        packed, plain = plain, tmp_path / "plain"
        plain.write_bytes(lzma.decompress(packed.read_bytes()))
    for _, mechanism in blocked(judged(sample))[:2]:
        for ladder in mechanism.ladders:
            said = subprocess.run(
                ["tshark", "-n", "-r", str(plain), "-Y", ladder.display_filter, "-T", "fields", "-e", "frame.number"],
                capture_output=True, text=True, check=True,
            )  # fmt: skip
            selected = {int(n) for n in said.stdout.split()}
            assert {r.number for r in ladder.rungs} <= selected
            assert len(selected) == len(ladder.rungs) + ladder.left_out, ladder.display_filter


@pytest.mark.parametrize("sample", pictures())
def test_no_picture_names_the_client(judged, sample):
    report = judged(sample)
    clients = {c for capture in report.captures for c in capture.clients}
    told = repr([m["ladders"] for t in as_dict(report, pictures=True)["targets"] for m in t["mechanisms"]])
    filters = [ladder.display_filter for _, m in blocked(report) for ladder in m.ladders]
    assert clients
    assert not any(f"'{c}'" in told or f" {c} " in told for c in clients)
    assert not any(f"== {c} " in f"{f} " for c in clients for f in filters)


def test_ladders_of_a_second_file_are_renumbered_with_it(judged):
    report = judged("sni_forged_reset")
    part = (report.captures, report.verdicts, ())
    _, moved = list(renumbered([part, part]))
    ladders = [ladder for v in moved[1] for m in v.mechanisms for ladder in m.ladders]
    # The second file's parts are numbered from a stride that its place takes away again.
    assert {ladder.capture for ladder in ladders} == {1 - (1 << 20)}


def test_long_words_lose_their_middle():
    assert shortened("ClientHello " + "a" * 80 + ".example.org").endswith(".example.org")
    assert len(shortened("x" * 200)) == 58
    assert shortened("SYN") == "SYN"


@pytest.mark.parametrize("sample", ["dns_bogon", "dns_lying_resolver", "dns_race", "dns_same_address"])
def test_of_a_false_answer_the_false_one_is_drawn_not_what_contradicts_it(judged, sample):
    seen = 0
    for _, mechanism in blocked(judged(sample)):
        false = {a for w in mechanism.evidence for a in w.evidence.disputes}
        if mechanism.node.startswith("dns.injection") and false:
            seen += 1
            drawn = " ".join(rung.says for rung in mechanism.ladders[0].rungs)
            assert any(address in drawn for address in false), drawn
    assert seen
