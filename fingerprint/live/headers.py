"""Just enough of a packet to know whose it is and where its connection stands."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from struct import error as StructError  # noqa: N812  # the class is named so
from struct import unpack_from

from fingerprint.live.admission import ERRORS, ERRORS6, ICMP, ICMP6, TCP, UDP, transport

FIN, SYN, RST, ACK = 1, 2, 4, 16
# RFC 9293 section 3.1 and RFC 7323 section 3.2.
END_OF_OPTIONS, NO_OPERATION, SEGMENT_SIZE, TIMESTAMPS = 0, 1, 2, 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Glance:
    """A packet of TCP or UDP. ``complainer`` is the address that quotes it in an ICMP error, ``error`` its type."""

    source: str
    destination: str
    protocol: int
    sport: int
    dport: int
    seq: int = 0
    ack: int = 0
    flags: int = 0
    payload_bytes: int = 0
    segment_size_bytes: int | None = None  # of a SYN
    timestamps: tuple[int, int] | None = None
    complainer: str | None = None
    error: int | None = None


def glance(packet: bytes) -> Glance | None:
    """What the packet, IP header first, is; None for what is neither TCP, UDP nor an ICMP error about them."""
    try:
        source, destination, protocol, at, end = _addresses(packet)
        if protocol in (ICMP, ICMP6):
            if packet[at] not in (ERRORS if protocol == ICMP else ERRORS6):
                return None
            quoted = packet[at + 8 :]
            inner = _addresses(quoted)
            if inner[2] not in (TCP, UDP):
                return None
            sport, dport = unpack_from("!HH", quoted, inner[3])
            return Glance(
                source=inner[0],
                destination=inner[1],
                protocol=inner[2],
                sport=sport,
                dport=dport,
                complainer=source,
                error=packet[at],
            )
        if protocol not in (TCP, UDP):
            return None
        sport, dport = unpack_from("!HH", packet, at)
        if protocol == UDP:
            return Glance(
                source=source,
                destination=destination,
                protocol=protocol,
                sport=sport,
                dport=dport,
                payload_bytes=max(0, end - at - 8),
            )
        seq, ack, words = unpack_from("!IIH", packet, at + 4)
        data_at = at + (words >> 12) * 4
        size, times = _options(packet[at + 20 : data_at])
        return Glance(
            source=source,
            destination=destination,
            protocol=protocol,
            sport=sport,
            dport=dport,
            seq=seq,
            ack=ack,
            flags=words & 0x1FF,
            payload_bytes=max(0, end - data_at),
            segment_size_bytes=size,
            timestamps=times,
        )
    except (IndexError, StructError, ValueError):
        return None


def _addresses(packet: bytes) -> tuple[str, str, int, int, int]:
    """Source, destination, protocol, where the transport begins, where the packet ends."""
    if packet[0] >> 4 == 4:
        source, destination = (socket.inet_ntop(socket.AF_INET, packet[n : n + 4]) for n in (12, 16))
        return source, destination, packet[9], (packet[0] & 15) * 4, unpack_from("!H", packet, 2)[0]
    source, destination = (socket.inet_ntop(socket.AF_INET6, packet[n : n + 16]) for n in (8, 24))
    protocol, at, _ = transport(packet)
    return source, destination, protocol, at, 40 + unpack_from("!H", packet, 4)[0]


def _options(options: bytes) -> tuple[int | None, tuple[int, int] | None]:
    """Segment size and time stamps."""
    size, times, at = None, None, 0
    while at < len(options) and options[at] != END_OF_OPTIONS:
        if options[at] == NO_OPERATION:
            at += 1
            continue
        length = options[at + 1]
        if length < 2:
            break
        if options[at] == SEGMENT_SIZE and length == 4:
            (size,) = unpack_from("!H", options, at + 2)
        elif options[at] == TIMESTAMPS and length == 10:
            times = unpack_from("!II", options, at + 2)
        at += length
    return size, times
