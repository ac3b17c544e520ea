"""What payloads begin with, and the names they show."""

from __future__ import annotations

import pytest

from captures import Mark, State
from tests.captures.craft import client_hello, ip4, one_row, pcap, question, read_bytes, tcp, udp

HELLO = client_hello()
REQUEST = b"GET / HTTP/1.1\r\nHost: Example.ORG:8080\r\nAccept: */*\r\n\r\n"


def seen(tmp_path, packet, **options):
    recording = read_bytes(tmp_path, pcap([packet], link_type=101, **options))
    row = one_row(recording)
    name = recording.names[row["name"]] if row["name"] >= 0 else None
    return Mark(row["mark"]), name, bool(row["state"] & State.WHOLE_NAME)


@pytest.mark.parametrize(
    ("payload", "mark"),
    [
        (b"\x16\x03\x03\0\x7a\x02\0\0\x76\x03\x03", Mark.TLS_HANDSHAKE),
        (b"\x16\x03\x03\0\x28\x01\x99\x12\x13\x14", Mark.TLS_HANDSHAKE),
        (b"\x15\x03\x03\0\x02\x02\x28", Mark.TLS_ALERT),
        (b"\x17\x03\x03\x40\x00", Mark.TLS_OTHER),
        (b"\x14\x03\x03\0\x01\x01", Mark.TLS_OTHER),
        (b"\x17\x03\x03\x48\x01", Mark.NONE),
        (b"\x17\x03\x05\x40\x00", Mark.NONE),
        (b"\x16\x03\x03\0\0", Mark.NONE),
        (b"HTTP/1.1 403 Forbidden\r\n", Mark.HTTP_RESPONSE),
        (b"PROPFIND / HTTP/1.1\r\n", Mark.HTTP_REQUEST),
        (b"GETAWAY", Mark.NONE),
        (b"SSH-2.0-x\r\n", Mark.NONE),
        (b"", Mark.NONE),
    ],
)
def test_marks_of_tcp_payloads(tmp_path, payload, mark):
    assert seen(tmp_path, ip4(tcp(payload))) == (mark, None, False)


@pytest.mark.parametrize(
    ("payload", "mark"),
    [
        (b"\xc3\0\0\0\x01\x08" + bytes(20), Mark.QUIC_LONG),
        (b"\xc3\0\0\0\0\x08" + bytes(20), Mark.NONE),
        (b"\xc3\0\0\0\x01\x15" + bytes(20), Mark.NONE),
        (b"\x83\0\0\0\x01\x08" + bytes(20), Mark.NONE),
        (b"\x43\0\0\0\x01\x08" + bytes(20), Mark.NONE),
    ],
)
def test_marks_of_udp_payloads(tmp_path, payload, mark):
    assert seen(tmp_path, ip4(udp(payload, dport=443), protocol=17)) == (mark, None, False)


def test_dns_is_told_by_its_port(tmp_path):
    assert seen(tmp_path, ip4(udp(question()), protocol=17)) == (Mark.DNS_QUERY, "example.org", True)
    assert seen(tmp_path, ip4(udp(question(), dport=5353), protocol=17))[0] == Mark.DNS_QUERY
    answer = udp(question(b"WWW.Example.org", answer=True), sport=53, dport=9)
    assert seen(tmp_path, ip4(answer, protocol=17)) == (Mark.DNS_ANSWER, "www.example.org", True)
    assert seen(tmp_path, ip4(udp(question(), dport=54), protocol=17)) == (Mark.NONE, None, False)


@pytest.mark.parametrize(
    "payload",
    [
        question()[:20],
        question()[:12],
        question()[:12] + b"\0\0\x01\0\x01",
        question()[:12] + b"\xc0\x0c\0\x01\0\x01",
        question()[:12] + b"\x40" + bytes(100),
        question(b".".join([b"a" * 60] * 5)),
        question()[:4] + bytes(8) + question()[12:],
    ],
)
def test_broken_questions_show_no_name(tmp_path, payload):
    assert seen(tmp_path, ip4(udp(payload), protocol=17))[1] is None


def test_a_cut_answer_shows_its_question_but_is_not_whole(tmp_path):
    packet = ip4(udp(question() + bytes(300)), protocol=17)
    assert seen(tmp_path, packet[:100], wire=len(packet)) == (Mark.DNS_QUERY, "example.org", False)


def test_hostile_names_are_escaped(tmp_path):
    name = b"a\x1b[31m\xff.b"
    assert seen(tmp_path, ip4(udp(question(name)), protocol=17))[1] == "a\\x1b[31m\\xff.b"
    assert seen(tmp_path, ip4(tcp(client_hello(b"x\r\ny z"))))[1] == "x\\x0d\\x0ay\\x20z"


def test_a_dot_inside_a_label_is_no_separator(tmp_path):
    payload = question()[:12] + b"\x07www.com\0\0\x01\0\x01"
    assert seen(tmp_path, ip4(udp(payload), protocol=17))[1] == "www\\x2ecom"


def test_the_name_of_a_whole_hello(tmp_path):
    assert seen(tmp_path, ip4(tcp(HELLO))) == (Mark.TLS_HELLO, "example.org", True)
    assert seen(tmp_path, ip4(tcp(client_hello(b"Example.ORG.")))) == (Mark.TLS_HELLO, "example.org", True)


@pytest.mark.parametrize("size", range(6, len(HELLO)))
def test_a_hello_cut_anywhere_shows_no_name(tmp_path, size):
    assert seen(tmp_path, ip4(tcp(HELLO[:size]))) == (Mark.TLS_HELLO, None, False)


def test_a_hello_over_two_records_in_one_packet_shows_its_name(tmp_path):
    message = HELLO[5:]
    halves = b"".join(b"\x16\x03\x01" + len(part).to_bytes(2, "big") + part for part in (message[:20], message[20:]))
    assert seen(tmp_path, ip4(tcp(halves))) == (Mark.TLS_HELLO, "example.org", True)


@pytest.mark.parametrize("at", range(5, len(HELLO)))
def test_a_hello_with_any_byte_wrong_is_read_without_complaint(tmp_path, at):
    broken = HELLO[:at] + bytes((HELLO[at] ^ 0xFF,)) + HELLO[at + 1 :]
    mark, _, _ = seen(tmp_path, ip4(tcp(broken)))
    assert mark in (Mark.TLS_HELLO, Mark.TLS_HANDSHAKE)


@pytest.mark.parametrize(
    ("payload", "name", "whole"),
    [
        (REQUEST, "example.org", True),
        (REQUEST[:-2], "example.org", False),
        (REQUEST.replace(b"\r", b""), "example.org", True),
        (REQUEST[:30], None, False),
        (b"GET / HTTP/1.1\r\nhOsT:\t[2001:db8::1]:80 \r\n\r\n", "[2001:db8::1]", True),
        (b"GET / HTTP/1.1\r\nA: b\r\nHost: a.\r\nHost: b\r\n\r\n", "a", True),
        (b"GET / HTTP/1.1\r\nHost: \r\n\r\n", None, False),
        (b"GET / HTTP/1.1\r\nHost: " + b"a" * 300 + b"\r\n\r\n", None, False),
        (b"GET / HTTP/1.1\r\n\r\nHost: in.the.body\r\n", None, False),
        (b"GET / HTTP/1.0\r\n", None, False),
    ],
)
def test_the_host_of_a_request(tmp_path, payload, name, whole):
    assert seen(tmp_path, ip4(tcp(payload, dport=8080))) == (Mark.HTTP_REQUEST, name, whole)


def test_one_name_is_one_row_whatever_shows_it(tmp_path):
    packets = [ip4(tcp(HELLO)), ip4(udp(question()), protocol=17), ip4(tcp(REQUEST)), ip4(tcp(client_hello(b"b")))]
    recording = read_bytes(tmp_path, pcap(packets, link_type=101))
    assert recording.names == ("example.org", "b")
    assert recording.columns.name.tolist() == [0, 0, 0, 1]
