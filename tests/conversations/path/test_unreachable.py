"""Who says that a packet cannot or may not be delivered, and of which packet."""

from __future__ import annotations

import struct
from ipaddress import ip_address
from pathlib import Path

import pytest

from tests.conversations.resets_talk import CLIENT6, SERVER6, SYN, Talk


def told(talk: Talk, at: float, sender: str, kind: int, code: int, *, ttl: int = 250) -> Talk:
    """An error about the last packet."""
    quoted = talk.packets[-1][1]
    body = struct.pack("!BBHI", kind, code, 0, 0) + quoted[: 28 if ":" not in sender else 48]
    a, b = ip_address(sender), ip_address(talk.client)
    if a.version == 6:
        header = struct.pack("!IHBB", 6 << 28, len(body), 58, ttl)
    else:
        header = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(body), 9, 0, ttl, 1, 0)
    talk.packets.append((at, header + a.packed + b.packed + body))
    return talk


@pytest.mark.parametrize(("code", "says"), [(13, "prohibited"), (10, "host prohibited"), (1, "host unreachable")])
def test_a_report_names_its_sender_its_reason_and_its_packet(tmp_path: Path, code: int, says: str) -> None:
    talk = Talk().send(0, "c", SYN, seq=0)
    (report,) = told(talk, 30, "192.0.2.3", 3, code).capture(tmp_path).unreachables
    assert (report.sender, report.says, report.sent, report.number) == ("192.0.2.3", says, 1, 2)
    assert (report.address, report.port, report.protocol) == (talk.server, 443, "tcp")
    assert report.elapsed_s == pytest.approx(0.03)


def test_over_ipv6_a_firewall_says_so_too(tmp_path: Path) -> None:
    talk = Talk(client=CLIENT6, server=SERVER6).send(0, "c", SYN, seq=0)
    (report,) = told(talk, 30, "2001:db8:9::3", 1, 1).capture(tmp_path).unreachables
    assert (report.says, report.address) == ("prohibited", SERVER6)


@pytest.mark.parametrize(("kind", "code"), [(3, 4), (11, 0), (3, 200)])
def test_what_is_no_refusal_is_left_out(tmp_path: Path, kind: int, code: int) -> None:
    talk = Talk().send(0, "c", SYN, seq=0)
    assert told(talk, 30, "192.0.2.3", kind, code).capture(tmp_path).unreachables == ()


def test_a_report_with_an_untouched_ttl_comes_from_the_first_router(tmp_path: Path) -> None:
    talk = Talk().send(0, "c", SYN, seq=0)
    told(talk, 1, "192.0.2.1", 3, 13, ttl=64)
    (report,) = talk.capture(tmp_path).unreachables
    assert report.at_home(talk.client)
