"""The shape of one pass over a capture: a row a packet, a row a flow.

Row ``i`` of `Columns` is the packet that Wireshark numbers ``i + 1``. The pass that fills them exists twice,
`captures.reference` in plain Python and `captures._core` compiled; both must give equal arrays, byte for byte.
Nothing here is an opinion: a value is what the header says, and a missing layer is told by `family` and `protocol`.
Behind an IP header without TCP, UDP or ICMP, and in later fragments, everything is payload: ``l4_offset`` and
``payload_offset`` are equal. The payload of ICMP starts behind its first eight bytes. A length that points outside the
frame is kept as it was sent, and marked in ``state``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, IntFlag

import numpy as np
from numpy.typing import NDArray

# Column name → type. The order is the order of the arrays that the compiled core fills.
COLUMNS: dict[str, type[np.generic]] = {
    "time_ns": np.int64,  # since the Unix epoch
    "offset": np.int64,  # of the frame's first byte in the uncompressed stream
    "captured_bytes": np.uint32,
    "wire_bytes": np.uint32,
    "interface": np.uint16,  # index into Recording.interfaces
    "l3_offset": np.uint16,  # of the innermost IP header, from the start of the frame
    "l4_offset": np.uint16,  # of the transport header, from the start of the frame
    "payload_offset": np.uint16,  # of the transport payload, from the start of the frame
    "payload_bytes": np.uint32,  # by the IP length, so snaplen does not change it; of UDP in fragments, by its own
    "family": np.uint8,  # 4, 6, or 0 where no IP header was found
    "protocol": np.uint8,  # IP protocol number of the transport header; 0 where family is 0
    "flow": np.int32,  # row of Flows, -1 where there is no TCP or UDP header (non-first fragments too)
    "direction": np.uint8,  # 0: sent by Flows.address_a; 1: sent by address_b
    "ttl": np.uint8,  # TTL or hop limit, in hops
    "ip_id": np.uint16,  # 0 for IPv6
    "ip_flags": np.uint8,  # the bits beside the fragment offset, as sent: 4 reserved, 2 DF, 1 MF (IPv6 has only that)
    "dscp": np.uint8,  # the whole traffic class octet
    "seq": np.uint32,
    "ack": np.uint32,
    "tcp_flags": np.uint16,  # 12 bits: reserved, NS and the eight known ones (0x002 SYN, 0x004 RST ...)
    "window": np.uint16,  # unscaled
    "tsval": np.uint32,  # TCP timestamps, 0 where the option is absent
    "tsecr": np.uint32,
    "icmp": np.uint16,  # type << 8 | code for ICMP and ICMPv6
    "mark": np.uint8,  # Mark: what the payload begins with
    "state": np.uint8,  # State bits
    "name": np.int32,  # row of Recording.names: SNI, QNAME or Host that this packet alone shows, else -1
}


class Mark(IntEnum):
    """What the first payload bytes of a packet look like, whatever the port (DNS: port 53 or 5353 only)."""

    NONE = 0
    TLS_HELLO = 1  # handshake record whose first message is a ClientHello
    TLS_HANDSHAKE = 2  # any other handshake record (ServerHello, Certificate ...)
    TLS_ALERT = 3
    TLS_OTHER = 4  # change cipher spec or application data record
    HTTP_REQUEST = 5
    HTTP_RESPONSE = 6
    DNS_QUERY = 7  # UDP only; DNS over TCP is found by the careful parser
    DNS_ANSWER = 8
    QUIC_LONG = 9  # UDP, fixed bit and long-header bit set, version not 0, connection id of at most 20 bytes


class State(IntFlag):
    """What is not plain about a packet."""

    CUT = 1  # fewer bytes captured than were on the wire
    FRAGMENT = 2  # a fragment, first or later
    LATER_FRAGMENT = 4  # a fragment with no transport header
    OPTIONS = 8  # TCP options other than padding are present
    MALFORMED = 16  # a length points outside the frame, or a header is cut
    TUNNEL = 32  # at least one outer header was peeled
    TIMESTAMPS = 64  # the TCP timestamp option is present
    WHOLE_NAME = 128  # `name` was read from one complete message


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """One array a column, all of length n packets, named and typed as in COLUMNS."""

    time_ns: NDArray[np.int64]
    offset: NDArray[np.int64]
    captured_bytes: NDArray[np.uint32]
    wire_bytes: NDArray[np.uint32]
    interface: NDArray[np.uint16]
    l3_offset: NDArray[np.uint16]
    l4_offset: NDArray[np.uint16]
    payload_offset: NDArray[np.uint16]
    payload_bytes: NDArray[np.uint32]
    family: NDArray[np.uint8]
    protocol: NDArray[np.uint8]
    flow: NDArray[np.int32]
    direction: NDArray[np.uint8]
    ttl: NDArray[np.uint8]
    ip_id: NDArray[np.uint16]
    ip_flags: NDArray[np.uint8]
    dscp: NDArray[np.uint8]
    seq: NDArray[np.uint32]
    ack: NDArray[np.uint32]
    tcp_flags: NDArray[np.uint16]
    window: NDArray[np.uint16]
    tsval: NDArray[np.uint32]
    tsecr: NDArray[np.uint32]
    icmp: NDArray[np.uint16]
    mark: NDArray[np.uint8]
    state: NDArray[np.uint8]
    name: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.time_ns)


@dataclass(frozen=True, slots=True, kw_only=True)
class Flows:
    """One row a 5-tuple, in order of first appearance; `a` is the sender of the first packet.

    Addresses are 16 bytes in network order: IPv4 as its four bytes followed by twelve zeros, told apart by `family`.
    """

    family: NDArray[np.uint8]
    protocol: NDArray[np.uint8]  # 6 or 17
    address_a: NDArray[np.uint8]  # shape (flows, 16)
    address_b: NDArray[np.uint8]  # shape (flows, 16)
    port_a: NDArray[np.uint16]
    port_b: NDArray[np.uint16]

    def __len__(self) -> int:
        return len(self.family)
