"""Wireshark agrees with what verdicts rest on; a wrong fact is caught; nothing to compare is never agreement."""

from __future__ import annotations

import copy
import gzip
import json
import lzma
import stat
from pathlib import Path

import pytest

import captures
from captures.errors import CaptureError, PrivilegeError, TargetError
from fingerprint.__main__ import main
from fingerprint.crosscheck import claims, facts, wireshark
from fingerprint.crosscheck.comparing import AGREE, DISAGREE, compare, outcome
from fingerprint.crosscheck.opinion import opinion
from fingerprint.wireshark import shark

SAMPLES = Path(captures.__file__).parent / "samples"
# One of each kind of fact: resets, split hellos, answers, QUIC, HTTP, ICMP, IPv6, UDP.
A_HANDFUL = (
    "sni_forged_reset", "sni_forged_reset_ipv6", "sni_second_segment_dropped", "dns_race", "quic_sni_dropped",
    "http_host_reset", "icmp_prohibited", "udp_media_ports_dropped", "throttled_policer", "dns_ttl_sweep_mirrored",
)  # fmt: skip


def capture_of(case):
    return next(iter((SAMPLES / case).glob("capture.*")))


@pytest.mark.parametrize("case", A_HANDFUL)
def test_wireshark_agrees_on_every_cited_packet(case, judged):
    found = opinion(capture_of(case), judged(capture_of(case)))
    assert found.of(DISAGREE) == ()
    assert len(found.of(AGREE)) > 10 * found.packets
    assert found.complaints == ()


@pytest.mark.slow
def test_wireshark_agrees_on_every_cited_packet_of_every_sample(samples, judged):
    compared = 0
    for file in samples:
        document = judged(file)
        if not claims.cited(document, [0]):
            continue
        found = opinion(file, document)
        assert found.of(DISAGREE) == (), file.parent.name
        assert found.agrees, file.parent.name
        compared += len(found.of(AGREE))
    assert compared > 30_000


@pytest.mark.slow
def test_wireshark_agrees_on_every_cited_packet_of_the_simulated_evening(judged):
    files = sorted((SAMPLES.parent / "evening").glob("*.pcapng*"))
    assert files
    for file in files:
        document = judged(file)
        assert document["captures"]
        if claims.cited(document, [0]):
            assert opinion(file, document).of(DISAGREE) == (), file.name


# docs/howto/second-opinion.md: a record of 2,147,483,648 microseconds, which are 2,147 s to us and none to Wireshark.
EXPLAINED = {("the-tcpdump-group_tcpdump__timestamp_invalid_micro.pcap", 3, "frame.time_epoch")}


@pytest.mark.slow
@pytest.mark.corpus
def test_wireshark_agrees_on_every_cited_packet_of_foreign_captures(corpus, judged):
    compared = 0
    for file in sorted(corpus.glob("*/*")):
        document = judged(file)
        if not document["captures"] or not claims.cited(document, [0]):
            continue
        found = opinion(file, document)
        assert {(file.name, c.number, c.fact) for c in found.of(DISAGREE)} <= EXPLAINED
        compared += len(found.of(AGREE))
    assert compared > 10_000


@pytest.mark.parametrize(
    ("fact", "wrong"),
    [
        ("ip.ttl", "3"), ("ip.id", "0x1"), ("ip.src", "192.0.2.9"), ("tcp.flags", "0x11"), ("tcp.seq", "17"),
        ("tcp.ack", "17"), ("tcp.window_size_value", "1"), ("tcp.dstport", "8443"), ("frame.time_epoch", "1.000000000"),
        ("tcp.options", "0101"), ("ip.flags.df", "7"), (facts.SNI, "elsewhere.test"), (facts.JA3, "0" * 32),
        ("communityid", "1:AAAA"),
    ],
)  # fmt: skip
def test_a_wrong_fact_is_caught(fact, wrong, forged_reset, judged):
    document = judged(forged_reset)
    ours = facts.of_frames(captures.read(forged_reset), claims.cited(document, [0]))
    number = next(n for n, found in ours.items() if fact in found)
    assert ours[number][fact] != wrong
    ours[number][fact] = wrong
    found = opinion(forged_reset, document, ours=ours)
    assert [(c.number, c.fact, c.ours) for c in found.of(DISAGREE)] == [(number, fact, wrong)]
    assert not found.agrees


@pytest.mark.parametrize(("case", "fact", "wrong"), [
    ("dns_race", "dns.a", "192.0.2.77"), ("dns_race", "dns.qry.name", "elsewhere.test"), ("dns_race", "dns.id", "0x1"),
    ("dns_forged_nxdomain", "dns.flags.rcode", "2"), ("icmp_prohibited", "icmp.code", "2"),
    ("icmp_prohibited", "quoted.ip.ttl", "99"), ("sni_ttl_sweep", "quoted.tcp.seq", "17"),
    ("http_host_reset", "http.host", "elsewhere.test"), ("quic_sni_dropped", facts.SNI, "elsewhere.test"),
    ("udp_media_ports_dropped", "udp.length", "9"), ("sni_forged_reset_ipv6", "ipv6.hlim", "3"),
])  # fmt: skip
def test_a_wrong_fact_of_other_protocols_is_caught(case, fact, wrong, judged):
    file = capture_of(case)
    document = judged(file)
    ours = facts.of_frames(captures.read(file), claims.cited(document, [0]))
    number = next(n for n, found in ours.items() if fact in found)
    ours[number][fact] = wrong
    assert [(c.number, c.fact) for c in opinion(file, document, ours=ours).of(DISAGREE)] == [(number, fact)]


def _trigger(document):
    document["targets"][0]["mechanisms"][0]["trigger"]["value"] = "elsewhere.test"


def _community(document):
    document["targets"][0]["flows"][0]["community_id"] = "1:AAAAAAAAAAAAAAAAAAAAAAAAAAA="


def _sentence(document):
    evidence = document["targets"][0]["mechanisms"][0]["evidence"]
    told = next(e for e in evidence if "151.101.65.140" in e["says"])
    told["says"] = told["says"].replace("151.101.65.140", "192.0.2.1")


@pytest.mark.parametrize("plant", [_trigger, _community, _sentence])
def test_a_wrong_claim_of_a_report_is_caught(plant, forged_reset, judged, tmp_path, capsys, monkeypatch):
    document = copy.deepcopy(judged(forged_reset))
    assert opinion(forged_reset, document).agrees
    plant(document)
    (tmp_path / "report.json").write_text(json.dumps(document))
    monkeypatch.setattr(
        "sys.argv", ["fingerprint", "crosscheck", str(forged_reset), "--report", str(tmp_path / "report.json")]
    )
    assert _code() == 1
    told = capsys.readouterr().out
    assert "disagrees" in told
    assert "elsewhere.test" in told or "1:AAAA" in told or "192.0.2.1" in told


def _code():
    try:
        return main()
    except SystemExit as end:
        return end.code


def test_a_report_is_taken_for_its_own_file_only(forged_reset, judged):
    other = judged(capture_of("dns_race"))
    with pytest.raises(TargetError, match="another file"):
        opinion(forged_reset, other)
    with pytest.raises(TargetError, match="fingerprint/report/1"):
        opinion(forged_reset, {"captures": []})


def test_a_packet_that_does_not_exist_is_no_agreement(forged_reset, judged):
    document = copy.deepcopy(judged(forged_reset))
    document["targets"][0]["mechanisms"][0]["evidence"][0]["packets"].append(100_000)
    with pytest.raises(TargetError, match="packet 100000"):
        opinion(forged_reset, document)


def test_no_citation_is_no_agreement(judged):
    file = capture_of("quiet")
    document = judged(file)
    for target in document["targets"]:
        target["flows"] = []
    with pytest.raises(CaptureError, match="nothing to compare"):
        opinion(file, document)


def test_the_command_says_that_they_agree_and_exits_with_0(forged_reset, capsys, monkeypatch):
    monkeypatch.setattr("sys.argv", ["fingerprint", "crosscheck", str(forged_reset)])
    assert _code() == 0
    assert "agrees" in capsys.readouterr().out
    monkeypatch.setattr("sys.argv", ["fingerprint", "crosscheck", str(forged_reset), "--json"])
    assert _code() == 0
    document = json.loads(capsys.readouterr().out)
    assert document["schema"] == "fingerprint/crosscheck/1"
    assert document["agrees"] is True
    assert document["counts"]["agree"] == sum(f["outcome"] == AGREE for f in document["facts"])


def test_junk_is_an_error_and_never_agreement(tmp_path, capsys, monkeypatch):
    junk = tmp_path / "junk.pcap"
    junk.write_bytes(b"no capture at all, whatever its name says")
    monkeypatch.setattr("sys.argv", ["fingerprint", "crosscheck", str(junk)])
    assert _code() == 1
    assert "agree" not in capsys.readouterr().out
    with pytest.raises(CaptureError, match="0 of the 1 packets"):
        shark.dissect(junk, [1])
    with pytest.raises(CaptureError, match="tshark fails"):
        shark.matching(junk, "tcp")


def test_a_truncated_file_is_compared_as_far_as_it_goes_and_complained_about(forged_reset, tmp_path, judged):
    cut = tmp_path / "cut.pcapng"
    whole = forged_reset.read_bytes()
    cut.write_bytes(whole[: len(whole) * 9 // 10])
    found = opinion(cut, judged(cut))
    assert found.agrees
    assert any("cut short" in c for c in found.complaints)
    with pytest.raises(CaptureError, match="of the 1 packets asked for, not packet 111"):
        shark.dissect(cut, [111])


def test_compressed_captures_are_unpacked_for_wireshark(forged_reset, tmp_path):
    for name, pack in (("x.pcapng.gz", gzip.compress), ("x.pcapng.xz", lzma.compress)):
        file = tmp_path / name
        file.write_bytes(pack(forged_reset.read_bytes()))
        assert list(shark.dissect(file, [3]).frames) == [3]


def fake_tshark(folder, script):
    tool = folder / "tshark"
    tool.write_text(f"#!/bin/sh\n{script}\n")
    tool.chmod(tool.stat().st_mode | stat.S_IXUSR)
    return folder


def test_without_tshark_the_tool_is_missing(forged_reset, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PrivilegeError, match="not installed"):
        shark.dissect(forged_reset, [1])
    monkeypatch.setattr("sys.argv", ["fingerprint", "crosscheck", str(forged_reset)])
    assert _code() == 4
    assert capsys.readouterr().out == ""


def test_a_tshark_that_dies_is_an_error(forged_reset, tmp_path, monkeypatch):
    script = 'case "$1" in --version) echo "TShark (Wireshark) 4.0.17";; *) echo "it broke" >&2; exit 3;; esac'
    monkeypatch.setenv("PATH", f"{fake_tshark(tmp_path, script)}:/usr/bin:/bin")
    with pytest.raises(CaptureError, match=r"0 of the 2 packets asked for.*it broke"):
        shark.dissect(forged_reset, [1, 2])


def test_a_tshark_that_shows_nothing_and_is_content_is_an_error(forged_reset, tmp_path, monkeypatch):
    script = 'case "$1" in --version) echo "TShark (Wireshark) 4.0.17";; *) echo "<pdml></pdml>";; esac'
    monkeypatch.setenv("PATH", f"{fake_tshark(tmp_path, script)}:/usr/bin:/bin")
    with pytest.raises(CaptureError, match="0 of the 2 packets asked for"):
        shark.dissect(forged_reset, [1, 2])


def test_a_tshark_that_says_no_version_is_missing(forged_reset, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", f"{fake_tshark(tmp_path, 'echo hello')}:/usr/bin:/bin")
    with pytest.raises(PrivilegeError, match="version"):
        shark.dissect(forged_reset, [1])


def test_a_version_that_nobody_tested_is_warned_about(forged_reset, monkeypatch, judged):
    document = judged(forged_reset)
    monkeypatch.setattr(shark, "TESTED", ("9.9",))
    found = opinion(forged_reset, document)
    assert found.agrees
    assert any("was not tested" in c for c in found.complaints)


def test_the_settings_of_this_user_play_no_part(forged_reset, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    folder = tmp_path / ".config" / "wireshark"
    folder.mkdir(parents=True)
    (folder / "disabled_protos").write_text("tls\ntcp\n")
    monkeypatch.setenv("WIRESHARK_CONFIG_DIR", str(folder))
    frame = shark.dissect(forged_reset, [6]).frames[6]
    assert "tls" in {layer.name for layer in frame}


async def test_it_works_inside_a_running_event_loop_of_somebody_else_s_thread(forged_reset):
    import asyncio

    seen = await asyncio.to_thread(shark.dissect, forged_reset, [1])
    assert list(seen.frames) == [1]


def test_many_captures_one_after_the_other_leave_nothing_behind(forged_reset):
    import asyncio

    for _ in range(5):
        asyncio.run(asyncio.sleep(0))
        assert list(shark.dissect(forged_reset, [2, 4]).frames) == [2, 4]


def test_numbers_become_a_short_filter():
    assert shark.ranges([7, 1, 3, 4, 5, 5]) == "1, 3..5, 7"
    assert shark.ranges([]) == ""


def test_a_message_over_two_segments_is_compared_where_it_is_whole():
    file = capture_of("sni_split_hello_passes")
    recording = captures.read(file)
    numbers = range(1, len(recording.columns) + 1)
    ours = facts.of_frames(recording, numbers)
    split = [n for n, found in ours.items() if facts.SNI in found and recording.payload(n - 1)[:1] != b"\x16"]
    assert split
    theirs = {n: wireshark.values(layers) for n, layers in shark.dissect(file, split).frames.items()}
    told = compare({n: ours[n] for n in split}, theirs)
    assert {c.outcome for c in told if c.fact in {facts.SNI, facts.JA3}} == {AGREE}


@pytest.mark.parametrize("fact", ["tcp.options", "quoted.tcp.options"])
def test_behind_the_end_of_the_options_is_padding_and_before_it_is_not(fact):
    assert outcome(fact, "0402" + "00", ("0402" + "0000",)) == AGREE
    assert outcome(fact, "0402" + "00", ("0403" + "0000",)) == DISAGREE
