"""Source address, source port and acknowledgement number of crafted packets, filled in as late as they are known.

Checksums are updated by what changed (RFC 1624), never computed: a right one stays right, a wrong one wrong.
"""

from __future__ import annotations

import errno
import socket
from struct import pack_into, unpack_from

from fingerprint.live.admission import TCP, UDP, packed, transport

NOWHERE = (bytes(4), bytes(16))
# Where the checksum stands in each transport.
CHECKSUM_AT = {TCP: 16, UDP: 6}
ACK_AT, FLAGS_AT, ACK = 8, 13, 16


def filled(packet: bytes, source: str, port: int, destination: str, acknowledge: int | None = None) -> bytes:
    """The packet from our own address. ``acknowledge`` is added to the acknowledgement number, if it has one.

    Raises OSError for a packet that claims to come from elsewhere or goes elsewhere than the step says.
    """
    out = bytearray(packet)
    six = out[0] >> 4 == 6
    at = slice(8, 24) if six else slice(12, 16)
    if bytes(out[at.stop : at.stop + len(packed(destination))]) != packed(destination):
        raise OSError(errno.EPERM, "a crafted packet goes elsewhere than its step says")
    if bytes(out[at]) not in NOWHERE and bytes(out[at]) != packed(source):
        raise OSError(errno.EPERM, "a crafted packet has another source than this machine")
    protocol, begins, _ = transport(bytes(out)) if six else (out[9], (out[0] & 15) * 4, None)
    sum_at = begins + CHECKSUM_AT[protocol] if protocol in CHECKSUM_AT else None
    _change(out, at.start, packed(source), sum_at)
    if protocol in CHECKSUM_AT and out[begins : begins + 2] == b"\0\0":
        _change(out, begins, port.to_bytes(2, "big"), sum_at)
    if acknowledge is not None and protocol == TCP and out[begins + FLAGS_AT] & ACK:
        (number,) = unpack_from("!I", out, begins + ACK_AT)
        _change(out, begins + ACK_AT, ((number + acknowledge) % (1 << 32)).to_bytes(4, "big"), sum_at)
    return bytes(out)


def _change(out: bytearray, at: int, value: bytes, sum_at: int | None) -> None:
    """Put ``value`` there and let the checksum follow."""
    old = bytes(out[at : at + len(value)])
    out[at : at + len(value)] = value
    if sum_at is None:
        return
    (checksum,) = unpack_from("!H", out, sum_at)
    total = ~checksum & 0xFFFF
    for n in range(0, len(value), 2):
        total += (~int.from_bytes(old[n : n + 2], "big") & 0xFFFF) + int.from_bytes(value[n : n + 2], "big")
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    pack_into("!H", out, sum_at, ~total & 0xFFFF)


def own_address(destination: str, interface: str | None = None) -> str:
    """The address from which the kernel would send there. Raises OSError where there is no route."""
    family = socket.AF_INET6 if ":" in destination else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        if interface:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode())
        sock.connect((destination, 9))
        return str(sock.getsockname()[0])
