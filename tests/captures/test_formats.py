"""Every container format gives the same packets."""

from __future__ import annotations

import gzip
import hashlib
import io
import lzma
import os
import threading
from struct import pack

import pytest

from captures import CaptureError, State, read
from tests.captures.craft import (
    block,
    enhanced,
    ethernet,
    interface,
    ip4,
    option,
    pcap,
    read_bytes,
    section,
    simple,
    tcp,
    udp,
)

zstd = pytest.importorskip("compression.zstd" if os.sys.version_info >= (3, 14) else "backports.zstd")

FRAME = ethernet(ip4(tcp(b"hello")))


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("magic", "unit_ns"), [(0xA1B2C3D4, 1000), (0xA1B23C4D, 1)])
def test_pcap_in_both_byte_orders_and_both_resolutions(tmp_path, order, magic, unit_ns):
    recording = read_bytes(tmp_path, pcap([FRAME, FRAME], order=order, magic=magic, fraction=123456))
    assert recording.columns.time_ns.tolist() == [s * 10**9 + 123456 * unit_ns for s in (1000, 1001)]
    assert [recording.frame(row) for row in (0, 1)] == [FRAME, FRAME]
    assert recording.interfaces[0].link_type == 1
    assert recording.errors == ()


@pytest.mark.parametrize("order", ["<", ">"])
def test_the_patched_pcap_with_longer_record_headers(tmp_path, order):
    recording = read_bytes(tmp_path, pcap([FRAME, FRAME], order=order, magic=0xA1B2CD34, extra=bytes(8)))
    assert [recording.frame(row) for row in (0, 1)] == [FRAME, FRAME]


@pytest.mark.parametrize(("version", "swap"), [((2, 2), True), ((2, 3), True), ((2, 3), False), ((543, 0), True)])
def test_old_pcap_versions_swap_the_two_lengths(tmp_path, version, swap):
    recording = read_bytes(tmp_path, pcap([FRAME, FRAME], version=version, swap=swap, wire=1500))
    assert recording.columns.captured_bytes.tolist() == [len(FRAME)] * 2
    assert recording.columns.wire_bytes.tolist() == [1500] * 2


@pytest.mark.parametrize("order", ["<", ">"])
def test_pcapng_in_both_byte_orders(tmp_path, order):
    content = section(order) + interface(order=order) + enhanced(FRAME, order=order, units=7_000_001)
    recording = read_bytes(tmp_path, content)
    assert recording.frame(0) == FRAME
    assert recording.columns.time_ns.tolist() == [7_000_001_000]


@pytest.mark.parametrize(
    ("resolution", "offset_s", "units", "time_ns"),
    [
        (9, 0, 5, 5),
        (6, 0, 5, 5000),
        (3, 0, 5, 5_000_000),
        (0x80 | 1, 0, 3, 1_500_000_000),
        (0x80 | 10, 0, 1, 976_562),
        (12, 0, 5000, 5),
        (6, 100, 5, 100_000_005_000),
        (9, -1, 5, -999_999_995),
        (0, 0, 2**62, 2**63 - 1),
        (0, 0, 2**63, 1 - 2**63),
        (6, 0, 2**64 - 5, -5000),
    ],
)
def test_time_units_and_offsets_of_an_interface(tmp_path, resolution, offset_s, units, time_ns):
    options = option(9, bytes((resolution,))) + option(14, pack("<q", offset_s))
    recording = read_bytes(tmp_path, section() + interface(options=options) + enhanced(FRAME, units=units))
    assert recording.columns.time_ns.tolist() == [time_ns]


def test_sections_number_their_interfaces_anew(tmp_path):
    raw = ip4(tcp(b"raw"))
    content = (
        section() + interface(1, options=option(2, b"eth0")) + interface(101, options=option(9, b"\x09")) + enhanced(raw, number=1)
        + section(">") + interface(101, order=">") + enhanced(raw, order=">") + section() + interface(1) + enhanced(FRAME)
    )  # fmt: skip
    recording = read_bytes(tmp_path, content)
    assert recording.columns.interface.tolist() == [1, 2, 3]
    assert [i.link_type for i in recording.interfaces] == [1, 101, 101, 1]
    assert recording.interfaces[0].name == "eth0"
    assert recording.columns.protocol.tolist() == [6, 6, 6]


def test_simple_packets_are_cut_by_the_snaplen_of_the_first_interface(tmp_path):
    recording = read_bytes(tmp_path, section() + interface(snaplen=54) + simple(FRAME[:54], wire=len(FRAME)))
    assert recording.columns.captured_bytes.tolist() == [54]
    assert recording.columns.wire_bytes.tolist() == [len(FRAME)]
    assert recording.columns.state[0] & State.CUT
    assert recording.columns.payload_bytes.tolist() == [5]


def test_the_old_packet_block_is_read_and_its_losses_are_added(tmp_path):
    def old(lost):
        return block(2, pack("<HHIIII", 0, lost, 0, 9, len(FRAME), len(FRAME)) + FRAME + bytes(-len(FRAME) % 4))

    recording = read_bytes(tmp_path, section() + interface() + old(3) + old(0xFFFF) + old(4))
    assert len(recording.columns) == 3
    assert recording.interfaces[0].dropped_pkts == 7


def test_losses_are_those_of_the_last_statistics(tmp_path):
    def statistics(lost):
        return block(5, pack("<III", 0, 0, 0) + option(5, pack("<Q", lost)) + option(7, pack("<Q", 1)))

    content = section() + interface() + statistics(2) + enhanced(FRAME) + statistics(40)
    assert read_bytes(tmp_path, content).interfaces[0].dropped_pkts == 41


def test_losses_told_by_packets_are_added(tmp_path):
    lossy = enhanced(FRAME, options=option(4, pack("<Q", 5)) + option(0, b""))
    assert (
        read_bytes(tmp_path, section() + interface() + lossy + enhanced(FRAME) + lossy).interfaces[0].dropped_pkts == 10
    )


def test_a_recorder_that_says_nothing_of_losses_is_believed_neither_way(tmp_path):
    assert read_bytes(tmp_path, section() + interface() + enhanced(FRAME)).interfaces[0].dropped_pkts is None


def test_blocks_that_wireshark_numbers_take_a_row(tmp_path):
    content = (
        section() + block(9, b"MESSAGE=") + interface() + enhanced(FRAME)
        + block(0x0BAD, bytes(12)) + block(4, bytes(4)) + enhanced(FRAME)
    )  # fmt: skip
    assert read_bytes(tmp_path, content).columns.family.tolist() == [0, 4, 0, 4]


@pytest.mark.parametrize("compress", [gzip.compress, lzma.compress, zstd.compress])
def test_compressed_captures_read_like_plain_ones_and_hash_as_stored(tmp_path, compress):
    stored = compress(pcap([FRAME] * 3))
    recording = read_bytes(tmp_path, stored, "x.pcap.z")
    assert recording.sha256 == hashlib.sha256(stored).hexdigest()
    assert recording.columns.offset.tolist() == [40 + (16 + len(FRAME)) * row for row in range(3)]
    assert recording.frame(2) == FRAME


@pytest.mark.parametrize("compress", [gzip.compress, lzma.compress, zstd.compress])
def test_compressed_captures_may_be_joined(tmp_path, compress):
    content = pcap([FRAME] * 3)
    recording = read_bytes(tmp_path, compress(content[:50]) + compress(content[50:]))
    assert len(recording.columns) == 3
    assert recording.errors == ()


@pytest.mark.parametrize("compress", [gzip.compress, lzma.compress, zstd.compress])
def test_a_cut_compressed_capture_keeps_what_came_before_and_says_so(tmp_path, compress):
    noise = [ethernet(ip4(udp(os.urandom(1200)))) for _ in range(400)]
    stored = compress(pcap(noise))
    recording = read_bytes(tmp_path, stored[: len(stored) // 2])
    assert 0 < len(recording.columns) < 400
    assert "cut short inside the compressed stream" in recording.errors[0]
    assert recording.frame(0) == noise[0]


def test_standard_input_is_read_and_hashed(tmp_path, monkeypatch):
    content = pcap([FRAME] * 2)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))
    recording = read("-")
    assert recording.sha256 == hashlib.sha256(content).hexdigest()
    assert recording.file == "standard input"
    assert recording.frame(1) == FRAME


def test_a_named_pipe_is_read_like_standard_input(tmp_path):
    pipe, content = tmp_path / "pipe", pcap([FRAME] * 2)
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(content,))
    writer.start()
    recording = read(pipe)
    writer.join()
    assert recording.frame(1) == FRAME


def test_files_larger_than_a_block_are_read_whole(tmp_path):
    frame = ethernet(ip4(udp(bytes(1400), dport=9)))
    recording = read_bytes(tmp_path, pcap([frame] * 2000))
    assert len(recording.columns) == 2000
    assert recording.frame(1999) == frame
    assert recording.frame(0) == frame


def test_a_block_larger_than_the_buffer_is_skipped(tmp_path):
    recording = read_bytes(tmp_path, section() + interface() + block(4, bytes(5 << 20)) + enhanced(FRAME))
    assert recording.columns.family.tolist() == [4]


def test_a_capture_without_packets_is_no_error(tmp_path):
    recording = read_bytes(tmp_path, pcap([]))
    assert len(recording.columns) == 0
    assert recording.errors == ()
    assert len(recording.flows) == 0


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "is empty"),
        (b"GIF89a", "is neither pcap nor pcapng"),
        (b"snoop\0\0\0\0\0\0\2", "is a Solaris snoop file"),
        (pcap([])[:20], "ends inside the file header"),
        (pcap([FRAME])[:-1], "packet 1 is cut short"),
        (pcap([FRAME])[:30], "ends inside the header of packet 1"),
        (section() + enhanced(FRAME), "names interface 0, which is not described"),
        (gzip.compress(pcap([FRAME]), mtime=0)[:15], "cut short inside the compressed stream"),
        (b"\x1f\x8b\x08\0" + bytes(20) + b"\xff" * 20, "decompress"),
    ],
)
def test_a_file_without_one_readable_packet_is_an_error_that_names_the_file(tmp_path, content, complaint):
    with pytest.raises(CaptureError, match=rf"^x\.pcap: .*{complaint}") as caught:
        read_bytes(tmp_path, content)
    assert str(tmp_path) not in str(caught.value)


def test_missing_files_and_directories_are_capture_errors(tmp_path):
    with pytest.raises(CaptureError, match="there is no such file"):
        read(tmp_path / "none.pcap")
    with pytest.raises(CaptureError, match="is a directory"):
        read(tmp_path)


def test_a_cut_file_keeps_every_packet_before_the_cut(tmp_path):
    recording = read_bytes(tmp_path, pcap([FRAME] * 3)[:-10])
    assert len(recording.columns) == 2
    assert recording.errors[0].startswith(
        f"x.pcap: packet 3 is cut short ({len(FRAME) - 10} of {len(FRAME)} bytes kept)"
    )


def test_a_cut_pcapng_keeps_every_packet_before_the_cut(tmp_path):
    recording = read_bytes(tmp_path, (section() + interface() + enhanced(FRAME) * 3)[:-10])
    assert len(recording.columns) == 2
    assert "packet 3 is cut short" in recording.errors[0]


def test_an_impossible_length_is_a_fault_and_not_an_allocation(tmp_path):
    damaged = pcap([FRAME]) + pack("<IIII", 0, 0, 0x7FFFFFFF, 0x7FFFFFFF) + bytes(100)
    recording = read_bytes(tmp_path, damaged)
    assert len(recording.columns) == 1
    assert "packet 2 claims 2147483647 bytes" in recording.errors[0]


@pytest.mark.parametrize(
    "damage",
    [
        pack("<II", 6, 8),
        pack("<II", 6, 0x40000000),
        enhanced(FRAME)[:-4] + pack("<I", 99),
        block(6, pack("<IIIII", 0, 0, 0, 5000, 5000) + FRAME + bytes(-len(FRAME) % 4)),
        block(6, pack("<II", 0, 0)),
        block(1, b""),
        block(0x0A0D0D0A, pack("<IHHq", 0xDEADBEEF, 1, 0, -1)),
    ],
)
def test_a_broken_block_ends_the_read_and_keeps_what_came_before(tmp_path, damage):
    recording = read_bytes(tmp_path, section() + interface() + enhanced(FRAME) + damage + bytes(64))
    assert recording.columns.family.tolist() == [4]
    assert len(recording.errors) == 1


def test_a_snaplen_is_no_error(tmp_path):
    recording = read_bytes(tmp_path, pcap([FRAME[:54]], wire=len(FRAME)))
    assert recording.errors == ()
    assert recording.columns.state[0] == State.CUT
