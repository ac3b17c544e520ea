"""ICMP errors and what they quote: which packet of the capture a router or host complains about.

RFC 792 and RFC 4443 section 2.4: an error quotes the packet as its sender received it, at least the IP header and
eight bytes behind it. The packet of the capture is found by ports, sequence number and IP ID.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np

from captures.packet import Packet
from captures.recording import Recording
from fingerprint.conversations.streams import address_text

# A report later than this after the packet is of another one: no path takes so long, and routers do not queue errors.
REPORTED_WITHIN_NS = 5 * 10**9
TCP, UDP = 6, 17

_Ends = tuple[int, str, int, str, int]


class Quotation(NamedTuple):
    """An ICMP error about a TCP or UDP packet of the capture."""

    number: int  # of the report, as Wireshark shows it
    report: Packet
    quoted: Packet
    flow: int
    row: int  # of the packet that was quoted


def quotations(recording: Recording, kinds: Mapping[int, frozenset[int]]) -> Iterator[Quotation]:
    """Every ICMP error of these kinds, in order of the file: IP protocol → the values of type << 8 | code."""
    c = recording.columns
    wanted = np.zeros(len(c), bool)
    for protocol, values in kinds.items():
        wanted |= (c.protocol == protocol) & np.isin(c.icmp, sorted(values))
    rows = np.flatnonzero(wanted).tolist()
    flows = _flows(recording) if rows else {}
    for row in rows:
        report = recording.packet(row)
        quoted = report.icmp.quoted if report.icmp else None
        ends = _ends(quoted) if quoted else None
        if report.ip is None or quoted is None or ends is None or ends not in flows:
            continue
        flow, direction = flows[ends]
        sent = _sent(recording, flow, direction, quoted, report.time_ns)
        if sent is not None:
            yield Quotation(row + 1, report, quoted, flow, sent)


def about(recording: Recording) -> Iterator[tuple[int, int]]:
    """Every ICMP error of any kind that quotes a packet of the capture: row of the report, row of the packet quoted."""
    c = recording.columns
    # RFC 792 and RFC 4443 section 2.1: unreachable, quench, redirect, exceeded, parameter problem; below 128 in ICMPv6.
    old = {code << 8 | sub for code in (3, 4, 5, 11, 12) for sub in range(256)}
    new = {value for value in set(c.icmp[c.protocol == 58].tolist()) if value < 128 << 8}
    for q in quotations(recording, {1: frozenset(old), 58: frozenset(new)}):
        yield q.number - 1, q.row


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


def unsent(recording: Recording, kinds: Mapping[int, frozenset[int]]) -> Iterator[tuple[int, int, int]]:
    """Errors about TCP packets of a known connection that nobody sent: number of the report, flow and direction.

    A recorder that lost the packet explains it as well, and so does whoever rewrites sequence numbers on the way: then
    no report fits anything, so that those count whose file holds a report that fits.
    """
    c = recording.columns
    wanted = np.zeros(len(c), bool)
    for protocol, values in kinds.items():
        wanted |= (c.protocol == protocol) & np.isin(c.icmp, sorted(values))
    rows = np.flatnonzero(wanted).tolist()
    flows = _flows(recording) if rows else {}
    found, fits = [], False
    for row in rows:
        report = recording.packet(row)
        quoted = report.icmp.quoted if report.icmp else None
        ends = _ends(quoted) if quoted else None
        if quoted is None or quoted.tcp is None or ends is None or ends not in flows:
            continue
        flow, direction = flows[ends]
        mine = (c.flow == flow) & (c.direction == direction) & (c.time_ns <= report.time_ns)
        if (mine & (c.seq == np.uint32(quoted.tcp.seq))).any():
            fits = True
        elif quoted.ip is not None and not (mine & (c.ip_id == quoted.ip.id)).any():
            found.append((row + 1, flow, direction))
    if fits:
        yield from found
