"""First payloads as the probes send them: tunnels, STUN, and bytes that mean nothing.

What means nothing comes in two sorts that no protocol shares: letters, and noise that looks fully encrypted. Both are
as long as what they stand beside, and none is sent twice.
"""

from __future__ import annotations

from random import Random
from struct import pack

from fingerprint.messages.first_payload import STUN_COOKIE, UNKNOWN, exemption, first_payload

# RFC 4253 section 4.2, with the version of a common client: another would be as good.
SSH_BANNER = b"SSH-2.0-OpenSSH_9.6\r\n"
# https://openvpn.net/community-docs/openvpn-protocol.html: P_CONTROL_HARD_RESET_CLIENT_V2, key id 0.
_HARD_RESET = 7 << 3
# https://www.wireguard.com/protocol/: type 1, three bytes of zero, 148 bytes in all.
_INITIATION, _INITIATION_BYTES = b"\x01\x00\x00\x00", 148


def letters(seed: str, size_bytes: int) -> bytes:
    """Small letters in no order."""
    return bytes(Random(seed).choices(range(ord("a"), ord("z") + 1), k=size_bytes))  # noqa: S311  # no secret


def noise(seed: str, size_bytes: int, *, over: str) -> bytes:
    """Bytes that no rule of Wu et al. exempts and no format claims; of fewer than 20 bytes, whatever comes nearest."""
    random = Random(seed)  # noqa: S311  # no secret
    drawn = random.randbytes(size_bytes)
    for _ in range(100):
        # RTP is told by its first two bits.
        if exemption(drawn) is None and first_payload(drawn, over=over) == UNKNOWN and drawn[0] >= 0xC0:
            break
        drawn = random.randbytes(size_bytes)
    return drawn


def openvpn(seed: str, *, over: str) -> bytes:
    """The first packet of OpenVPN without a key for its control channel: session id, no acknowledgement, packet 0."""
    message = bytes([_HARD_RESET]) + Random(seed).randbytes(8) + bytes(5)  # noqa: S311  # no secret
    return pack("!H", len(message)) + message if over == "tcp" else message


def wireguard(seed: str) -> bytes:
    """A handshake initiation, its fields drawn at random: nobody's key."""
    return _INITIATION + Random(seed).randbytes(_INITIATION_BYTES - len(_INITIATION))  # noqa: S311  # no secret


def stun(seed: str, *, cookie: bool = True) -> bytes:
    """A Binding Request without attributes: of RFC 8489, or of RFC 3489, whose id has no cookie."""
    number = Random(seed).randbytes(16)  # noqa: S311  # no secret
    return pack("!HH", 1, 0) + (STUN_COOKIE + number[4:] if cookie else number)
