"""What the boxes read, and when they know enough."""

import pytest

from fingerprint.lab.boxes import reading
from fingerprint.lab.boxes.watching import Names, Watch
from fingerprint.lab.packet import SYN
from tests.lab_simulated.talking import hello, query, request, up


def two_records(data, at):
    return (
        data[:3]
        + at.to_bytes(2, "big")
        + data[5 : 5 + at]
        + data[:3]
        + (len(data) - 5 - at).to_bytes(2, "big")
        + data[5 + at :]
    )


def test_the_name_of_a_hello_is_read_as_soon_as_it_is_whole():
    data = hello("forum.test")
    end = data.index(b"forum.test") + len("forum.test")
    assert reading.sni(data[:end]) == "forum.test"
    assert all(reading.sni(data[:n]) is None for n in range(end))
    assert reading.hello_is_whole(data)
    assert not any(reading.hello_is_whole(data[:n]) for n in range(1, len(data)))


def test_a_name_behind_the_first_record_is_seen_only_by_who_joins_records():
    data = hello("forum.test")
    split = two_records(data, data.index(b"forum.test"))
    assert reading.sni(split) == "forum.test"
    assert reading.sni(split, joins_records=False) is None


@pytest.mark.parametrize(
    "junk", [b"", b"\x16", b"\x16\x03\x01\xff\xff" + bytes(50), bytes(100), b"GET", b"\x16\x03" * 80]
)
def test_junk_names_nobody(junk):
    assert reading.sni(junk) is None
    assert reading.host(junk) is None
    assert reading.question(junk) is None
    assert reading.quic_version(junk) is None


def test_every_cut_and_every_changed_byte_of_a_hello_is_read_without_complaint():
    data = hello()
    for at in range(len(data)):
        reading.sni(data[:at])
        reading.sni(data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :])


def test_a_host_is_read_without_its_port_and_in_any_case():
    assert reading.host(b"GET / HTTP/1.1\r\nhOsT:  forum.test:8080 \r\n\r\n") == "forum.test"
    assert reading.host(b"GET / HTTP/1.1\r\nHost: forum.te") is None
    assert reading.request_is_whole(request())
    assert not reading.request_is_whole(request()[:-1])


def test_a_question_is_read_and_an_answer_is_none():
    asked = reading.question(query("a.forum.test", rtype=28, number=9).payload)
    assert (asked.name, asked.rtype, asked.transaction, asked.recursion) == ("a.forum.test", 28, 9, True)
    message = bytearray(query().payload)
    message[2] |= 0x80
    assert reading.question(bytes(message)) is None


def test_a_quic_version_is_read_from_long_headers_alone():
    assert reading.quic_version(b"\xc3\x00\x00\x00\x01" + bytes(1200)) == 1
    assert reading.quic_version(b"\x43\x00\x00\x00\x01" + bytes(1200)) is None


@pytest.mark.parametrize(
    ("match", "name", "minded"),
    [
        ("suffix", "forum.test", True),
        ("suffix", "img.forum.test", True),
        ("suffix", "myforum.test", False),
        ("exact", "img.forum.test", False),
        ("substring", "myforum.test.example", True),
        ("suffix", "FoRuM.tEsT", True),
        ("suffix", "forum.test.", True),
        ("suffix", "herbs.test", False),
        ("suffix", None, False),
    ],
)
def test_names_are_compared_as_the_device_does(match, name, minded):
    assert Names(match=match).mind(name) is minded


def segments(data, at):
    return up(data[:at], seq=1001), up(data[at:], seq=1001 + at)


def opened(watch):
    watch.fires(up(flags=SYN, seq=1000, ack=0))
    return watch


@pytest.mark.parametrize("turned", [False, True])
def test_who_joins_segments_fires_once_the_name_is_whole_in_whatever_order(turned):
    data = hello()
    first, second = segments(data, data.index(b"forum.test") + 4)
    order = (second, first) if turned else (first, second)
    watch = opened(Watch())
    assert [watch.fires(p) for p in order] == [False, True]
    assert watch.fires(order[1]) or not order[1].payload.startswith(b"\x16"), "a repetition of the hello fires again"


def test_who_reads_single_packets_never_sees_a_split_name():
    data = hello()
    watch = opened(Watch(joins_segments=False))
    assert not any(watch.fires(p) for p in segments(data, data.index(b"forum.test") + 4))
    assert watch.fires(up(data))


def test_the_first_copy_of_a_byte_counts():
    watch = opened(Watch())
    assert not watch.fires(up(hello("herbs.test")))
    assert not watch.fires(up(hello("forum.test"))), "its place in the stream is taken"


def test_a_flow_that_opened_with_something_else_is_left_alone():
    watch = opened(Watch())
    assert not watch.fires(up(hello("herbs.test")))
    assert not watch.fires(up(hello("forum.test"), seq=90_000))
