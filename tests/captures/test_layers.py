"""IP, its tunnels and fragments, and the transports."""

from __future__ import annotations

from struct import pack

import pytest

from captures import State
from tests.captures.craft import CLIENT, SERVER, ethernet, ip4, ip6, one_row, pcap, read_bytes, tcp, udp

INNER = ip4(tcp(b"inner"), ttl=33)
INNER6 = ip6(tcp(b"inner"), ttl=33)
PAD = b"\x01\x04\0\0\0\0"  # PadN, to fill an extension header of eight bytes


def read_packet(tmp_path, *packets):
    return read_bytes(tmp_path, pcap(list(packets), link_type=101))


def test_every_field_of_ip_and_tcp(tmp_path):
    stamps = b"\x01\x01\x08\x0a" + pack(">II", 111, 222)
    segment = tcp(b"abc", seq=0xFFFFFFFE, ack=7, flags=0xA52, window=65535, options=stamps)
    row = one_row(
        read_packet(tmp_path, ip4(segment, ttl=251, ip_id=0x99B3, fragment=0xC000, tos=0x28, options=b"\x01" * 4))
    )
    assert (row["ttl"], row["ip_id"], row["ip_flags"], row["dscp"]) == (251, 0x99B3, 6, 0x28)
    assert (row["seq"], row["ack"], row["tcp_flags"], row["window"]) == (0xFFFFFFFE, 7, 0xA52, 65535)
    assert (row["tsval"], row["tsecr"]) == (111, 222)
    assert (row["l4_offset"], row["payload_offset"], row["payload_bytes"]) == (24, 56, 3)
    assert row["state"] == State.OPTIONS | State.TIMESTAMPS


def test_the_traffic_class_of_ipv6(tmp_path):
    row = one_row(read_packet(tmp_path, ip6(tcp(), traffic_class=0xB9, ttl=3)))
    assert (row["dscp"], row["ttl"], row["ip_id"], row["family"]) == (0xB9, 3, 0, 6)


def test_padding_behind_the_packet_is_no_payload(tmp_path):
    recording = read_bytes(tmp_path, pcap([ethernet(ip4(tcp())) + bytes(6)]))
    assert one_row(recording)["payload_bytes"] == 0
    assert recording.payload(0) == b""


def test_the_snaplen_does_not_change_the_payload_length(tmp_path):
    whole = ip4(tcp(bytes(1000)))
    recording = read_bytes(tmp_path, pcap([whole[:60]], link_type=101, wire=len(whole)))
    assert one_row(recording)["payload_bytes"] == 1000
    assert recording.payload(0) == bytes(20)


def test_a_length_of_zero_is_segmentation_offload(tmp_path):
    assert one_row(read_packet(tmp_path, ip4(tcp(bytes(900)), length=0)))["payload_bytes"] == 900
    assert one_row(read_packet(tmp_path, ip6(tcp(bytes(900)), length=0)))["payload_bytes"] == 900


def test_both_directions_are_one_flow_that_starts_with_the_first_sender(tmp_path):
    there, back = ip4(tcp(sport=1, dport=2)), ip4(tcp(sport=2, dport=1), src=SERVER, dst=CLIENT)
    recording = read_packet(tmp_path, there, back, ip4(udp(sport=1, dport=2), protocol=17), there)
    assert recording.columns.flow.tolist() == [0, 0, 1, 0]
    assert recording.columns.direction.tolist() == [0, 1, 0, 0]
    assert recording.flows.protocol.tolist() == [6, 17]
    assert bytes(recording.flows.address_a[0]) == bytes((192, 0, 2, 1)) + bytes(12)
    assert (recording.flows.port_a[0], recording.flows.port_b[0]) == (1, 2)


def test_thousands_of_flows_stay_apart(tmp_path):
    packets = [ip4(udp(sport=port), protocol=17) for port in range(1, 9001)]
    recording = read_packet(tmp_path, *packets, *packets)
    assert recording.columns.flow.tolist() == list(range(9000)) * 2


TUNNELS = {
    "IP in IP": ip4(INNER, protocol=4),
    "6in4": ip4(INNER6, protocol=41),
    "4in6": ip6(INNER, protocol=4),
    "two deep": ip4(ip4(INNER, protocol=4), protocol=4),
    "GRE": ip4(b"\0\0\x08\0" + INNER, protocol=47),
    "GRE with key, checksum and sequence": ip4(b"\xb0\0\x86\xdd" + bytes(12) + INNER6, protocol=47),
    "GRE with ethernet": ip4(b"\0\0\x65\x58" + ethernet(INNER), protocol=47),
    "ERSPAN II": ip4(b"\x10\0\x88\xbe" + bytes(12) + ethernet(INNER), protocol=47),
    "ERSPAN I": ip4(b"\0\0\x88\xbe" + ethernet(INNER), protocol=47),
    "ERSPAN III": ip4(b"\x10\0\x22\xeb" + bytes(16) + ethernet(INNER), protocol=47),
    "PPTP": ip4(b"\x30\x81\x88\x0b" + bytes(12) + b"\xff\x03\0\x21" + INNER, protocol=47),
    "WCCP": ip4(b"\0\0\x88\x3e" + bytes(4) + INNER, protocol=47),
    "EtherIP": ip4(b"\x30\0" + ethernet(INNER), protocol=97),
    "MPLS in IP": ip4(b"\0\0\x11\x40" + INNER, protocol=137),
}


@pytest.mark.parametrize("packet", TUNNELS.values(), ids=TUNNELS)
def test_the_innermost_packet_of_a_tunnel_counts(tmp_path, packet):
    recording = read_packet(tmp_path, packet)
    row = one_row(recording)
    assert (row["protocol"], row["ttl"], row["payload_bytes"], row["flow"]) == (6, 33, 5, 0)
    assert row["state"] == State.TUNNEL
    assert recording.payload(0) == b"inner"


def test_a_tunnel_that_carries_something_else_is_its_outer_packet(tmp_path):
    row = one_row(read_packet(tmp_path, ip4(b"\0\0\x12\x34" + bytes(20), protocol=47, ttl=9)))
    assert (row["protocol"], row["ttl"], row["flow"], row["state"]) == (47, 9, -1, 0)


EXTENSIONS = {
    "hop by hop": ip6(b"\x06\0" + PAD + tcp(b"abc"), protocol=0),
    "routing": ip6(b"\x06\0" + bytes(6) + tcp(b"abc"), protocol=43),
    "destination": ip6(b"\x06\x01" + PAD + bytes(8) + tcp(b"abc"), protocol=60),
    "several": ip6(b"\x3c\0" + PAD + b"\x06\0" + PAD + tcp(b"abc"), protocol=0),
    "atomic fragment": ip6(b"\x06\0\0\0\0\0\0\x07" + tcp(b"abc"), protocol=44),
    "authentication": ip6(b"\x06\x04" + bytes(22) + tcp(b"abc"), protocol=51),
    "authentication in IPv4": ip4(b"\x06\x04" + bytes(22) + tcp(b"abc"), protocol=51),
}


@pytest.mark.parametrize("packet", EXTENSIONS.values(), ids=EXTENSIONS)
def test_extension_headers_are_passed(tmp_path, packet):
    recording = read_packet(tmp_path, packet)
    row = one_row(recording)
    assert (row["protocol"], row["payload_bytes"], row["state"]) == (6, 3, 0)
    assert recording.payload(0) == b"abc"


def fragments4(datagram, *sizes, ip_id=7):
    at, pieces = 0, []
    for size in sizes:
        more = 0x2000 if at + size < len(datagram) else 0
        pieces.append(ip4(datagram[at : at + size], protocol=17, fragment=more | at // 8, ip_id=ip_id))
        at += size
    return pieces


def fragments6(datagram, *sizes):
    at, pieces = 0, []
    for size in sizes:
        more = 1 if at + size < len(datagram) else 0
        pieces.append(ip6(pack(">BBHI", 17, 0, at | more, 9) + datagram[at : at + size], protocol=44))
        at += size
    return pieces


@pytest.mark.parametrize("split", [fragments4, fragments6])
def test_a_fragmented_datagram_is_joined_from_its_first_fragment(tmp_path, split):
    body = bytes(range(200))
    first, second, third = split(udp(body), 80, 80, 48)
    recording = read_packet(tmp_path, third, first, second, second)
    assert recording.fragments == {1: (2, 0)}
    assert recording.payload(1) == body
    assert recording.columns.payload_bytes[1] == 200
    assert recording.columns.flow.tolist() == [-1, 0, -1, -1]
    assert recording.columns.protocol.tolist() == [17] * 4
    assert recording.columns.state.tolist() == [6, 2, 6, 6]
    assert recording.packet(1).payload == body
    assert recording.packet(0).ip.fragment_offset_bytes == 160


def test_a_missing_fragment_ends_the_payload(tmp_path):
    first, _, third = fragments4(udp(bytes(range(200))), 80, 80, 48)
    recording = read_packet(tmp_path, first, third)
    assert recording.payload(0) == bytes(range(72))


def test_fragments_of_two_datagrams_with_one_id_stay_apart(tmp_path):
    one, two = fragments4(udp(b"1" * 100), 80, 28), fragments4(udp(b"2" * 100), 80, 28)
    recording = read_packet(tmp_path, *one, *two)
    assert recording.fragments == {0: (1,), 2: (3,)}
    assert recording.payload(2) == b"2" * 100


@pytest.mark.parametrize(
    ("packet", "family"),
    [
        (ip4(tcp(), length=9000), 4),
        (ip4(tcp(), length=10), 4),
        (b"\x41" + ip4(tcp())[1:], 4),
        (ip4(tcp()[:12]), 4),
        (ip4(tcp(b"x" * 20)[:12] + b"\xf0" + bytes(7)), 4),
        (ip4(tcp()[:12] + b"\x40" + bytes(7)), 4),
        (ip4(tcp(options=b"\x02\x01\0\0")), 4),
        (ip4(tcp(options=b"\x02\x09\0\0")), 4),
        (ip4(udp()[:6], protocol=17), 4),
        (ip4(udp(length=900), protocol=17), 4),
        (ip4(udp(length=3), protocol=17), 4),
        (ip6(tcp(), length=5000), 6),
        (ip6(b"\x06\xff" + bytes(6), protocol=0), 6),
        (ip4(b"\x03\x01", protocol=1), 4),
        (ip4(b"")[:19], 0),
        (ip6(b"")[:39], 0),
    ],
)
def test_lengths_that_do_not_fit_are_marked_and_read_as_far_as_they_go(tmp_path, packet, family):
    recording = read_packet(tmp_path, packet)
    row = one_row(recording)
    assert row["state"] & State.MALFORMED
    assert row["family"] == family
    assert recording.packet(0).malformed


@pytest.mark.parametrize(("version", "protocol"), [(ip4, 1), (ip6, 58)])
def test_icmp_shows_type_and_code(tmp_path, version, protocol):
    row = one_row(read_packet(tmp_path, version(b"\x03\x0d" + bytes(6) + b"quoted", protocol=protocol)))
    assert (row["icmp"], row["payload_bytes"], row["flow"]) == (0x030D, 6, -1)
