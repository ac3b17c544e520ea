"""Packets that no socket can send, as bytes with the IP header first: the one door to scapy.

A source of ``0.0.0.0`` or ``::`` and a source port of 0 are filled in by the wire that sends them, which is the only
one to know them; a wrong checksum stays wrong.

Every function takes `Ends` and numbers of its own; nothing is looked up and nothing is sent here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import IPv6

# Linux sends these on a SYN in this order: segment size, SACK, time stamps, window scale.
USUAL_OPTIONS: tuple[tuple[str, object], ...] = (
    ("MSS", 1460),
    ("SAckOK", b""),
    ("Timestamp", (1, 0)),
    ("NOP", None),
    ("WScale", 7),
)
# RFC 1624: 0x0000 and 0xFFFF are one value; this is neither beside any right one.
OFF_BY = 0x1234


@dataclass(frozen=True, slots=True, kw_only=True)
class Ends:
    """The two ends of a packet."""

    source: str = "0.0.0.0"  # noqa: S104  # filled in by the wire
    destination: str
    sport: int = 0
    dport: int


def syn(
    ends: Ends, *, seq: int, options: Sequence[tuple[str, object]] = USUAL_OPTIONS, ttl_hops: int = 64, flags: str = "S"
) -> bytes:
    """A SYN, with odd options or flags (``SEC``, ``SF``) if wanted."""
    return segment(ends, seq=seq, ack=0, flags=flags, options=options, ttl_hops=ttl_hops)


def reset(ends: Ends, *, seq: int, ack: int | None = None, ttl_hops: int = 64) -> bytes:
    """A reset of our own; with ``ack`` a RST+ACK."""
    return segment(ends, seq=seq, ack=ack or 0, flags="R" if ack is None else "RA", ttl_hops=ttl_hops)


def segment(
    ends: Ends,
    *,
    seq: int,
    ack: int,
    payload: bytes = b"",
    flags: str = "PA",
    options: Sequence[tuple[str, object]] = (),
    ttl_hops: int = 64,
    window: int = 64240,
    ip_id: int = 1,
    wrong_checksum: bool = False,
) -> bytes:
    """One TCP segment; ``flags`` are scapy's letters, ``options`` its pairs."""
    tcp = TCP(sport=ends.sport, dport=ends.dport, seq=seq, ack=ack, flags=flags, window=window, options=list(options))
    return _built(ends, tcp / payload if payload else tcp, ttl_hops, ip_id, TCP if wrong_checksum else None)


def datagram(ends: Ends, payload: bytes, *, ttl_hops: int = 64, ip_id: int = 1, wrong_checksum: bool = False) -> bytes:
    """One UDP datagram."""
    udp = UDP(sport=ends.sport, dport=ends.dport)
    return _built(ends, udp / payload, ttl_hops, ip_id, UDP if wrong_checksum else None)


def split(
    ends: Ends, *, seq: int, ack: int, payload: bytes, at: Sequence[int], ttl_hops: int = 64, backwards: bool = False
) -> tuple[bytes, ...]:
    """The payload in segments cut at these offsets, in order or the last one first."""
    cuts = sorted({0, *(cut for cut in at if 0 < cut < len(payload)), len(payload)})
    parts = [
        segment(ends, seq=(seq + begin) % (1 << 32), ack=ack, payload=payload[begin:end], ttl_hops=ttl_hops)
        for begin, end in pairwise(cuts)
    ]
    return tuple(reversed(parts)) if backwards else tuple(parts)


def overlapping(
    ends: Ends, *, seq: int, ack: int, payload: bytes, decoy: bytes, at: int, ttl_hops: int = 64
) -> tuple[bytes, bytes]:
    """Two segments that claim the same bytes: ``decoy`` at offset ``at`` first, then the payload as a whole."""
    lie = segment(ends, seq=(seq + at) % (1 << 32), ack=ack, payload=decoy, ttl_hops=ttl_hops)
    return lie, segment(ends, seq=seq, ack=ack, payload=payload, ttl_hops=ttl_hops)


def _built(ends: Ends, transport: object, ttl_hops: int, ip_id: int, wrong: type | None) -> bytes:
    six = ":" in ends.destination
    source = "::" if six and ends.source == "0.0.0.0" else ends.source  # noqa: S104  # see Ends
    header = (
        IPv6(src=source, dst=ends.destination, hlim=ttl_hops)
        if six
        else IP(src=source, dst=ends.destination, ttl=ttl_hops, id=ip_id, flags="DF")
    )
    built = bytes(header / transport)
    if wrong is None:
        return built
    again = type(header)(built)
    again[wrong].chksum = (again[wrong].chksum + OFF_BY) % 0xFFFF or 1
    return bytes(again)
