"""A packet as a box on the way sees it: the raw bytes from the IP header on, with its fields to read and to change.

This is the laboratory's own reader and writer: it shares nothing with the analysis, so that a fault in one cannot hide
in the other. Fragments and extension headers pass through it unread (`protocol` tells what follows the fixed header).
"""

from __future__ import annotations

import socket
from dataclasses import dataclass, field, replace
from struct import pack, pack_into, unpack_from

# RFC 9293 section 3.1, the control bits.
FIN, SYN, RST, PSH, ACK, URG = 1, 2, 4, 8, 16, 32
# IANA protocol numbers.
ICMP, TCP, UDP, ICMP6 = 1, 6, 17, 58


def checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071)."""
    if len(data) % 2:
        data += b"\0"
    total = int.from_bytes(data, "big") % 0xFFFF if data else 0
    return (~total) & 0xFFFF if total or not any(data) else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Packet:
    """One IPv4 or IPv6 packet. Addresses are text; ``options`` are raw TCP options; ``payload`` is the transport's.

    For a protocol other than TCP and UDP, ``payload`` is everything behind the IP header and the ports are 0.
    ``time_s`` is when it was seen, by the clock of whoever carries it.
    """

    source: str
    destination: str
    protocol: int = TCP
    ttl: int = 64
    ip_id: int = 0
    df: bool = True
    reserved: bool = False  # the evil bit of the IPv4 flags
    dscp: int = 0  # the whole traffic class octet
    sport: int = 0
    dport: int = 0
    seq: int = 0
    ack: int = 0
    flags: int = 0  # 12 bits: the eight known ones and four reserved
    window: int = 65535
    options: bytes = b""
    payload: bytes = b""
    time_s: float = field(default=0.0, compare=False)

    @property
    def version(self) -> int:
        """4 or 6."""
        return 6 if ":" in self.source else 4

    @property
    def flow(self) -> tuple[str, int, str, int, int]:
        """The 5-tuple in the direction it travels."""
        return (self.source, self.sport, self.destination, self.dport, self.protocol)

    @property
    def way_back(self) -> tuple[str, int, str, int, int]:
        """The 5-tuple of the answers."""
        return (self.destination, self.dport, self.source, self.sport, self.protocol)

    @property
    def end(self) -> int:
        """The sequence number after this segment; SYN and FIN count."""
        return (self.seq + len(self.payload) + bool(self.flags & SYN) + bool(self.flags & FIN)) % (1 << 32)

    def with_(self, **changes: object) -> Packet:
        """A copy with some fields changed."""
        return replace(self, **changes)  # type: ignore[arg-type]

    def to_bytes(self) -> bytes:
        """The wire format, lengths and checksums filled in."""
        family = socket.AF_INET6 if self.version == 6 else socket.AF_INET
        ends = socket.inet_pton(family, self.source) + socket.inet_pton(family, self.destination)
        body = self._transport(ends)
        if self.version == 6:
            first = 6 << 28 | self.dscp << 20
            return pack("!IHBB", first, len(body), self.protocol, self.ttl) + ends + body
        bits = (0x4000 if self.df else 0) | (0x8000 if self.reserved else 0)
        head = bytearray(
            pack("!BBHHHBBH", 0x45, self.dscp, 20 + len(body), self.ip_id, bits, self.ttl, self.protocol, 0) + ends
        )
        pack_into("!H", head, 10, checksum(bytes(head)))
        return bytes(head) + body

    def _transport(self, ends: bytes) -> bytes:
        if self.protocol == TCP:
            options = self.options + bytes(-len(self.options) % 4)
            words = (20 + len(options)) // 4 << 12 | self.flags & 0xFFF
            head = pack("!HHIIHHHH", self.sport, self.dport, self.seq, self.ack, words, self.window, 0, 0) + options
            return self._summed(ends, head + self.payload, 16)
        if self.protocol == UDP:
            head = pack("!HHHH", self.sport, self.dport, 8 + len(self.payload), 0)
            return self._summed(ends, head + self.payload, 6)
        return self.payload

    def _summed(self, ends: bytes, body: bytes, at: int) -> bytes:
        out = bytearray(body)
        pack_into("!H", out, at, checksum(ends + pack("!II", self.protocol, len(body)) + body))
        return bytes(out)


def parse(raw: bytes, time_s: float = 0.0) -> Packet | None:
    """The packet in these bytes (link header removed), None for what is neither IPv4 nor IPv6 or is cut short."""
    if len(raw) >= 20 and raw[0] >> 4 == 4:
        size = (raw[0] & 15) * 4
        _, dscp, total, ip_id, bits, ttl, protocol, _ = unpack_from("!BBHHHBBH", raw)
        family, ends = socket.AF_INET, (raw[12:16], raw[16:20])
        later = bool(bits & 0x1FFF)
        df, reserved = bool(bits & 0x4000), bool(bits & 0x8000)
    elif len(raw) >= 40 and raw[0] >> 4 == 6:
        size, later, ip_id, df, reserved = 40, False, 0, True, False  # no router fragments IPv6
        first, length, protocol, ttl = unpack_from("!IHBB", raw)
        dscp, total = first >> 20 & 255, 40 + length
        family, ends = socket.AF_INET6, (raw[8:24], raw[24:40])
    else:
        return None
    source, destination = socket.inet_ntop(family, ends[0]), socket.inet_ntop(family, ends[1])
    body = raw[size:total]
    common: dict[str, object] = {
        "source": source, "destination": destination, "protocol": protocol, "ttl": ttl, "ip_id": ip_id, "df": df,
        "reserved": reserved, "dscp": dscp, "time_s": time_s,
    }  # fmt: skip
    if not later and protocol == TCP and len(body) >= 20:
        sport, dport, seq, ack, words, window = unpack_from("!HHIIHH", body)
        offset = (words >> 12) * 4
        common |= {"sport": sport, "dport": dport, "seq": seq, "ack": ack, "flags": words & 0xFFF, "window": window}
        return Packet(**common, options=body[20:offset], payload=body[offset:])  # type: ignore[arg-type]
    if not later and protocol == UDP and len(body) >= 8:
        sport, dport = unpack_from("!HH", body)
        return Packet(**common, sport=sport, dport=dport, payload=body[8:])  # type: ignore[arg-type]
    return Packet(**common, payload=body)  # type: ignore[arg-type]
