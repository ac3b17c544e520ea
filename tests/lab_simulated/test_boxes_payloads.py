"""Filters of payloads in the laboratory: they cut what they are said to cut, and nothing beside it."""

from __future__ import annotations

import pytest

from fingerprint.lab.boxes import payload_filters as filters
from fingerprint.lab.boxes.residual import Residual
from fingerprint.lab.censor import Direction, Drop, Inject, Pass
from fingerprint.lab.packet import ACK, RST, SYN, UDP, Packet
from fingerprint.probing import payload_bytes

OUT, BACK = Direction.TO_SERVER, Direction.TO_CLIENT


def segment(payload: bytes = b"", *, flags: int = ACK, sport: int = 40000, time_s: float = 0.0) -> Packet:
    ends = {"source": "81.17.24.10", "destination": "45.83.220.10", "dport": 443}
    return Packet(**ends, sport=sport, payload=payload, flags=flags, time_s=time_s)


def datagram(payload: bytes, port: int) -> Packet:
    return Packet(
        source="81.17.24.10", destination="45.83.220.10", protocol=UDP, sport=5000, dport=port, payload=payload
    )


@pytest.mark.parametrize(
    ("cuts", "mine"),
    [
        (filters.looks_encrypted, payload_bytes.noise("1", 200, over="tcp")),
        (filters.is_ssh, payload_bytes.SSH_BANNER),
        (filters.is_openvpn_over_tcp, payload_bytes.openvpn("1", over="tcp")),
        (filters.is_openvpn, payload_bytes.openvpn("1", over="udp")),
        (filters.is_wireguard, payload_bytes.wireguard("1")),
        (filters.is_stun, payload_bytes.stun("1")),
    ],
)
def test_a_filter_knows_its_own_bytes_and_no_letters(cuts, mine):
    assert cuts(mine)
    assert not cuts(payload_bytes.letters("1", len(mine)))


def test_the_older_form_of_stun_passes():
    assert not filters.is_stun(payload_bytes.stun("1", cookie=False))


def test_a_flow_that_began_wrong_stays_dead_and_others_only_for_a_while():
    box = filters.FirstBytesDropper(cuts=filters.is_ssh, residual=Residual(seconds=2.0, one_way=True))
    banner = payload_bytes.SSH_BANNER
    assert isinstance(box.inspect(segment(flags=SYN), OUT), Pass)
    assert isinstance(box.inspect(segment(banner), OUT), Drop)
    assert isinstance(box.inspect(segment(b"SSH-2.0-server", time_s=0.1), BACK), Pass)
    assert isinstance(box.inspect(segment(flags=SYN, sport=40001, time_s=1.0), OUT), Drop)
    assert isinstance(box.inspect(segment(flags=SYN, sport=40001, time_s=2.5), OUT), Pass)
    assert isinstance(box.inspect(segment(banner, time_s=9.0), OUT), Drop)
    assert isinstance(box.inspect(segment(b"letters", sport=40001, time_s=9.0), OUT), Pass)


def test_a_reset_goes_to_both_ends_and_the_trigger_goes_on():
    box = filters.FirstBytesResetter(cuts=filters.is_openvpn_over_tcp)
    action = box.inspect(segment(payload_bytes.openvpn("1", over="tcp")), OUT)
    assert isinstance(action, Inject)
    assert not action.drop
    assert [p.flags for p, _ in action.packets] == [RST | ACK] * 2
    assert {way for _, way in action.packets} == {OUT, BACK}


def test_datagrams_are_dropped_by_port_or_by_bytes_on_their_way_out():
    by_port = filters.DatagramDropper(ports=frozenset({8801}))
    by_bytes = filters.DatagramDropper(cuts=filters.is_stun)
    request = payload_bytes.stun("1")
    assert isinstance(by_port.inspect(datagram(request, 8801), OUT), Drop)
    assert isinstance(by_port.inspect(datagram(request, 8800), OUT), Pass)
    assert isinstance(by_port.inspect(datagram(request, 8801), BACK), Pass)
    assert isinstance(by_bytes.inspect(datagram(request, 3478), OUT), Drop)
    assert isinstance(by_bytes.inspect(datagram(b"letters", 3478), OUT), Pass)
