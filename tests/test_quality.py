"""Capture quality: each issue fires on what it names, and a plain capture has none."""

from __future__ import annotations

import struct
from pathlib import Path

from captures import read
from fingerprint.capture import Capture
from tests.conversations.resets_talk import ACK, PSH, RST, SYN, Talk, hello


def _issues(capture: Capture) -> set[str]:
    return {q.issue for _, q in capture.quality}


def test_a_whole_connection_has_no_issue(tmp_path: Path) -> None:
    assert _issues(Talk().works(0, port=40001).capture(tmp_path)) == set()


def test_one_direction_only_is_one_sided(tmp_path: Path) -> None:
    talk = Talk()
    end = talk.asked()
    talk.send(90, "c", ACK, seq=end, ack=300)
    talk.packets = [p for p in talk.packets if p[1][12:16] == talk.packets[0][1][12:16]]
    assert "one-sided" in _issues(talk.capture(tmp_path))


def test_an_unanswered_syn_is_not_one_sided(tmp_path: Path) -> None:
    talk = Talk()
    for at in (0, 1000, 3000):
        talk.send(at, "c", SYN, seq=0)
    assert "one-sided" not in _issues(talk.capture(tmp_path))


def test_beginning_without_a_syn_is_mid_flow(tmp_path: Path) -> None:
    talk = Talk().send(0, "c", ACK, seq=1, ack=1).send(40, "s", ACK, seq=1, ack=1)
    assert "mid-flow" in _issues(talk.capture(tmp_path))


def test_frames_above_any_mtu_are_offload(tmp_path: Path) -> None:
    talk = Talk().works(0, port=40001).send(200, "s", PSH | ACK, seq=7, ack=1, payload=bytes(20_000), port=40001)
    assert "offload" in _issues(talk.capture(tmp_path))


def test_time_that_steps_back_is_a_clock_issue(tmp_path: Path) -> None:
    talk = Talk().works(0, port=40001)
    capture = talk.capture(tmp_path)
    path = tmp_path / "talk.pcap"
    raw = bytearray(path.read_bytes())
    last = len(raw) - int(capture.recordings[0].columns.captured_bytes[-1]) - 16
    raw[last : last + 4] = struct.pack("<I", struct.unpack("<I", raw[last : last + 4])[0] - 50)
    path.write_bytes(raw)
    assert "clock" in _issues(Capture(recordings=(read(path),)))


def test_every_packet_twice_is_duplicates_and_a_retransmission_is_not(tmp_path: Path) -> None:
    talk = Talk().works(0, port=40001)
    talk.packets = [(at + 0.01 * i, raw) for at, raw in talk.packets for i in (0, 1)]
    assert "duplicates" in _issues(talk.capture(tmp_path))
    again = Talk()
    again.asked()
    again.send(342, "c", PSH | ACK, seq=1, ack=1, payload=hello("news.example"))
    assert "duplicates" not in _issues(again.capture(tmp_path))


def test_a_kernel_that_resets_a_handshake_which_goes_on_is_a_host_reset(tmp_path: Path) -> None:
    talk = Talk().send(0, "c", SYN, seq=0).send(40, "s", SYN | ACK, seq=0, ack=1).send(40.1, "c", RST, seq=1)
    talk.send(41, "c", PSH | ACK, seq=1, ack=1, payload=hello("news.example"))
    assert "host-resets" in _issues(talk.capture(tmp_path))


def test_an_end_right_after_a_request_is_short(tmp_path: Path) -> None:
    talk = Talk().send(0, "c", PSH | ACK, seq=1, ack=1, payload=hello("news.example"))
    assert "short" in _issues(talk.capture(tmp_path))


def test_cut_frames_and_lost_packets_are_told(tmp_path: Path) -> None:
    talk = Talk().works(0, port=40001)
    talk.capture(tmp_path)
    raw = (tmp_path / "talk.pcap").read_bytes()
    out, at = bytearray(raw[:24]), 24
    while at < len(raw):
        seconds, ns, kept, size = struct.unpack_from("<IIII", raw, at)
        out += struct.pack("<IIII", seconds, ns, min(kept, 60), size) + raw[at + 16 : at + 16 + min(kept, 60)]
        at += 16 + kept
    (tmp_path / "cut.pcap").write_bytes(out)
    assert "snaplen" in _issues(Capture(recordings=(read(tmp_path / "cut.pcap"),)))
