"""When a recording ended: its last packet, or what the recorder says, where that can be true."""

from __future__ import annotations

from pathlib import Path
from struct import pack

import numpy as np
import pytest

from captures import read
from captures.recording import LONGEST_SILENCE_NS
from tests.captures.agree import assert_both_passes_agree
from tests.captures.craft import block, enhanced, ethernet, interface, ip4, option, pcap, read_bytes, section, tcp

FRAME = ethernet(ip4(tcp(b"hello")))
# The packets' time in the units of their interface, far enough from the epoch to be a date.
LAST_US = 1_589_729_462_123_456
NANOSECONDS = option(9, b"\x09")


def statistics(end, *, order="<", number=0, received=1, dropped=0):
    time = pack(order + "II", end >> 32, end & 0xFFFFFFFF)
    counts = [(4, received), (5, dropped)]
    options = option(3, time, order) + b"".join(option(code, pack(order + "Q", n), order) for code, n in counts)
    return block(5, pack(order + "I", number) + time + options, order)


def recorded(*blocks, options=b"", order="<", units=LAST_US):
    return (
        section(order)
        + interface(order=order, options=options)
        + enhanced(FRAME, units=units, order=order)
        + b"".join(blocks)
    )


def ended_s(tmp_path: Path, content: bytes) -> float:
    """Seconds from the last packet to the end."""
    path = tmp_path / "x.pcapng"
    path.write_bytes(content)
    recording = assert_both_passes_agree(path)
    assert not isinstance(recording, str)
    return (recording.ended_ns - int(recording.columns.time_ns.max())) / 1e9


@pytest.mark.parametrize("order", ["<", ">"])
def test_silence_after_the_last_packet_is_witnessed_by_the_recorder(tmp_path, order):
    assert ended_s(tmp_path, recorded(statistics(LAST_US + 7_000_000, order=order), order=order)) == 7.0


def test_without_a_word_of_the_recorder_the_last_packet_is_the_end(tmp_path):
    assert ended_s(tmp_path, recorded()) == 0
    recording = read_bytes(tmp_path, pcap([FRAME]))
    assert recording.ended_ns == recording.columns.time_ns[0]


def test_dumpcap_counts_microseconds_on_an_interface_that_counts_nanoseconds(tmp_path):
    content = recorded(statistics(LAST_US + 7_000_000), options=NANOSECONDS, units=LAST_US * 1000)
    assert ended_s(tmp_path, content) == 7.0


@pytest.mark.parametrize("end_us", [0, LAST_US - 1, LAST_US + LONGEST_SILENCE_NS // 1000 + 1, 2**63, 2**64 - 1])
def test_an_end_that_cannot_be_is_not_believed(tmp_path, end_us):
    assert ended_s(tmp_path, recorded(statistics(end_us))) == 0


def test_a_slice_of_a_recording_was_not_listened_to_so_long(tmp_path):
    late = LAST_US + 60_000_000
    assert ended_s(tmp_path, recorded(statistics(late, received=2))) == 0
    assert ended_s(tmp_path, recorded(statistics(late, received=2, dropped=1))) == 60


def test_the_interface_that_listened_longest_counts_and_a_second_section_numbers_anew(tmp_path):
    first = recorded(statistics(LAST_US + 2_000_000))
    second = recorded(statistics(LAST_US + 9_000_000), statistics(5, number=3))
    assert ended_s(tmp_path, first + second) == 9.0
    assert read(tmp_path / "x.pcapng").interfaces[0].ended_ns == (LAST_US + 2_000_000) * 1000


def test_the_columns_do_not_change_by_what_the_recorder_says(tmp_path):
    plain = read_bytes(tmp_path, recorded(), "a.pcapng")
    told = read_bytes(tmp_path, recorded(statistics(LAST_US + 7_000_000)), "b.pcapng")
    np.testing.assert_array_equal(plain.columns.time_ns, told.columns.time_ns)
