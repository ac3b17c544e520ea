"""Boxes that read Initials: what they see in them, and what they do."""

from __future__ import annotations

import pytest

from fingerprint.lab.boxes import quic_reading
from fingerprint.lab.boxes.quic_filters import CloseInjector, InitialDropper, InitialSilencer, UdpPortDropper
from fingerprint.lab.boxes.residual import Residual
from fingerprint.lab.censor import Direction, Drop, Inject, Pass
from fingerprint.lab.packet import UDP, Packet
from fingerprint.messages.quic import read_initials
from fingerprint.probing import quic_bytes

CLIENT, SERVER = "192.0.2.1", "198.51.100.2"
OUT, BACK = Direction.TO_SERVER, Direction.TO_CLIENT


def datagram(payload: bytes, *, sport: int = 40000, time_s: float = 0.0) -> Packet:
    return Packet(
        source=CLIENT, destination=SERVER, protocol=UDP, sport=sport, dport=443, payload=payload, time_s=time_s
    )


def initial(name: str, seed: int = 1) -> bytes:
    return quic_bytes.initial(name, seed=seed)


@pytest.mark.parametrize("frames", [1, 2, 5])
def test_a_name_is_read_however_many_frames_it_comes_in(frames):
    assert quic_reading.sni(quic_bytes.initial("forum.test", seed=frames, frames=frames)) == "forum.test"


@pytest.mark.parametrize("payload", [b"", b"\xc0", b"\xc0\0\0\0\1" + b"\xff" * 40, quic_bytes.unknown(seed=1)])
def test_nothing_is_read_in_what_is_no_initial_of_version_1(payload):
    assert quic_reading.sni(payload) is None
    assert quic_reading.sni(quic_bytes.initial("forum.test", seed=1, version=quic_bytes.VERSION_2)) is None


def test_the_silencer_lets_the_name_pass_and_nothing_after_it_for_a_while():
    box = InitialSilencer(residual=Residual(seconds=180.0, one_way=True))
    assert box.inspect(datagram(initial("forum.test")), OUT) == Pass()
    later = datagram(initial("garden.test"), sport=50000, time_s=10.0)
    assert box.inspect(later, OUT) == Drop()
    assert box.inspect(datagram(initial("garden.test"), sport=50000, time_s=181.0), OUT) == Pass()


def test_the_silencer_does_not_look_below_the_servers_port():
    box = InitialSilencer(residual=Residual(seconds=180.0, one_way=True))
    assert box.inspect(datagram(initial("forum.test"), sport=443), OUT) == Pass()
    assert box.inspect(datagram(initial("garden.test"), time_s=1.0), OUT) == Pass()


def test_the_dropper_takes_the_flow_and_no_other():
    box = InitialDropper(residual=Residual(seconds=30.0, scope="4-tuple"))
    assert box.inspect(datagram(initial("forum.test")), OUT) == Drop()
    assert box.inspect(datagram(b"\x40" + bytes(40), time_s=1.0), OUT) == Drop()
    assert box.inspect(datagram(initial("garden.test"), sport=40001, time_s=1.0), OUT) == Pass()


def test_a_close_in_the_servers_name_is_one_that_the_client_believes():
    asked = initial("forum.test")
    action = CloseInjector().inspect(datagram(asked), OUT)
    assert isinstance(action, Inject)
    assert not action.drop
    (forged, way), *_ = action.packets
    closes = read_initials((asked,), (forged.payload,)).closes
    assert way is BACK
    assert [c.error_code for _, c in closes] == [2]


def test_a_port_is_closed_for_the_addresses_that_are_named():
    box = UdpPortDropper(port=443, addresses=frozenset({SERVER}))
    assert box.inspect(datagram(b"x"), OUT) == Drop()
    assert UdpPortDropper(port=443, addresses=frozenset({CLIENT})).inspect(datagram(b"x"), OUT) == Pass()
    assert UdpPortDropper(port=853).inspect(datagram(b"x"), OUT) == Pass()
