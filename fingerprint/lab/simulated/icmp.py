"""ICMP as routers and hosts say it: time exceeded and port unreachable, quoting what they are about."""

from __future__ import annotations

import socket
from struct import pack, pack_into

from fingerprint.lab.packet import ICMP, ICMP6, Packet, checksum, parse

# RFC 792 and RFC 4443: (type, code) of time exceeded in transit and of port unreachable.
_V4 = {"expired": (11, 0), "port": (3, 3)}
_V6 = {"expired": (3, 0), "port": (1, 4)}
# RFC 1812 section 4.3.2.3: a message of at most 576 bytes; RFC 4443 section 2.4: of at most 1280.
_V4_QUOTED_BYTES, _V6_QUOTED_BYTES = 576 - 28, 1280 - 48


def message(kind: str, about: Packet, *, source: str, ip_id: int = 0) -> Packet:
    """To the sender of ``about``, from ``source``; Linux sends them with TTL 64."""
    six = about.version == 6
    quote = about.to_bytes()[: _V6_QUOTED_BYTES if six else _V4_QUOTED_BYTES]
    body = bytearray(pack("!BBHI", *(_V6 if six else _V4)[kind], 0, 0) + quote)
    covered = bytes(body)
    if six:
        ends = socket.inet_pton(socket.AF_INET6, source) + socket.inet_pton(socket.AF_INET6, about.source)
        covered = ends + pack("!II", len(body), ICMP6) + covered
    pack_into("!H", body, 2, checksum(covered))
    return Packet(
        source=source, destination=about.source, protocol=ICMP6 if six else ICMP, ip_id=ip_id, df=False, dscp=0xC0,
        payload=bytes(body),
    )  # fmt: skip


def quoted(packet: Packet) -> tuple[str, Packet] | None:
    """What an ICMP error is (``expired``, ``port`` or ``other``), and the packet it quotes; None for anything else."""
    if packet.protocol not in (ICMP, ICMP6) or len(packet.payload) < 28:
        return None
    kinds = _V6 if packet.protocol == ICMP6 else _V4
    which = (packet.payload[0], packet.payload[1])
    if which[0] not in {kind for kind, _ in kinds.values()}:
        return None
    about = parse(packet.payload[8:])
    if about is None:
        return None
    return next((word for word, code in kinds.items() if code == which), "other"), about
