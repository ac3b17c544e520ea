"""Packets decoded with care."""

from __future__ import annotations

from struct import pack

import pytest

from tests.captures.craft import CLIENT, SERVER, ethernet, ip4, ip6, pcap, read_bytes, tcp, udp


def packet_of(tmp_path, content, **options):
    return read_bytes(tmp_path, pcap([content], link_type=101, **options)).packet(0)


def test_a_tcp_packet_keeps_every_option_in_order(tmp_path):
    options = b"\x02\x04\x05\xb4\x01\x03\x03\x07\xfd\x04zz\0\0\0\0"
    packet = packet_of(tmp_path, ip4(tcp(b"hi", options=options, flags=0x104), ttl=9, options=b"\x94\x04\0\0"))
    assert packet.tcp.options == ((2, b"\x05\xb4"), (1, b""), (3, b"\x07"), (253, b"zz"), (0, b""))
    assert (packet.tcp.flags, packet.tcp.seq, packet.tcp.source_port) == (0x104, 1000, 40000)
    assert (packet.ip.source, packet.ip.destination, packet.ip.ttl_hops, packet.ip.id) == (CLIENT, SERVER, 9, 7)
    assert (packet.ip.flags, packet.ip.options) == (2, b"\x94\x04\0\0")
    assert (packet.payload, packet.payload_bytes, packet.number, packet.malformed) == (b"hi", 2, 1, ())


def test_ipv6_has_no_id_unless_a_fragment_header_carries_one(tmp_path):
    assert packet_of(tmp_path, ip6(tcp())).ip.id is None
    atomic = ip6(pack(">BBHI", 6, 0, 0, 0xABCDEF01) + tcp(), protocol=44)
    assert packet_of(tmp_path, atomic).ip.id == 0xABCDEF01


def test_an_error_message_quotes_a_packet_of_which_eight_bytes_are_enough(tmp_path):
    sent = ip4(tcp(bytes(500), seq=77, dport=443), ttl=1)
    packet = packet_of(tmp_path, ip4(b"\x0b\0\0\0\0\0\0\0" + sent[:28], protocol=1, src="203.0.113.9"))
    quoted = packet.icmp.quoted
    assert (packet.icmp.type, packet.icmp.code, packet.ip.source) == (11, 0, "203.0.113.9")
    assert (quoted.ip.source, quoted.ip.ttl_hops, quoted.tcp.destination_port, quoted.tcp.seq) == (CLIENT, 1, 443, 77)
    assert quoted.malformed[0].layer == "tcp"
    assert quoted.payload_bytes == 500


def test_an_error_message_may_quote_a_whole_packet(tmp_path):
    sent = ip6(udp(b"query", dport=53), protocol=17)
    packet = packet_of(tmp_path, ip6(b"\x01\x04" + bytes(6) + sent, protocol=58))
    assert packet.icmp.body[:4] == bytes(4)
    assert packet.icmp.quoted.udp.destination_port == 53
    assert packet.icmp.quoted.payload == b"query"
    assert packet.icmp.quoted.malformed == ()


def test_an_echo_quotes_nothing(tmp_path):
    packet = packet_of(tmp_path, ip4(b"\x08\0" + bytes(6) + ip4(tcp()), protocol=1))
    assert packet.icmp.quoted is None
    assert packet.payload == ip4(tcp())


def test_quotations_within_quotations_come_to_an_end(tmp_path):
    message = ip4(tcp())
    for _ in range(30):
        message = ip4(b"\x03\x01" + bytes(6) + message, protocol=1)
    depth, packet = 0, packet_of(tmp_path, message)
    while packet.icmp and packet.icmp.quoted:
        depth, packet = depth + 1, packet.icmp.quoted
    assert depth == 2


def test_a_broken_layer_is_named_beside_what_could_be_read(tmp_path):
    packet = packet_of(tmp_path, ip4(tcp(options=b"\x02\x09\0\0")))
    assert packet.tcp.source_port == 40000
    assert (packet.malformed[0].layer, packet.malformed[0].at_byte) == ("tcp", 40)


def test_the_datagrams_own_length_cuts_the_payload(tmp_path):
    packet = packet_of(tmp_path, ip4(udp(b"abcdef", length=11), protocol=17))
    assert (packet.payload, packet.payload_bytes, packet.udp.length_bytes) == (b"abc", 3, 11)


def test_a_frame_without_ip_is_a_packet_without_layers(tmp_path):
    recording = read_bytes(tmp_path, pcap([ethernet(bytes(40), 0x0806)]))
    packet = recording.packet(0)
    assert (packet.ip, packet.tcp, packet.udp, packet.icmp, packet.malformed) == (None, None, None, None, ())
    assert packet.captured_bytes == 54


def test_packets_beyond_the_last_do_not_exist(tmp_path):
    recording = read_bytes(tmp_path, pcap([ethernet(ip4(tcp()))]))
    with pytest.raises(IndexError, match="packet 2 does not exist"):
        recording.packet(1)


def test_a_packet_agrees_with_its_row(tmp_path):
    packets = [ip4(tcp(b"x" * n, seq=n)) for n in range(5)] + [ip4(udp(b"y" * 9), protocol=17)]
    recording = read_bytes(tmp_path, pcap(packets, link_type=101))
    for row in range(6):
        packet = recording.packet(row)
        assert packet.payload == recording.payload(row)
        assert packet.payload_bytes == recording.columns.payload_bytes[row]
        assert packet.ip.ttl_hops == recording.columns.ttl[row]
