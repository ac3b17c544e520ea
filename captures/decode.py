"""One frame to one row: the innermost IP header, the transport header behind it, and what its payload begins with.

This is the reference for the compiled core, which hands over to it whatever is not plain IP over a plain link.
"""

from __future__ import annotations

from struct import Struct
from typing import Final, NamedTuple

from captures import link
from captures.columns import Mark, State
from captures.marks import DNS_PORTS, mark_tcp, mark_udp, name_in

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

_IP_IN_IP: Final = 4
_IPV6_IN_IP: Final = 41
_GRE: Final = 47
_ETHERNET_IN_IP: Final = 97
_MPLS_IN_IP: Final = 137
TUNNELS = frozenset((_IP_IN_IP, _IPV6_IN_IP, _GRE, _ETHERNET_IN_IP, _MPLS_IN_IP))

# Outer headers peeled from one frame, and extension headers followed in one packet.
_DEEPEST = 8

# Columns hold offsets in 16 bits; an IP header beyond that is left alone.
_FARTHEST = 0xFF00

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
    cut = State.CUT if len(frame) < wire_bytes else 0
    offset, ethertype = link.network_layer(frame, link_type)
    network = innermost(frame, offset, ethertype, max(wire_bytes, len(frame))) if ethertype else None
    if network is None:
        return Row(state=cut | (State.MALFORMED if ethertype else 0))
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
        found = network._replace(state=network.state | outer_state)
        if network.protocol not in TUNNELS or network.state & State.LATER_FRAGMENT:
            break
        offset, ethertype = _inside(frame, network)
        if not ethertype:
            break
        outer_state |= State.TUNNEL | (network.state & State.FRAGMENT)
        # Of a fragmented outer packet this frame holds the start only: the inner length is not the frame's business.
        wire_bytes = 1 << 32 if network.state & State.FRAGMENT else wire_bytes
    return found


def network_of_frame(frame: bytes, offset: int, family: int, wire_bytes: int) -> Network | None:
    """The IP header at a known offset of a frame, read again; None for family 0."""
    if not family:
        return None
    return innermost(frame, offset, link.IPV4 if family == 4 else link.IPV6, wire_bytes)


def _inside(frame: bytes, network: Network) -> tuple[int, int]:
    """Where the packet inside a tunnel starts, and its EtherType."""
    at = network.next_offset
    try:
        match network.protocol:
            case 4 | 41:
                return link.bare_ip(frame, at)
            case 47:
                return _generic_encapsulation(frame, at)
            case 97:  # RFC 3378: two bytes of version
                return link.ethernet(frame, at + 2)
            case _:  # RFC 4023
                return link.after_ethertype(frame, at, link.MPLS)
    except IndexError:
        return link.NOWHERE


def _generic_encapsulation(frame: bytes, at: int) -> tuple[int, int]:
    """RFC 2784 with the key and sequence number of RFC 2890, and the PPP of RFC 2637."""
    flags, protocol = frame[at] << 8 | frame[at + 1], frame[at + 2] << 8 | frame[at + 3]
    if flags & 0x4000:  # source routes, which RFC 2784 did away with
        return link.NOWHERE
    has_sequence = bool(flags & 0x1000)
    at += 4 + 4 * (bool(flags & 0x8000) + bool(flags & 0x2000) + has_sequence)
    match protocol:
        case 0x880B:
            return link.ppp(frame, at + (4 if flags & 0x0080 else 0))
        case 0x6558:
            return link.ethernet(frame, at)
        case 0x88BE:  # ERSPAN: type I has no header of its own, type II one of eight bytes
            return link.ethernet(frame, at + (8 if has_sequence else 0))
        case 0x22EB:  # ERSPAN type III: twelve bytes, and eight more if the last bit says so
            return link.ethernet(frame, at + 12 + (8 if frame[at + 11] & 1 else 0))
        case 0x883E:  # WCCP, draft-mclaggan-wccp-v2rev1: version 2 puts four bytes before the packet
            return link.bare_ip(frame, at if frame[at] >> 4 == 4 else at + 4)
        case _:
            return link.after_ethertype(frame, at, protocol)


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
        state, header_bytes, length = State.MALFORMED, 20, 20
    elif at + length > wire_bytes:
        state = State.MALFORMED
    offset = (fragment & 0x1FFF) * 8
    if fragment & 0x3FFF:
        state |= State.FRAGMENT | (State.LATER_FRAGMENT if offset else 0)
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
    state = State.MALFORMED if following + next_bytes > wire_bytes else 0
    flags = offset = fragment_id = 0
    for _ in range(_DEEPEST):
        if protocol not in _EXTENSIONS and protocol not in (FRAGMENT, AUTHENTICATION):
            break
        if len(frame) < following + 8 or next_bytes < 8:
            state |= State.MALFORMED
            break
        upper = frame[following]
        if protocol == FRAGMENT:
            word = frame[following + 2] << 8 | frame[following + 3]
            offset, flags, size = word & 0xFFF8, word & 1, 8
            fragment_id = int.from_bytes(frame[following + 4 : following + 8], "big")
            if offset or flags:  # RFC 6946: a fragment header with neither is an atomic fragment, a whole packet
                state |= State.FRAGMENT | (State.LATER_FRAGMENT if offset else 0)
        elif protocol == AUTHENTICATION:
            size = (frame[following + 1] + 2) * 4
        else:
            size = (frame[following + 1] + 1) * 8
        if size > next_bytes:
            state |= State.MALFORMED
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
    at = min(network.next_offset, 0xFFFF)
    row = Row(
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
        state=network.state | cut,
    )
    if network.state & State.LATER_FRAGMENT or network.next_offset > _FARTHEST:
        return row
    match network.protocol:
        case 6:
            return _tcp(frame, network, row)
        case 17:
            return _udp(frame, network, row)
        case 1 | 58:
            return _icmp(frame, network, row)
        case _:
            return row


def _tcp(frame: bytes, network: Network, row: Row) -> Row:
    """RFC 9293."""
    at = network.next_offset
    if network.next_bytes < 20 or len(frame) < at + 20:
        return row._replace(state=row.state | State.MALFORMED)
    source_port, destination_port, seq, ack, bits, window, _, _ = _TCP.unpack_from(frame, at)
    header_bytes = (bits >> 12) * 4
    state = row.state
    tsval = tsecr = 0
    if header_bytes < 20 or header_bytes > network.next_bytes:
        state |= State.MALFORMED
        header_bytes = 20
    elif header_bytes > 20:
        seen, tsval, tsecr = _tcp_options(frame, at + 20, at + header_bytes)
        state |= seen
    payload_bytes = network.next_bytes - header_bytes
    payload = frame[at + header_bytes : at + header_bytes + payload_bytes] if payload_bytes else b""
    mark = mark_tcp(payload)
    name = None
    if mark:
        name, whole = name_in(payload, mark, whole=len(payload) == payload_bytes)
        state |= whole
    return row._replace(
        payload_offset=at + header_bytes,
        payload_bytes=payload_bytes,
        seq=seq,
        ack=ack,
        tcp_flags=bits & 0xFFF,
        window=window,
        tsval=tsval,
        tsecr=tsecr,
        mark=int(mark),
        state=state,
        flow=(network.family, TCP, network.source, network.destination, source_port, destination_port),
        name=name,
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
        state |= State.OPTIONS
        if at + 2 > end_captured:
            break
        size = frame[at + 1]
        if size < 2 or at + size > end:
            state |= State.MALFORMED
            break
        if kind == 8 and size == 10 and at + 10 <= end_captured:
            state |= State.TIMESTAMPS
            tsval = int.from_bytes(frame[at + 2 : at + 6], "big")
            tsecr = int.from_bytes(frame[at + 6 : at + 10], "big")
        at += size
    return state, tsval, tsecr


def _udp(frame: bytes, network: Network, row: Row) -> Row:
    """RFC 768. The length is the datagram's own where it can be, which counts for the first of several fragments."""
    at = network.next_offset
    if network.next_bytes < 8 or len(frame) < at + 8:
        return row._replace(state=row.state | State.MALFORMED)
    source_port, destination_port, length, _ = _UDP.unpack_from(frame, at)
    state = row.state
    payload_bytes = network.next_bytes - 8
    if length >= 8 and (length <= network.next_bytes or state & State.FRAGMENT):
        payload_bytes = length - 8
    elif length:  # zero: a jumbogram or segmentation offload
        state |= State.MALFORMED
    here = min(payload_bytes, network.next_bytes - 8)
    payload = frame[at + 8 : at + 8 + here]
    mark = mark_udp(payload, dns_port=source_port in DNS_PORTS or destination_port in DNS_PORTS)
    name = None
    if mark:
        name, whole = name_in(payload, mark, whole=len(payload) == payload_bytes)
        state |= whole
    return row._replace(
        payload_offset=at + 8,
        payload_bytes=payload_bytes,
        mark=int(mark),
        state=state,
        flow=(network.family, UDP, network.source, network.destination, source_port, destination_port),
        name=name,
    )


def _icmp(frame: bytes, network: Network, row: Row) -> Row:
    """RFC 792 and RFC 4443: type, code, checksum and four bytes that depend on them, then the payload."""
    at = network.next_offset
    if network.next_bytes < 8 or len(frame) < at + 2:
        return row._replace(state=row.state | State.MALFORMED)
    return row._replace(
        payload_offset=at + 8,
        payload_bytes=network.next_bytes - 8,
        icmp=frame[at] << 8 | frame[at + 1],
    )
