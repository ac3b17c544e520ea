"""The keys of QUIC Initial packets, which anybody on the path can derive, and what they open.

Initial packets are protected against accident and against those who do not read the client's first connection id:
a censor that reads it sees the ClientHello, and so does this module.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

VERSION_1: Final = 0x00000001  # RFC 9000 section 15
VERSION_2: Final = 0x6B3343CF  # RFC 9369 section 3.1
DRAFT: Final = 0xFF000000  # RFC 9000 section 15: drafts are this plus their number


@dataclass(frozen=True, slots=True, kw_only=True)
class _Protection:
    """What a version derives its Initial and Retry keys from."""

    salt: bytes
    retry_key: bytes
    retry_nonce: bytes
    label: bytes = b"quic"
    first_type: int = 0  # the type bits of an Initial; the others follow, in a circle


# RFC 9001 sections 5.2 and 5.8.
_V1: Final = _Protection(
    salt=bytes.fromhex("38762cf7f55934b34d179ae6a4c80cadccbb7f0a"),
    retry_key=bytes.fromhex("be0c690b9f66575a1d766b54e368c84e"),
    retry_nonce=bytes.fromhex("461599d35d632bf2239825bb"),
)
# RFC 9369 sections 3.2 and 3.3.
_V2: Final = _Protection(
    salt=bytes.fromhex("0dede3def700a6db819381be6e269dcbf9bd2ed9"),
    retry_key=bytes.fromhex("8fb4b01b56ac48e260fbcbcead7ccc92"),
    retry_nonce=bytes.fromhex("d86969bc2d7c6d9990efb04a"),
    label=b"quicv2",
    first_type=1,
)
# draft-ietf-quic-tls-29 sections 5.2 and 5.8; unchanged up to draft 32.
_DRAFT_29: Final = _Protection(
    salt=bytes.fromhex("afbfec289993d24c9e9786f19c6111e04390a899"),
    retry_key=bytes.fromhex("ccce187ed09a09d05728155a6cb96be1"),
    retry_nonce=bytes.fromhex("e54930f97f2136f0530a8c1c"),
)
# draft-ietf-quic-tls-27 sections 5.2 and 5.8; unchanged in draft 28.
_DRAFT_27: Final = _Protection(
    salt=bytes.fromhex("c3eef712c72ebb5a11a7d2432bb46365bef9f502"),
    retry_key=bytes.fromhex("4d32ecdb2a2133c841e4043df27d4430"),
    retry_nonce=bytes.fromhex("4d1611d05513a552c587d575"),
)

_PROTECTIONS: Final = {
    VERSION_1: _V1,
    VERSION_2: _V2,
    **{DRAFT + number: _DRAFT_29 for number in range(29, 35)},
    **{DRAFT + number: _DRAFT_27 for number in (27, 28)},
}
# draft-ietf-quic-tls-33 section 5.2 took the salt of version 1.
_PROTECTIONS[DRAFT + 33] = _PROTECTIONS[DRAFT + 34] = _V1

# RFC 9001 section 5.4.2: the sample begins four bytes after the packet number does, and is sixteen long.
SAMPLE_AT: Final = 4
SAMPLE_BYTES: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class InitialKeys:
    """The keys of one direction."""

    key: bytes
    iv: bytes
    header_key: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """An Initial whose authentication tag was right."""

    packet_number: int  # as sent, not extended: the first packets need no more
    plain: bytes


def known(version: int) -> bool:
    """Whether Initials of that version can be opened."""
    return version in _PROTECTIONS


def packet_type(version: int, first_byte: int) -> int:
    """0 Initial, 1 0-RTT, 2 Handshake, 3 Retry, by the type bits of a long header (RFC 9000 17.2, RFC 9369 3.2)."""
    protection = _PROTECTIONS.get(version, _V1)
    return ((first_byte >> 4 & 3) - protection.first_type) % 4


def initial_keys(version: int, connection_id: bytes) -> tuple[InitialKeys, InitialKeys]:
    """The client's and the server's keys, from the connection id that the client first sent to.

    Raises KeyError for a version that `known` does not know.
    """
    protection = _PROTECTIONS[version]
    secret = hmac.digest(protection.salt, connection_id, hashlib.sha256)
    client, server = (
        InitialKeys(
            key=expand_label(side, protection.label + b" key", 16),
            iv=expand_label(side, protection.label + b" iv", 12),
            header_key=expand_label(side, protection.label + b" hp", 16),
        )
        for side in (expand_label(secret, b"client in", 32), expand_label(secret, b"server in", 32))
    )
    return client, server


def expand_label(secret: bytes, label: bytes, size_bytes: int) -> bytes:
    """HKDF-Expand-Label of TLS 1.3 with SHA-256, for up to one block (RFC 8446 section 7.1)."""
    full = b"tls13 " + label
    described = size_bytes.to_bytes(2, "big") + bytes([len(full)]) + full + b"\0"
    return hmac.digest(secret, described + b"\1", hashlib.sha256)[:size_bytes]


def open_initial(keys: InitialKeys, packet: bytes, number_at: int) -> Opened | None:
    """Remove both protections of a packet whose number begins at that byte; None if it does not authenticate."""
    sample = packet[number_at + SAMPLE_AT : number_at + SAMPLE_AT + SAMPLE_BYTES]
    if len(sample) < SAMPLE_BYTES:
        return None
    # One block, as RFC 9001 section 5.4.3 prescribes: no message is enciphered in this mode.
    cipher = Cipher(algorithms.AES(keys.header_key), modes.ECB())  # noqa: S305 - one block, see above
    mask = cipher.encryptor().update(sample)
    first = packet[0] ^ (mask[0] & 0x0F)
    number_bytes = (first & 3) + 1
    number = bytes(a ^ b for a, b in zip(packet[number_at : number_at + number_bytes], mask[1:], strict=False))
    header = bytes([first]) + packet[1:number_at] + number
    nonce = (int.from_bytes(keys.iv, "big") ^ int.from_bytes(number, "big")).to_bytes(12, "big")
    try:
        plain = AESGCM(keys.key).decrypt(nonce, packet[number_at + number_bytes :], header)
    except InvalidTag:
        return None
    return Opened(packet_number=int.from_bytes(number, "big"), plain=plain)


def retry_is_genuine(version: int, packet: bytes, original_connection_id: bytes) -> bool | None:
    """Whether a Retry's integrity tag is right: its sender saw the client's Initial (RFC 9001 section 5.8).

    None for a version that `known` does not know.
    """
    protection = _PROTECTIONS.get(version)
    if protection is None:
        return None
    if len(packet) < 16:
        return False
    pseudo = bytes([len(original_connection_id)]) + original_connection_id + packet[:-16]
    tag = AESGCM(protection.retry_key).encrypt(protection.retry_nonce, b"", pseudo)
    return hmac.compare_digest(tag, packet[-16:])
