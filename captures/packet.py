"""One packet, decoded with care for somebody who looks at it.

`Recording.packet(row)` makes these on demand; the hot pass never does. A missing layer is None, a broken one is a
`Malformed` beside whatever could still be read.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Malformed:
    """A layer that does not parse: which, at which byte of the frame, and why, in half a sentence."""

    layer: str
    at_byte: int
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ip:
    """The innermost IP header. `id` is None for IPv6 (unless a fragment header carries one)."""

    version: int
    source: str
    destination: str
    ttl_hops: int
    id: int | None
    flags: int  # 4 reserved, 2 DF, 1 MF
    traffic_class: int
    protocol: int
    options: bytes
    fragment_offset_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Tcp:
    """A TCP header; options as (kind, body) in the order sent, padding included."""

    source_port: int
    destination_port: int
    seq: int
    ack: int
    flags: int  # 12 bits
    window: int
    urgent: int
    options: tuple[tuple[int, bytes], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Udp:
    """A UDP header."""

    source_port: int
    destination_port: int
    length_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Icmp:
    """An ICMP or ICMPv6 message; `quoted` is the packet inside an error message, as far as it was quoted.

    `body` is everything behind type, code and checksum: it starts with the four bytes of an MTU or an identifier.
    """

    type: int
    code: int
    body: bytes
    quoted: Packet | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Packet:
    """A decoded packet. `number` is Wireshark's; `capture` the index of its file in the report."""

    capture: int
    number: int
    time_ns: int
    wire_bytes: int
    captured_bytes: int
    ip: Ip | None = None
    tcp: Tcp | None = None
    udp: Udp | None = None
    icmp: Icmp | None = None
    payload: bytes = b""  # as captured: of a fragmented datagram, all of it that was seen
    payload_bytes: int = 0  # as sent
    malformed: tuple[Malformed, ...] = ()
