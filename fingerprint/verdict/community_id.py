"""Community ID, version 1: one short word a flow, by which the logs of Zeek and Suricata are joined to a verdict.

Specification: https://github.com/corelight/community-id-spec, version 1 with seed 0. Equal for both directions.
"""

from __future__ import annotations

import struct
from base64 import b64encode
from collections.abc import Iterable, Iterator
from hashlib import sha1
from ipaddress import ip_address

from captures.recording import Recording
from fingerprint.technique import Cited
from fingerprint.verdict.model import Verdict

ICMP, TCP, UDP, ICMP6 = 1, 6, 17, 58
# The specification's pairs of request and answer: the type of the other direction, in the place of the other port.
# ICMP: echo, timestamp, information, router solicitation, address mask (IANA's registry of ICMP types).
_ANSWERED = {0: 8, 8: 0, 13: 14, 14: 13, 15: 16, 16: 15, 10: 9, 9: 10, 17: 18, 18: 17}
# ICMPv6: echo, multicast listener, router and neighbour solicitation, node information, home agent discovery.
_ANSWERED_6 = {
    128: 129, 129: 128, 130: 131, 131: 130, 133: 134, 134: 133, 135: 136, 136: 135, 139: 140, 140: 139, 144: 145,
    145: 144,
}  # fmt: skip
# A verdict names so many of its conversations: enough to find them elsewhere, and a report stays short.
MOST_FLOWS = 16


def community_id(protocol: int, source: str, destination: str, source_port: int, destination_port: int) -> str:
    """``1:`` and the base64 of a SHA-1. For ICMP the ports are type and code. Raises ValueError for a bad address."""
    one_way = False
    if protocol in {ICMP, ICMP6}:
        other = (_ANSWERED if protocol == ICMP else _ANSWERED_6).get(source_port)
        one_way = other is None
        destination_port = destination_port if other is None else other
    a, b = (ip_address(source).packed, source_port), (ip_address(destination).packed, destination_port)
    (low, low_port), (high, high_port) = (a, b) if one_way or a <= b else (b, a)
    told = struct.pack("!H", 0) + low + high + struct.pack("!BBHH", protocol, 0, low_port, high_port)
    return "1:" + b64encode(sha1(told, usedforsecurity=False).digest()).decode("ascii")


def of_row(recording: Recording, row: int) -> str | None:
    """The Community ID of the packet in that row, by its innermost addresses; None without a layer that has one."""
    packet = recording.packet(row)
    if packet.ip is None:
        return None
    match packet.tcp, packet.udp, packet.icmp:
        case None, None, None:
            return None
        case None, None, icmp:
            assert icmp is not None
            ports = icmp.type, icmp.code
        case tcp, udp, _:
            header = tcp or udp
            assert header is not None
            ports = header.source_port, header.destination_port
    return community_id(packet.ip.protocol, packet.ip.source, packet.ip.destination, *ports)


def flows(verdict: Verdict, recordings: Iterable[Recording]) -> tuple[tuple[str, Cited], ...]:
    """The conversations that a verdict cites, each with the first packet cited, strongest evidence first; bounded."""
    by_index = {r.index: r for r in recordings}
    first: dict[tuple[int, int], Cited] = {}  # file and row of its flows; packets of no flow stand for themselves
    for cited in _cited(verdict):
        recording = by_index.get(cited.capture)
        if recording is None:
            continue
        flow = int(recording.columns.flow[cited.number - 1])
        key = (cited.capture, flow if flow >= 0 else -cited.number)
        if key in first or len(first) < MOST_FLOWS:
            first[key] = min(first.get(key, cited), cited)
    named = ((of_row(by_index[c.capture], c.number - 1), c) for c in first.values())
    return tuple({name: cited for name, cited in reversed([*named]) if name is not None}.items())[::-1]


def _cited(verdict: Verdict) -> Iterator[Cited]:
    cause = verdict.cause.evidence if verdict.cause else ()
    weighed = [w for m in verdict.mechanisms for w in m.evidence] or [*cause]
    for w in sorted(weighed, key=lambda w: -w.log_odds):
        yield from w.evidence.packets
