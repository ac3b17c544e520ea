"""What the laboratory's servers say: pages, and the words of other protocols, without IO, for both of its halves.

STUN, the media ports of Zoom, ports of tunnels over UDP; SSH, a tunnel and a sink over TCP. Real implementations are
not wanted here: a censor of first payloads sees no more than these bytes.
"""

from __future__ import annotations

import ipaddress
from hashlib import sha256
from struct import pack

# A small page, and a file that is larger than anybody fetches here.
PAGE_BYTES, LARGE_BYTES = 6_000, 64_000_000
# RFC 8489 section 18.6: STUN's own port. Zoom's media: UDP 8801 to 8810, as the company tells firewall owners.
# IANA: OpenVPN on 1194; 51820 is what WireGuard's documentation uses.
STUN_PORT, TUNNEL_PORTS = 3478, (1194, 51820)
UDP_PORTS = (STUN_PORT, *range(8801, 8811), *TUNNEL_PORTS)
# RFC 4253; OpenVPN over TCP; a common port of proxies that speak to nobody who has no key; a port of Tor relays.
SSH_PORT, TCP_TUNNEL_PORT, SINK_PORT, TLS_PORT = 22, 1194, 8388, 9001
TCP_PORTS = (SSH_PORT, TCP_TUNNEL_PORT, SINK_PORT)
# DNS over TLS and over QUIC (RFC 7858, RFC 9250).
ENCRYPTED_DNS_PORT = 853

# RFC 8489 sections 5 and 14.2.
_MAGIC, _BINDING, _BOUND, _XOR_MAPPED = 0x2112A442, 0x0001, 0x0101, 0x0020
_ANSWER_BYTES = 96


def page(host: str) -> bytes:
    """The page of a site; each has its own, all are PAGE_BYTES long."""
    head = f"<!doctype html>\n<title>Herbs and gardens of {host or 'nobody'}</title>\n".encode()
    return (head + b"<p>herbs and gardens</p>\n" * (PAGE_BYTES // 25))[:PAGE_BYTES]


def datagram(port: int, heard: bytes, peer: tuple[str, int]) -> bytes | None:
    """What comes back from a UDP port, None for nothing: a STUN server heeds only STUN, the others answer anything."""
    if port == STUN_PORT:
        return _bound(heard, peer)
    return _answer(port, heard)


def greeting(port: int) -> bytes:
    """What a TCP port says before it is spoken to."""
    return b"SSH-2.0-OpenSSH_9.6\r\n" if port == SSH_PORT else b""


def reply(port: int, heard: bytes) -> bytes | None:
    """What a TCP port answers to the first words; empty for nothing, None where it hangs up."""
    if port == SINK_PORT:
        return b""
    if port == SSH_PORT:
        # RFC 4253 section 4.2: the other side names itself first, or there is nothing to talk about.
        return _answer(port, heard) if heard.startswith(b"SSH-") else None
    return _answer(port, heard)


def _answer(port: int, heard: bytes) -> bytes:
    """Bytes that depend on what was said, as a handshake's do."""
    seed = pack("!H", port) + heard
    return (b"".join(sha256(seed + bytes([i])).digest() for i in range(3)))[:_ANSWER_BYTES]


def _bound(heard: bytes, peer: tuple[str, int]) -> bytes | None:
    """RFC 8489 section 14.2: the address that the request came from, masked."""
    if len(heard) < 20 or heard[:2] != pack("!H", _BINDING):
        return None
    if heard[4:8] != pack("!I", _MAGIC):
        # RFC 5389 section 12.2: a client of RFC 3489 has no cookie and is told its address as it is.
        return _bound_to_old(heard, peer)
    address = ipaddress.ip_address(peer[0])
    mask = heard[4:20]
    masked = bytes(a ^ b for a, b in zip(address.packed, mask, strict=False))
    value = pack("!BBH", 0, 2 if address.version == 6 else 1, peer[1] ^ _MAGIC >> 16) + masked
    attribute = pack("!HH", _XOR_MAPPED, len(value)) + value
    return pack("!HH", _BOUND, len(attribute)) + mask + attribute


def _bound_to_old(heard: bytes, peer: tuple[str, int]) -> bytes:
    """RFC 3489 section 11.2.1: MAPPED-ADDRESS, in the clear."""
    address = ipaddress.ip_address(peer[0])
    value = pack("!BBH", 0, 2 if address.version == 6 else 1, peer[1]) + address.packed
    attribute = pack("!HH", 1, len(value)) + value
    return pack("!HH", _BOUND, len(attribute)) + heard[4:20] + attribute
