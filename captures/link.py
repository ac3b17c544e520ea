"""From a link type to the first IP header of a frame.

Every function returns ``(offset, ethertype)``: where the network layer starts and what it is, or NOWHERE.
Link types are numbered as on https://www.tcpdump.org/linktypes.html.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

IPV4: Final = 0x0800
IPV6: Final = 0x86DD
MPLS: Final = 0x8847
NOWHERE: Final = (0, 0)

# IEEE 802.1Q, 802.1ad, and the older numbers for stacked tags: two bytes of tag, then an EtherType.
_VLAN = frozenset((0x8100, 0x88A8, 0x9100, 0x9200, 0x9300))
_VN_TAG = 0x8926  # IEEE 802.1BR draft: four bytes of tag, then an EtherType
_E_TAG = 0x893F  # IEEE 802.1BR: six bytes of tag, then an EtherType
_CISCO_METADATA = 0x8909  # six bytes, then an EtherType
_PPPOE_SESSION = 0x8864
_PROVIDER_BACKBONE = 0x88E7  # IEEE 802.1ah: four bytes of tag, then an Ethernet header

# Tags, labels and nested headers followed in one frame: more is a loop or an attack.
_DEEPEST = 16


def network_layer(frame: bytes, link_type: int) -> tuple[int, int]:
    """Where the network layer of a frame starts, and its EtherType."""
    find = _LINKS.get(link_type)
    if find is None:
        return NOWHERE
    try:
        return find(frame)
    except IndexError:
        return NOWHERE


def after_ethertype(frame: bytes, at: int, ethertype: int) -> tuple[int, int]:
    """Peels VLAN tags, MPLS labels, PPPoE and the like; ``at`` is the byte after the EtherType."""
    for _ in range(_DEEPEST):
        if ethertype in (IPV4, IPV6):
            return at, ethertype
        if ethertype in _VLAN:
            at, ethertype = at + 4, _be16(frame, at + 2)
        elif ethertype == _VN_TAG:
            at, ethertype = at + 6, _be16(frame, at + 4)
        elif ethertype in (_E_TAG, _CISCO_METADATA):
            at, ethertype = at + 8, _be16(frame, at + 6)
        elif ethertype == _PROVIDER_BACKBONE:
            at, ethertype = at + 18, _be16(frame, at + 16)
        elif ethertype == _PPPOE_SESSION:
            at, ethertype = ppp(frame, at + 6)
        elif ethertype in (MPLS, 0x8848):
            at, ethertype = _after_labels(frame, at)
        elif 0 < ethertype <= 1500:
            at, ethertype = logical_link(frame, at)
        else:
            return NOWHERE
    return NOWHERE


def _after_labels(frame: bytes, at: int) -> tuple[int, int]:
    """RFC 3032: four bytes a label, the lowest bit of the third ends the stack; then told by the first nibble."""
    for _ in range(_DEEPEST):
        bottom = frame[at + 2] & 1
        at += 4
        if bottom:
            break
    match frame[at] >> 4:
        case 4:
            return at, IPV4
        case 6:
            return at, IPV6
        case 0:  # RFC 4448 section 4.6: a control word, then Ethernet
            return at + 18, _be16(frame, at + 16)
        case _:
            return at + 14, _be16(frame, at + 12)


def ethernet(frame: bytes, at: int = 0) -> tuple[int, int]:
    """Ethernet II and IEEE 802.3."""
    return after_ethertype(frame, at + 14, _be16(frame, at + 12))


def logical_link(frame: bytes, at: int) -> tuple[int, int]:
    """IEEE 802.2, with or without SNAP: the EtherType it carries, 0 for anything else."""
    match frame[at], frame[at + 1], frame[at + 2]:
        case 0xAA, 0xAA, 3:
            return at + 8, _be16(frame, at + 6)
        case 6, 6, 3:  # RFC 948: SAP 6 is IP
            return at + 3, IPV4
        case _:
            return NOWHERE


def _snap(frame: bytes, at: int) -> tuple[int, int]:
    return after_ethertype(frame, *logical_link(frame, at))


def ppp(frame: bytes, at: int) -> tuple[int, int]:
    """RFC 1661, with the address and control field of RFC 1662 if present, and compressed protocol numbers."""
    if frame[at] == 0xFF and frame[at + 1] == 3:
        at += 2
    if frame[at] & 1:
        protocol, at = frame[at], at + 1
    else:
        protocol, at = _be16(frame, at), at + 2
    match protocol:
        case 0x21:
            return at, IPV4
        case 0x57:
            return at, IPV6
        case 0x281:
            return _after_labels(frame, at)
        case _:
            return NOWHERE


def _ppp_or_hdlc(frame: bytes) -> tuple[int, int]:
    """Cisco HDLC has 0x0f (unicast) or 0x8f (multicast) where PPP has 0xff."""
    return _hdlc(frame) if frame[0] in (0x0F, 0x8F) else ppp(frame, 0)


def _hdlc(frame: bytes) -> tuple[int, int]:
    return after_ethertype(frame, 4, _be16(frame, 2))


def _pppoe(frame: bytes) -> tuple[int, int]:
    return ppp(frame, 6)


def _ppp_with_direction(frame: bytes) -> tuple[int, int]:
    return ppp(frame, 1)


def bare_ip(frame: bytes, at: int = 0) -> tuple[int, int]:
    """An IP header, its version told by the first nibble."""
    match frame[at] >> 4:
        case 4:
            return at, IPV4
        case 6:
            return at, IPV6
        case _:
            return NOWHERE


def _null(frame: bytes) -> tuple[int, int]:
    """An address family in the recorder's byte order: 2 is IPv4, the systems disagree about IPv6."""
    family = min(int.from_bytes(frame[:4], "little"), int.from_bytes(frame[:4], "big"))
    if family == 2:
        return 4, IPV4
    if family in (10, 24, 28, 30):
        return 4, IPV6
    return after_ethertype(frame, 4, family) if family > 1500 else NOWHERE


def _cooked(frame: bytes) -> tuple[int, int]:
    return _after_cooked(frame, 16, _be16(frame, 14))


def _cooked_2(frame: bytes) -> tuple[int, int]:
    return _after_cooked(frame, 20, _be16(frame, 0))


def _after_cooked(frame: bytes, at: int, protocol: int) -> tuple[int, int]:
    """Linux's own numbers below 1536: 4 is IEEE 802.2."""
    if protocol == 4:
        return _snap(frame, at)
    return after_ethertype(frame, at, protocol) if protocol > 1500 else NOWHERE


def wireless(frame: bytes, at: int = 0, *, padded: bool = False) -> tuple[int, int]:
    """An IEEE 802.11 data frame in the clear; of an A-MSDU, its first part."""
    control, flags = frame[at], frame[at + 1]
    is_data, has_qos, is_null = control & 0x0C == 0x08, bool(control & 0x80), bool(control & 0x40)
    if not is_data or is_null or flags & 0x40:  # 0x40: the body is encrypted
        return NOWHERE
    size = 24 + (6 if flags & 3 == 3 else 0)
    bundled = False
    if has_qos:
        bundled = bool(frame[at + size] & 0x80)
        size += 2 + (4 if flags & 0x80 else 0)
    if padded:
        size += -size % 4
    return _snap(frame, at + size + (14 if bundled else 0))


def _radiotap(frame: bytes) -> tuple[int, int]:
    """https://www.radiotap.org: a length, present words, and in the flags whether the 802.11 header is padded."""
    at = _le16(frame, 2)
    words = 4
    while frame[words + 3] & 0x80:
        words += 4
        if words > at:
            return NOWHERE
    flags_at = words + 4
    if frame[4] & 1:  # a time stamp of eight bytes, aligned to eight, comes first
        flags_at += -flags_at % 8 + 8
    return wireless(frame, at, padded=bool(frame[4] & 2 and frame[flags_at] & 0x20))


def _prism(frame: bytes) -> tuple[int, int]:
    """A header that states its length in the recorder's byte order; an AVS header may stand in its place."""
    if frame[:3] == b"\x80\x21\x10":
        return _avs(frame)
    size = min(int.from_bytes(frame[4:8], "little"), int.from_bytes(frame[4:8], "big"))
    return wireless(frame, size)


def _avs(frame: bytes) -> tuple[int, int]:
    return wireless(frame, int.from_bytes(frame[4:8], "big"))


def _per_packet(frame: bytes) -> tuple[int, int]:
    """PPI: a length and a link type, both little-endian, before the frame proper."""
    size, link_type = _le16(frame, 2), int.from_bytes(frame[4:8], "little")
    if size < 8 or link_type == 192:
        return NOWHERE
    at, ethertype = network_layer(frame[size:], link_type)
    return (at + size, ethertype) if ethertype else NOWHERE


def _netfilter_log(frame: bytes) -> tuple[int, int]:
    """Attributes of length, type and value, aligned to four, in the recorder's byte order; type 9 is the packet."""
    return _attributes(frame, "little") or _attributes(frame, "big") or NOWHERE


def _attributes(frame: bytes, order: str) -> tuple[int, int] | None:
    at = 4
    little = order == "little"
    while at + 4 <= len(frame):
        size = _le16(frame, at) if little else _be16(frame, at)
        kind = (_le16(frame, at + 2) if little else _be16(frame, at + 2)) & 0x7FFF
        if size < 4:
            return None
        if kind == 9:
            return bare_ip(frame, at + 4)
        at += size + -size % 4
    return None


def _packet_filter_log(frame: bytes) -> tuple[int, int]:
    return bare_ip(frame, frame[0] + -frame[0] % 4)


def _encapsulated(frame: bytes) -> tuple[int, int]:
    return bare_ip(frame, 12)


def _frame_relay(frame: bytes) -> tuple[int, int]:
    """RFC 2427: two bytes of address, control 3, then an NLPID, 0xcc for IPv4, 0x8e for IPv6, 0x80 for SNAP."""
    if frame[2] != 3:
        return after_ethertype(frame, 4, _be16(frame, 2))
    match frame[3]:
        case 0xCC:
            return 4, IPV4
        case 0x8E:
            return 4, IPV6
        case 0 if frame[4] == 0x80:
            return after_ethertype(frame, 10, _be16(frame, 8))
        case _:
            return NOWHERE


def _ip_over_infiniband(frame: bytes) -> tuple[int, int]:
    return after_ethertype(frame, 44, _be16(frame, 40))


def _solaris(frame: bytes) -> tuple[int, int]:
    return bare_ip(frame, 24)


def _classical_ip(frame: bytes) -> tuple[int, int]:
    return _snap(frame, 0)


def _arcnet_linux(frame: bytes) -> tuple[int, int]:
    """RFC 1201 as Linux records it: source, destination, two bytes, protocol, split flag, sequence."""
    match frame[4]:
        case 0xD4:
            return 8, IPV4
        case 0xC4:
            return 8, IPV6
        case _:
            return NOWHERE


def _le16(frame: bytes, at: int) -> int:
    return frame[at] | frame[at + 1] << 8


def _be16(frame: bytes, at: int) -> int:
    return frame[at] << 8 | frame[at + 1]


_LINKS: dict[int, Callable[[bytes], tuple[int, int]]] = {
    0: _null,
    1: ethernet,
    9: _ppp_or_hdlc,
    12: bare_ip,
    14: bare_ip,
    50: _ppp_or_hdlc,
    51: _pppoe,
    100: _classical_ip,
    101: bare_ip,
    104: _ppp_or_hdlc,
    105: wireless,
    107: _frame_relay,
    108: _null,
    109: _encapsulated,
    113: _cooked,
    117: _packet_filter_log,
    119: _prism,
    127: _radiotap,
    129: _arcnet_linux,
    163: _avs,
    166: _ppp_with_direction,
    192: _per_packet,
    204: _ppp_with_direction,
    226: _solaris,
    228: bare_ip,
    229: bare_ip,
    239: _netfilter_log,
    242: _ip_over_infiniband,
    276: _cooked_2,
}
