"""Packets inside packets: IP in IP, GRE and what it carries, Ethernet and MPLS in IP.

Tunnels over UDP are left alone: others use their ports too, and their own flow is what a censor sees.
"""

from __future__ import annotations

from captures import link

# IP protocol numbers: IPv4, IPv6, GRE, EtherIP, MPLS.
TUNNELS = frozenset((4, 41, 47, 97, 137))


def inside(frame: bytes, at: int, protocol: int) -> tuple[int, int]:
    """Where the packet inside a tunnel starts, and its EtherType; ``at`` is the byte after the outer IP header."""
    try:
        match protocol:
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
