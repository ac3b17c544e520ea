"""From a row back to a packet, decoded with care: every option kept, every broken layer named."""

from __future__ import annotations

from socket import AF_INET, AF_INET6, inet_ntop
from typing import TYPE_CHECKING, Any

from captures import link
from captures.columns import State
from captures.decode import ICMP, TCP, Network, innermost, network_of_frame
from captures.packet import Icmp, Ip, Malformed, Packet, Tcp, Udp

if TYPE_CHECKING:
    from captures.recording import Recording

# The fields of a packet in the making: copying a frozen one for every layer would double the cost.
_Fields = dict[str, Any]

# RFC 792: unreachable, source quench, redirect, time exceeded, parameter problem. RFC 4443 section 2.1: errors < 128.
_ICMP_ERRORS = frozenset((3, 4, 5, 11, 12))

# An error about an error must not be sent (RFC 1122 section 3.2.2); a forged one is followed this far.
_DEEPEST_QUOTE = 2


def payload(recording: Recording, row: int) -> bytes:
    """The transport payload of a row as captured, later fragments joined up to the first hole."""
    c = recording.columns
    start, size = int(c.payload_offset[row]), int(c.payload_bytes[row])
    if not c.family[row]:
        return b""
    frame = recording.frame(row)
    later = recording.fragments.get(row)
    if later is None:
        return frame[start : start + size]
    network = _network(recording, row, frame)
    return frame[start : start + size] if network is None else _joined(recording, frame, network, later, start)[:size]


def _joined(recording: Recording, frame: bytes, first: Network, later: tuple[int, ...], start: int) -> bytes:
    end = first.next_offset + first.next_bytes
    joined = bytearray(frame[start:end])
    for row in later:
        piece_frame = recording.frame(row)
        piece = _network(recording, row, piece_frame)
        # The first fragment's own offset is 0, and its payload starts behind the transport header.
        at = piece.fragment_offset - (start - first.next_offset) if piece else -1
        if piece is None or not 0 <= at <= len(joined):
            break
        body = piece_frame[piece.next_offset : piece.next_offset + piece.next_bytes]
        # RFC 791 lets a later copy win; what came first is kept, as most systems do.
        joined += body[len(joined) - at :]
    return bytes(joined)


def _network(recording: Recording, row: int, frame: bytes) -> Network | None:
    c = recording.columns
    return network_of_frame(frame, int(c.l3_offset[row]), int(c.family[row]), int(c.wire_bytes[row]))


def packet(recording: Recording, row: int) -> Packet:
    """The packet of a row, with its fragments."""
    c = recording.columns
    if not 0 <= row < len(c):
        raise IndexError(f"packet {row + 1} does not exist; the capture holds {len(c)}")
    frame = recording.frame(row)
    fields: _Fields = {
        "capture": recording.index,
        "number": row + 1,
        "time_ns": int(c.time_ns[row]),
        "wire_bytes": int(c.wire_bytes[row]),
        "captured_bytes": int(c.captured_bytes[row]),
    }
    network = _network(recording, row, frame)
    if network is None:
        return Packet(**fields, malformed=_no_network(int(c.state[row])))
    _layers(frame, network, fields, quotes=0)
    if row in recording.fragments:
        fields |= {"payload": payload(recording, row), "payload_bytes": int(c.payload_bytes[row])}
    return Packet(**fields)


def _no_network(state: int) -> tuple[Malformed, ...]:
    if not state & State.MALFORMED:
        return ()
    return (Malformed(layer="ip", at_byte=0, why="no whole IP header where the link layer says one is"),)


def _layers(frame: bytes, network: Network, fields: _Fields, *, quotes: int) -> None:
    """Adds every layer from IP up to the fields."""
    fields |= {"ip": _ip(frame, network), "malformed": _lengths(network)}
    if network.state & State.LATER_FRAGMENT:
        _add_payload(fields, frame, network.next_offset, network.next_bytes)
        return
    match network.protocol:
        case 6:
            _tcp(frame, network, fields)
        case 17:
            _udp(frame, network, fields)
        case 1 | 58:
            _icmp(frame, network, fields, quotes)
        case _:
            _add_payload(fields, frame, network.next_offset, network.next_bytes)


def _add_payload(fields: _Fields, frame: bytes, at: int, size_bytes: int) -> None:
    size_bytes = max(size_bytes, 0)
    fields |= {"payload": frame[at : at + size_bytes], "payload_bytes": size_bytes}


def _complain(fields: _Fields, layer: str, at: int, why: str) -> None:
    fields["malformed"] = (*fields["malformed"], Malformed(layer=layer, at_byte=at, why=why))


def _lengths(network: Network) -> tuple[Malformed, ...]:
    if not network.state & State.MALFORMED:
        return ()
    return (Malformed(layer="ip", at_byte=network.offset, why="a length points outside the packet"),)


def _ip(frame: bytes, network: Network) -> Ip:
    kind, size = (AF_INET, 4) if network.family == 4 else (AF_INET6, 16)
    fixed = 20 if network.family == 4 else 40
    fragmented = network.family == 6 and network.fragment_id
    return Ip(
        version=network.family,
        source=inet_ntop(kind, network.source[:size]),
        destination=inet_ntop(kind, network.destination[:size]),
        ttl_hops=network.ttl,
        id=network.ip_id if network.family == 4 else (network.fragment_id if fragmented else None),
        flags=network.ip_flags,
        traffic_class=network.dscp,
        protocol=network.protocol,
        options=frame[network.offset + fixed : network.next_offset],
        fragment_offset_bytes=network.fragment_offset,
    )


def _tcp(frame: bytes, network: Network, fields: _Fields) -> None:
    at = network.next_offset
    if network.next_bytes < 20 or len(frame) < at + 20:
        _complain(fields, "tcp", at, "the header is cut short")
        return
    header_bytes = (frame[at + 12] >> 4) * 4
    if not 20 <= header_bytes <= network.next_bytes:
        _complain(fields, "tcp", at + 12, f"a header of {header_bytes} bytes does not fit the packet")
        header_bytes = 20
    options, complaint = _tcp_options(frame[at + 20 : at + header_bytes], complete=len(frame) >= at + header_bytes)
    if complaint:
        _complain(fields, "tcp", at + 20, complaint)
    fields["tcp"] = Tcp(
        source_port=_be(frame, at, 2),
        destination_port=_be(frame, at + 2, 2),
        seq=_be(frame, at + 4, 4),
        ack=_be(frame, at + 8, 4),
        flags=_be(frame, at + 12, 2) & 0xFFF,
        window=_be(frame, at + 14, 2),
        urgent=_be(frame, at + 18, 2),
        options=options,
    )
    _add_payload(fields, frame, at + header_bytes, network.next_bytes - header_bytes)


def _tcp_options(area: bytes, *, complete: bool) -> tuple[tuple[tuple[int, bytes], ...], str | None]:
    """Kind and body of every option, and what is wrong with the first that does not parse."""
    options: list[tuple[int, bytes]] = []
    at = 0
    while at < len(area):
        kind = area[at]
        if kind < 2:
            options.append((kind, b""))
            at += 1
            if kind == 0:
                break
            continue
        size = area[at + 1] if at + 1 < len(area) else 0
        if size < 2 or at + size > len(area):
            return tuple(options), f"option {kind} does not fit the header" if complete else None
        options.append((kind, area[at + 2 : at + size]))
        at += size
    return tuple(options), None


def _udp(frame: bytes, network: Network, fields: _Fields) -> None:
    at = network.next_offset
    if network.next_bytes < 8 or len(frame) < at + 8:
        _complain(fields, "udp", at, "the header is cut short")
        return
    length = _be(frame, at + 4, 2)
    fields["udp"] = Udp(source_port=_be(frame, at, 2), destination_port=_be(frame, at + 2, 2), length_bytes=length)
    fits = 8 <= length <= network.next_bytes
    if length and not fits and not network.state & State.FRAGMENT:
        _complain(fields, "udp", at + 4, f"a length of {length} bytes does not fit the packet")
    _add_payload(fields, frame, at + 8, (length if fits else network.next_bytes) - 8)


def _icmp(frame: bytes, network: Network, fields: _Fields, quotes: int) -> None:
    at = network.next_offset
    if network.next_bytes < 8 or len(frame) < at + 2:
        _complain(fields, "icmp", at, "the header is cut short")
        return
    kind, code = frame[at], frame[at + 1]
    end = at + network.next_bytes
    is_error = kind in _ICMP_ERRORS if network.protocol == ICMP else kind < 128
    quoted = _quoted(frame[:end], at + 8, fields, quotes) if is_error else None
    fields["icmp"] = Icmp(type=kind, code=code, body=frame[at + 4 : end], quoted=quoted)
    _add_payload(fields, frame, at + 8, network.next_bytes - 8)


def _quoted(frame: bytes, at: int, around: _Fields, quotes: int) -> Packet | None:
    """The packet that an error message quotes: often no more than its IP header and eight bytes."""
    if quotes >= _DEEPEST_QUOTE or at >= len(frame):
        return None
    ethertype = {4: link.IPV4, 6: link.IPV6}.get(frame[at] >> 4, 0)
    # A quotation is cut by design, so that its length goes beyond the frame is no fault.
    network = innermost(frame, at, ethertype, 1 << 32) if ethertype else None
    if network is None:
        return None
    fields: _Fields = {
        "capture": around["capture"],
        "number": around["number"],
        "time_ns": around["time_ns"],
        "wire_bytes": network.next_offset + network.next_bytes - at,
        "captured_bytes": len(frame) - at,
    }
    if network.protocol == TCP and not network.state & State.LATER_FRAGMENT:
        _quoted_tcp(frame, network, fields)
    else:
        _layers(frame, network, fields, quotes=quotes + 1)
    return Packet(**fields)


def _quoted_tcp(frame: bytes, network: Network, fields: _Fields) -> None:
    """RFC 792 asks for eight bytes only: ports and sequence number. What lies beyond them is taken as zero."""
    at = network.next_offset
    if len(frame) >= at + 20 or len(frame) < at + 8:
        _layers(frame, network, fields, quotes=_DEEPEST_QUOTE)
        return
    completed = frame + bytes(at + 20 - len(frame))
    fields["tcp"] = Tcp(
        source_port=_be(completed, at, 2),
        destination_port=_be(completed, at + 2, 2),
        seq=_be(completed, at + 4, 4),
        ack=_be(completed, at + 8, 4),
        flags=_be(completed, at + 12, 2) & 0xFFF,
        window=_be(completed, at + 14, 2),
        urgent=0,
        options=(),
    )
    fields |= {"ip": _ip(frame, network), "malformed": (), "payload_bytes": max(network.next_bytes - 20, 0)}
    _complain(fields, "tcp", at + 8, "the quotation ends inside the header")


def _be(frame: bytes, at: int, size: int) -> int:
    return int.from_bytes(frame[at : at + size], "big")
