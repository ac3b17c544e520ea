"""What is written is read back, by this reader and by Wireshark's."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from captures import read
from captures.write import Frame, Link, Writer, write
from tests.captures.craft import ethernet, ip4, tcp

SEGMENT = ip4(tcp(b"hello"))
FRAMES = (
    Frame(
        content=ethernet(SEGMENT), time_ns=1_589_729_462_123_456_789, comments=("[evidence] forged: «RST»", "second")
    ),
    Frame(content=SEGMENT[:41], time_ns=1_589_729_463_000_000_001, wire_bytes=45, interface=1),
)
LINKS = (Link(link_type=1, name="veth0"), Link(link_type=101))


def test_frames_come_back_with_their_times_and_interfaces(tmp_path):
    path = tmp_path / "x.pcapng"
    assert write(path, FRAMES, links=LINKS, application="tests") == 2
    recording = read(path)
    assert recording.errors == ()
    assert [recording.frame(row) for row in (0, 1)] == [frame.content for frame in FRAMES]
    assert recording.columns.time_ns.tolist() == [frame.time_ns for frame in FRAMES]
    assert recording.columns.wire_bytes.tolist() == [len(FRAMES[0].content), 45]
    assert [(i.link_type, i.name) for i in recording.interfaces] == [(1, "veth0"), (101, None)]


@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
def test_wireshark_reads_the_comments(tmp_path):
    path = tmp_path / "x.pcapng"
    write(path, FRAMES, links=LINKS)
    fields = ["-T", "fields", "-e", "frame.comment", "-e", "frame.time_epoch", "-e", "tcp.dstport"]
    told = subprocess.run(["tshark", "-n", "-r", str(path), *fields], capture_output=True, text=True, check=True).stdout
    assert told.splitlines() == [
        "[evidence] forged: «RST»,second\t1589729462.123456789\t443",
        "\t1589729463.000000001\t443",
    ]


BEGAN_NS, ENDED_NS = FRAMES[0].time_ns - 1_000, FRAMES[1].time_ns + 7_000_000_001


def _recorded(path):
    with path.open("wb") as file:
        writer = Writer(file, links=LINKS, application="tests")
        for frame in FRAMES:
            writer.frame(frame)
        for interface, dropped in ((0, 3), (1, 0)):
            writer.statistics(
                interface=interface,
                received_pkts=1 + dropped,
                dropped_pkts=dropped,
                began_ns=BEGAN_NS,
                ended_ns=ENDED_NS,
            )
    return writer


def test_a_recorder_says_what_it_lost(tmp_path):
    path = tmp_path / "x.pcapng"
    assert _recorded(path).count == 2
    recording = read(path)
    assert recording.errors == ()
    assert [(i.received_pkts, i.dropped_pkts) for i in recording.interfaces] == [(4, 3), (1, 0)]
    assert {i.ended_ns for i in recording.interfaces} == {ENDED_NS} == {recording.ended_ns}


@pytest.mark.skipif(shutil.which("capinfos") is None, reason="capinfos is not installed")
def test_wireshark_reads_the_statistics(tmp_path):
    path = tmp_path / "x.pcapng"
    _recorded(path)
    told = subprocess.run(["capinfos", str(path)], capture_output=True, text=True, check=True).stdout
    assert told.count("Number of stat entries = 1") == 2
    # The file as blocks: Wireshark's dissector of the format itself.
    option = "pcapng.options.option.data.interface"
    fields = ["-T", "fields", "-e", f"{option}.received", "-e", f"{option}.dropped", "-e", "_ws.malformed"]
    blocks = ["-X", "read_format:MIME Files Format"]
    told = subprocess.run(
        ["tshark", "-n", "-r", str(path), *blocks, *fields], capture_output=True, text=True, check=True
    ).stdout
    assert told.rstrip("\n").split("\t") == ["4,1", "3,0", ""]


def test_statistics_of_an_interface_that_is_not_described_are_refused(tmp_path):
    with (tmp_path / "x.pcapng").open("wb") as file, pytest.raises(ValueError, match="statistics name interface 1"):
        Writer(file, links=LINKS[:1]).statistics(interface=1, received_pkts=0, dropped_pkts=0, began_ns=0, ended_ns=0)


def test_a_comment_too_long_for_an_option_is_cut_at_a_character(tmp_path):
    path = tmp_path / "x.pcapng"
    write(path, [Frame(content=SEGMENT, time_ns=0, comments=("«" * 40_000,))], links=LINKS)
    assert read(path).errors == ()


def test_a_frame_on_an_interface_that_is_not_described_is_refused(tmp_path):
    with pytest.raises(ValueError, match="packet 1 names interface 2"):
        write(tmp_path / "x.pcapng", [Frame(content=b"", time_ns=0, interface=2)], links=LINKS)
