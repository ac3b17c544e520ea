"""Whose packet is it: ours, or nobody's business."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fingerprint.lab import packet as lab
from fingerprint.live.admission import Admission
from fingerprint.live.headers import glance
from fingerprint.live.ports import PortRange

PORTS = PortRange(61000, 62999)
HERE, THERE, OTHER = "81.17.24.10", "45.83.220.10", "45.83.220.77"
HERE6, THERE6 = "2a0d:5600:24::10", "2a0e:97c0:220::10"


def ours():
    return Admission(PORTS, [THERE, THERE6])


def tcp(source, sport, destination, dport, **more):
    return lab.Packet(source=source, sport=sport, destination=destination, dport=dport, **more)


def icmp(kind, quoted, *, six=False):
    source, destination = ("2001:2034:1::1", HERE6) if six else ("62.115.1.1", HERE)
    body = bytes([kind, 0, 0, 0, 0, 0, 0, 0]) + quoted.to_bytes()[: 48 if six else 28]
    return lab.Packet(source=source, destination=destination, protocol=lab.ICMP6 if six else lab.ICMP, payload=body)


@pytest.mark.parametrize(
    ("packet", "admitted"),
    [
        (tcp(HERE, 61000, THERE, 443), True),
        (tcp(THERE, 443, HERE, 62999), True),
        (tcp(HERE6, 61500, THERE6, 443), True),
        (tcp(HERE, 60999, THERE, 443), False),
        (tcp(HERE, 61000, OTHER, 443), False),
        (tcp(THERE, 61000, HERE, 443), False),
        (tcp(HERE, 61000, THERE, 53, protocol=lab.UDP), True),
        (icmp(11, tcp(HERE, 61000, THERE, 443)), True),
        (icmp(3, tcp(HERE, 61000, THERE, 443)), True),
        (icmp(11, tcp(HERE, 40000, THERE, 443)), False),
        (icmp(11, tcp(HERE, 61000, OTHER, 443)), False),
        (icmp(8, tcp(HERE, 61000, THERE, 443)), False),
        (icmp(3, tcp(HERE6, 61000, THERE6, 443), six=True), True),
        (icmp(1, tcp(HERE6, 40000, THERE6, 443), six=True), False),
        (icmp(128, tcp(HERE6, 61000, THERE6, 443), six=True), False),
    ],
)
def test_only_the_run_s_own_packets_are_admitted(packet, admitted):
    assert ours().admits(packet.to_bytes()) is admitted


def test_an_address_added_later_is_admitted():
    admission = ours()
    admission.add([OTHER])
    assert admission.admits(tcp(HERE, 61000, OTHER, 443).to_bytes())


@given(st.binary(max_size=120))
def test_whatever_bytes_arrive_nothing_is_raised(content):
    assert ours().admits(content) in (True, False)
    glance(content)


@given(st.binary(min_size=20, max_size=200), st.sampled_from([4, 6]))
def test_whatever_stands_behind_an_ip_header_nothing_is_raised(content, version):
    packet = bytes([version << 4 | 5]) + content
    assert ours().admits(packet) in (True, False)
    glance(packet)
