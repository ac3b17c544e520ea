"""Packets that died on the way, as routers report them: ICMP time exceeded, and what it quotes.

RFC 792 and RFC 4443 section 3.3: the report quotes the packet as the router received it. Compared with what was sent,
it also shows what was rewritten before that router.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from captures.packet import Packet
from captures.recording import Recording
from fingerprint.conversations.streams import address_text

# Type and code of "time to live exceeded in transit" and of "hop limit exceeded in transit".
TIME_EXCEEDED = {1: 11 << 8, 58: 3 << 8}
# A report later than this after the packet is of another one: no path takes so long, and routers do not queue errors.
REPORTED_WITHIN_NS = 5 * 10**9
TCP, UDP = 6, 17

_Ends = tuple[int, str, int, str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Expired:
    """A router's report, and the packet of the capture that it is about."""

    capture: int
    number: int  # of the report
    time_ns: int
    router: str
    flow: int
    row: int  # of the packet that died
    rewritten: tuple[str, ...]  # header fields that the router saw otherwise than they were sent


def expired(recording: Recording) -> tuple[Expired, ...]:
    """Every time-exceeded report about a TCP or UDP packet of the recording, in order of the file."""
    c = recording.columns
    reports = np.zeros(len(c), bool)
    for protocol, kind in TIME_EXCEEDED.items():
        reports |= (c.protocol == protocol) & (c.icmp == kind)
    rows = np.flatnonzero(reports)
    return tuple(_reports(recording, rows.tolist())) if len(rows) else ()


def _reports(recording: Recording, rows: list[int]) -> Iterator[Expired]:
    flows = _flows(recording)
    for row in rows:
        report = recording.packet(row)
        quoted = report.icmp.quoted if report.icmp else None
        ends = _ends(quoted) if quoted else None
        if report.ip is None or quoted is None or ends is None or ends not in flows:
            continue
        flow, direction = flows[ends]
        died = _sent(recording, flow, direction, quoted, report.time_ns)
        if died is not None:
            yield Expired(
                capture=recording.index,
                number=row + 1,
                time_ns=report.time_ns,
                router=report.ip.source,
                flow=flow,
                row=died,
                rewritten=rewritten(recording.packet(died), quoted),
            )


def _flows(recording: Recording) -> dict[_Ends, tuple[int, int]]:
    """5-tuple, as a packet of either direction shows it → flow and direction."""
    f = recording.flows
    out: dict[_Ends, tuple[int, int]] = {}
    for i, (family, protocol, a, b, port_a, port_b) in enumerate(
        zip(
            f.family.tolist(), f.protocol.tolist(), map(bytes, f.address_a), map(bytes, f.address_b),
            f.port_a.tolist(), f.port_b.tolist(), strict=True,
        )
    ):  # fmt: skip
        one, other = address_text(a, family), address_text(b, family)
        out[protocol, one, port_a, other, port_b] = (i, 0)
        out[protocol, other, port_b, one, port_a] = (i, 1)
    return out


def _ends(quoted: Packet) -> _Ends | None:
    if quoted.ip is None:
        return None
    if quoted.tcp is not None:
        ports, protocol = (quoted.tcp.source_port, quoted.tcp.destination_port), TCP
    elif quoted.udp is not None:
        ports, protocol = (quoted.udp.source_port, quoted.udp.destination_port), UDP
    else:
        return None
    return protocol, quoted.ip.source, ports[0], quoted.ip.destination, ports[1]


def _sent(recording: Recording, flow: int, direction: int, quoted: Packet, time_ns: int) -> int | None:
    """The packet that was quoted: of those sent shortly before with its number, the one with its IP ID, or the last."""
    c = recording.columns
    mine = (c.flow == flow) & (c.direction == direction)
    mine &= (c.time_ns <= time_ns) & (c.time_ns >= time_ns - REPORTED_WITHIN_NS)
    if quoted.tcp is not None:
        mine &= c.seq == np.uint32(quoted.tcp.seq)
    rows = np.flatnonzero(mine)
    if not len(rows):
        return None
    if quoted.ip is not None and quoted.ip.id:
        same = rows[c.ip_id[rows] == quoted.ip.id]
        rows = same if len(same) else rows
    # The report is about data: of an acknowledgement and a segment with one number it is the one that was as long.
    lengths = c.payload_offset[rows].astype(np.int64) - c.l3_offset[rows] + c.payload_bytes[rows]
    long = rows[lengths == quoted.wire_bytes]
    return int((long if len(long) else rows)[-1])


def rewritten(sent: Packet, quoted: Packet) -> tuple[str, ...]:
    """Names of header fields in which the quoted packet differs from the one that was sent, TTL and checksums aside."""
    out: list[str] = []
    if sent.ip is not None and quoted.ip is not None:
        same = {
            "IP ID": sent.ip.id == quoted.ip.id or quoted.ip.version == 6,
            "IP flags": sent.ip.flags == quoted.ip.flags,
            "traffic class": sent.ip.traffic_class == quoted.ip.traffic_class,
            "IP options": sent.ip.options == quoted.ip.options,
        }
        out += [field for field, kept in same.items() if not kept]
    if sent.tcp is not None and quoted.tcp is not None and not quoted.malformed:
        kept_tcp = {
            "acknowledgement number": sent.tcp.ack == quoted.tcp.ack,
            "TCP flags": sent.tcp.flags == quoted.tcp.flags,
            "window": sent.tcp.window == quoted.tcp.window,
            # A quotation may end among them.
            "TCP options": sent.tcp.options[: len(quoted.tcp.options)] == quoted.tcp.options,
        }
        out += [field for field, kept in kept_tcp.items() if not kept]
    return tuple(out)
