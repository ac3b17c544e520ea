"""One frame to one row: the innermost IP header, the transport header behind it, and what its payload begins with.

This is the reference for the compiled core, which hands over to it whatever is not plain IP over a plain link.
"""

from __future__ import annotations

from struct import Struct
from typing import Final, NamedTuple

from captures import link
from captures.columns import Mark, State
from captures.marks import DNS_PORTS, mark_tcp, mark_udp, name_in
from captures.tunnels import TUNNELS, inside

ICMP: Final = 1
TCP: Final = 6
UDP: Final = 17
ICMPV6: Final = 58

# RFC 8200 section 4 and the IANA list of extension headers that share its format, Authentication Header apart.
HOP_BY_HOP: Final = 0
ROUTING: Final = 43
FRAGMENT: Final = 44
AUTHENTICATION: Final = 51
_EXTENSIONS = frozenset((HOP_BY_HOP, ROUTING, 60, 135, 139, 140))

# Outer headers peeled from one frame, and extension headers followed in one packet.
_DEEPEST = 8

# Columns hold offsets in 16 bits; an IP header beyond that is left alone.
_FARTHEST = 0xFF00

# Plain integers: or-ing members of an IntFlag costs a microsecond each, and there are several in every packet.
_CUT, _FRAGMENT, _LATER_FRAGMENT = int(State.CUT), int(State.FRAGMENT), int(State.LATER_FRAGMENT)
_OPTIONS, _MALFORMED, _TUNNEL = int(State.OPTIONS), int(State.MALFORMED), int(State.TUNNEL)
_TIMESTAMPS = int(State.TIMESTAMPS)

_IPV4 = Struct(">BBHHHBBH4s4s")
_IPV6 = Struct(">IHBB16s16s")
_TCP = Struct(">HHIIHHHH")
_UDP = Struct(">HHHH")
_PADDING = bytes(12)


class Row(NamedTuple):
    """The columns that a frame decides by itself, the flow's key and the name."""

    l3_offset: int = 0
    l4_offset: int = 0
    payload_offset: int = 0
    payload_bytes: int = 0
    family: int = 0
    protocol: int = 0
    ttl: int = 0
    ip_id: int = 0
    ip_flags: int = 0
    dscp: int = 0
    seq: int = 0
    ack: int = 0
    tcp_flags: int = 0
    window: int = 0
    tsval: int = 0
    tsecr: int = 0
    icmp: int = 0
    mark: int = Mark.NONE
    state: int = 0
    # Family, protocol, source and destination of 16 bytes each, source and destination port; None without a flow.
    flow: tuple[int, int, bytes, bytes, int, int] | None = None
    name: bytes | None = None


class Network(NamedTuple):
    """An IP header and what it says of the bytes behind it."""

    offset: int
    family: int
    protocol: int  # of what follows, extension headers skipped
    next_offset: int  # of what follows
    next_bytes: int  # as sent, by the IP length
    ttl: int
    ip_id: int
    ip_flags: int
    dscp: int
    source: bytes  # 16 bytes
    destination: bytes
    fragment_offset: int  # in bytes
    fragment_id: int  # 32 bits in IPv6
    state: int


def decode(frame: bytes, link_type: int, wire_bytes: int) -> Row:
    """The row of one frame of which ``wire_bytes`` were on the wire."""
    cut = _CUT if len(frame) < wire_bytes else 0
    offset, ethertype = link.network_layer(frame, link_type)
    network = innermost(frame, offset, ethertype, max(wire_bytes, len(frame))) if ethertype else None
    if network is None:
        return Row(state=cut | (_MALFORMED if ethertype else 0))
    return _transport(frame, network, cut)


def innermost(frame: bytes, offset: int, ethertype: int, wire_bytes: int) -> Network | None:
    """The innermost IP header that can be reached; None if the bytes there are no whole IP header."""
    found: Network | None = None
    outer_state = 0
    for _ in range(_DEEPEST):
        if offset > _FARTHEST:
            break
        network = _ipv4(frame, offset, wire_bytes) if ethertype == link.IPV4 else _ipv6(frame, offset, wire_bytes)
        if network is None:
            break
        found = network._replace(state=network.state | outer_state) if outer_state else network
        if network.protocol not in TUNNELS or network.state & _LATER_FRAGMENT:
            break
        offset, ethertype = inside(frame, network.next_offset, network.protocol)
        if not ethertype:
            break
        outer_state |= _TUNNEL | (network.state & _FRAGMENT)
        # Of a fragmented outer packet this frame holds the start only: the inner length is not the frame's business.
        wire_bytes = 1 << 32 if network.state & _FRAGMENT else wire_bytes
    return found


def network_of_frame(frame: bytes, offset: int, family: int, wire_bytes: int) -> Network | None:
    """The IP header at a known offset of a frame, read again; None for family 0."""
    if not family:
        return None
    return innermost(frame, offset, link.IPV4 if family == 4 else link.IPV6, wire_bytes)


def _ipv4(frame: bytes, at: int, wire_bytes: int) -> Network | None:
    """RFC 791."""
    if len(frame) < at + 20 or frame[at] >> 4 != 4:
        return None
    first, tos, length, ip_id, fragment, ttl, protocol, _, source, destination = _IPV4.unpack_from(frame, at)
    header_bytes = (first & 15) * 4
    # Segmentation offload leaves the length zero: the frame ends where the packet does.
    length = length or wire_bytes - at
    state = 0
    if header_bytes < 20 or length < header_bytes:
        state, header_bytes, length = _MALFORMED, 20, 20
    elif at + length > wire_bytes:
        state = _MALFORMED
    offset = (fragment & 0x1FFF) * 8
    if fragment & 0x3FFF:
        state |= _FRAGMENT | (_LATER_FRAGMENT if offset else 0)
    following, next_bytes = at + header_bytes, length - header_bytes
    if protocol == AUTHENTICATION and not offset:
        protocol, following, next_bytes = _after_authentication(frame, following, next_bytes)
    return Network(
        offset=at,
        family=4,
        protocol=protocol,
        next_offset=following,
        next_bytes=next_bytes,
        ttl=ttl,
        ip_id=ip_id,
        ip_flags=fragment >> 13,
        dscp=tos,
        source=source + _PADDING,
        destination=destination + _PADDING,
        fragment_offset=offset,
        fragment_id=ip_id,
        state=state,
    )


def _after_authentication(frame: bytes, at: int, next_bytes: int) -> tuple[int, int, int]:
    """RFC 4302: the length counts words of four bytes, less two."""
    if len(frame) < at + 2:
        return AUTHENTICATION, at, next_bytes
    size = (frame[at + 1] + 2) * 4
    if size > next_bytes:
        return AUTHENTICATION, at, next_bytes
    return frame[at], at + size, next_bytes - size


def _ipv6(frame: bytes, at: int, wire_bytes: int) -> Network | None:
    """RFC 8200."""
    if len(frame) < at + 40 or frame[at] >> 4 != 6:
        return None
    first, length, protocol, ttl, source, destination = _IPV6.unpack_from(frame, at)
    following = at + 40
    # Jumbograms (RFC 2675) and segmentation offload leave the length zero.
    next_bytes = length or (0 if protocol == 59 else max(wire_bytes - following, 0))
    state = _MALFORMED if following + next_bytes > wire_bytes else 0
    flags = offset = fragment_id = 0
    for _ in range(_DEEPEST):
        if protocol not in _EXTENSIONS and protocol not in (FRAGMENT, AUTHENTICATION):
            break
        if len(frame) < following + 8 or next_bytes < 8:
            state |= _MALFORMED
            break
        upper = frame[following]
        if protocol == FRAGMENT:
            word = frame[following + 2] << 8 | frame[following + 3]
            offset, flags, size = word & 0xFFF8, word & 1, 8
            fragment_id = int.from_bytes(frame[following + 4 : following + 8], "big")
            if offset or flags:  # RFC 6946: a fragment header with neither is an atomic fragment, a whole packet
                state |= _FRAGMENT | (_LATER_FRAGMENT if offset else 0)
        elif protocol == AUTHENTICATION:
            size = (frame[following + 1] + 2) * 4
        else:
            size = (frame[following + 1] + 1) * 8
        if size > next_bytes:
            state |= _MALFORMED
            break
        protocol, following, next_bytes = upper, following + size, next_bytes - size
        if offset:
            break
    return Network(
        offset=at,
        family=6,
        protocol=protocol,
        next_offset=following,
        next_bytes=next_bytes,
        ttl=ttl,
        ip_id=0,
        ip_flags=flags,
        dscp=first >> 20 & 255,
        source=source,
        destination=destination,
        fragment_offset=offset,
        fragment_id=fragment_id,
        state=state,
    )


def _transport(frame: bytes, network: Network, cut: int) -> Row:
    """What stands behind the IP header."""
    if network.state & _LATER_FRAGMENT or network.next_offset > _FARTHEST:
        return _bare(network, network.state | cut)
    match network.protocol:
        case 6:
            return _tcp(frame, network, network.state | cut)
        case 17:
            return _udp(frame, network, network.state | cut)
        case 1 | 58:
            return _icmp(frame, network, network.state | cut)
        case _:
            return _bare(network, network.state | cut)


def _bare(network: Network, state: int) -> Row:
    """The row of a packet without a transport header: everything behind the IP header is its payload."""
    at = min(network.next_offset, 0xFFFF)
    return Row(
        l3_offset=network.offset,
        l4_offset=at,
        payload_offset=at,
        payload_bytes=network.next_bytes,
        family=network.family,
        protocol=network.protocol,
        ttl=network.ttl,
        ip_id=network.ip_id,
        ip_flags=network.ip_flags,
        dscp=network.dscp,
        state=state,
    )


def _tcp(frame: bytes, network: Network, state: int) -> Row:
    """RFC 9293."""
    at, segment_bytes = network.next_offset, network.next_bytes
    if segment_bytes < 20 or len(frame) < at + 20:
        return _bare(network, state | _MALFORMED)
    source_port, destination_port, seq, ack, bits, window, _, _ = _TCP.unpack_from(frame, at)
    header_bytes = (bits >> 12) * 4
    tsval = tsecr = 0
    if header_bytes < 20 or header_bytes > segment_bytes:
        state |= _MALFORMED
        header_bytes = 20
    elif header_bytes > 20:
        seen, tsval, tsecr = _tcp_options(frame, at + 20, at + header_bytes)
        state |= seen
    payload_at, payload_bytes = at + header_bytes, segment_bytes - header_bytes
    mark, name = 0, None
    if payload_bytes:
        payload = frame[payload_at : payload_at + payload_bytes]
        mark = mark_tcp(payload)
        if mark:
            name, whole = name_in(payload, mark, whole=len(payload) == payload_bytes)
            state |= whole
    offset, family, protocol, _, _, ttl, ip_id, ip_flags, dscp, source, destination, _, _, _ = network
    # In the order of Row: by keyword, this one call would cost more than the decoding.
    return Row(
        *(offset, at, payload_at, payload_bytes, family, protocol, ttl, ip_id, ip_flags, dscp),
        *(seq, ack, bits & 0xFFF, window, tsval, tsecr, 0, int(mark), state),
        (family, TCP, source, destination, source_port, destination_port),
        name,
    )


def _tcp_options(frame: bytes, at: int, end: int) -> tuple[int, int, int]:
    """State bits, TSval and TSecr (RFC 7323 section 3.2) of the options that were captured."""
    state = tsval = tsecr = 0
    end_captured = min(end, len(frame))
    while at < end_captured:
        kind = frame[at]
        if kind == 0:
            break
        if kind == 1:
            at += 1
            continue
        state |= _OPTIONS
        if at + 2 > end_captured:
            break
        size = frame[at + 1]
        if size < 2 or at + size > end:
            state |= _MALFORMED
            break
        if kind == 8 and size == 10 and at + 10 <= end_captured:
            state |= _TIMESTAMPS
            tsval = int.from_bytes(frame[at + 2 : at + 6], "big")
            tsecr = int.from_bytes(frame[at + 6 : at + 10], "big")
        at += size
    return state, tsval, tsecr


def _udp(frame: bytes, network: Network, state: int) -> Row:
    """RFC 768. The length is the datagram's own where it can be, which counts for the first of several fragments."""
    at = network.next_offset
    if network.next_bytes < 8 or len(frame) < at + 8:
        return _bare(network, state | _MALFORMED)
    source_port, destination_port, length, _ = _UDP.unpack_from(frame, at)
    payload_bytes = network.next_bytes - 8
    if length >= 8 and (length <= network.next_bytes or state & _FRAGMENT):
        payload_bytes = length - 8
    elif length:  # zero: a jumbogram or segmentation offload
        state |= _MALFORMED
    here = min(payload_bytes, network.next_bytes - 8)
    payload = frame[at + 8 : at + 8 + here]
    mark = mark_udp(payload, dns_port=source_port in DNS_PORTS or destination_port in DNS_PORTS)
    name = None
    if mark:
        name, whole = name_in(payload, mark, whole=len(payload) == payload_bytes)
        state |= whole
    return _bare(network, state)._replace(
        payload_offset=at + 8,
        payload_bytes=payload_bytes,
        mark=int(mark),
        flow=(network.family, UDP, network.source, network.destination, source_port, destination_port),
        name=name,
    )


def _icmp(frame: bytes, network: Network, state: int) -> Row:
    """RFC 792 and RFC 4443: type, code, checksum and four bytes that depend on them, then the payload."""
    at = network.next_offset
    if network.next_bytes < 8 or len(frame) < at + 2:
        return _bare(network, state | _MALFORMED)
    return _bare(network, state)._replace(
        payload_offset=at + 8,
        payload_bytes=network.next_bytes - 8,
        icmp=frame[at] << 8 | frame[at + 1],
    )
