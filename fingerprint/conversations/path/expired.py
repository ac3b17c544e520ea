"""Packets that died on the way, as routers report them: ICMP time exceeded, and what it quotes.

RFC 792 and RFC 4443 section 3.3: the report quotes the packet as the router received it. Compared with what was sent,
it also shows what was rewritten before that router.
"""

from __future__ import annotations

from dataclasses import dataclass

from captures.packet import Packet
from captures.recording import Recording
from fingerprint.conversations.path.quotations import quotations

# Type and code of "time to live exceeded in transit" and of "hop limit exceeded in transit".
TIME_EXCEEDED = {1: frozenset({11 << 8}), 58: frozenset({3 << 8})}


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
    return tuple(
        Expired(
            capture=recording.index,
            number=q.number,
            time_ns=q.report.time_ns,
            router=q.report.ip.source,
            flow=q.flow,
            row=q.row,
            rewritten=rewritten(recording.packet(q.row), q.quoted),
        )
        for q in quotations(recording, TIME_EXCEEDED)
        if q.report.ip is not None
    )


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
