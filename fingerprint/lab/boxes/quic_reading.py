"""What a box reads in a QUIC Initial of version 1: the keys follow from the connection id, and the name from them.

RFC 9001 section 5. Written for the laboratory alone: only the first packet of one datagram is read, and its CRYPTO
frames are put in order; a hello in several datagrams is more than most devices join.
"""

from __future__ import annotations

import hmac
from hashlib import sha256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from fingerprint.lab.boxes import reading

_SALT = bytes.fromhex("38762cf7f55934b34d179ae6a4c80cadccbb7f0a")


def sni(datagram: bytes) -> str | None:
    """The name in the ClientHello of this datagram, None for anything that is no such Initial."""
    try:
        frames = _opened(datagram)
        hello = _joined(frames) if frames else b""
    except (IndexError, ValueError, InvalidTag):
        return None
    # The reader of TLS wants a record around it (RFC 8446 section 5.1).
    return reading.sni(b"\x16\x03\x01" + len(hello).to_bytes(2, "big") + hello) if hello else None


def close(datagram: bytes, *, error: int, source: bytes = b"\x5a" * 8) -> bytes:
    """A CONNECTION_CLOSE in the server's name, in answer to this Initial (RFC 9000 section 19.19)."""
    destination, back = _ids(datagram)
    key, iv, mask_key = _keys(destination, b"server in")
    # Frame type, error, the frame that caused it, no reason; padded so that a sample can be taken.
    plain = b"\x1c" + (0x4000 | error).to_bytes(2, "big") + b"\x06\0" + bytes(16)
    head = b"\xc0\0\0\0\1" + bytes([len(back)]) + back + bytes([len(source)]) + source + b"\0"
    head += (0x4000 | (1 + len(plain) + 16)).to_bytes(2, "big") + b"\0"
    body = AESGCM(key).encrypt(iv, plain, head)
    mask = _mask(mask_key, body[3:19])
    return bytes([head[0] ^ mask[0] & 15]) + head[1:-1] + bytes([mask[1]]) + body


def _ids(datagram: bytes) -> tuple[bytes, bytes]:
    destination = datagram[6 : 6 + datagram[5]]
    at = 6 + len(destination)
    return destination, datagram[at + 1 : at + 1 + datagram[at]]


def _opened(datagram: bytes) -> bytes | None:
    """The frames of the Initial. Raises InvalidTag, or IndexError where it ends too soon."""
    if reading.quic_version(datagram) != 1 or datagram[0] & 0x30:
        return None
    destination, source = _ids(datagram)
    at = 7 + len(destination) + len(source)
    token_bytes, at = _number(datagram, at)
    length, at = _number(datagram, at + token_bytes)
    key, iv, mask_key = _keys(destination, b"client in")
    mask = _mask(mask_key, datagram[at + 4 : at + 20])
    first = datagram[0] ^ mask[0] & 15
    size = (first & 3) + 1
    number = bytes(a ^ b for a, b in zip(datagram[at : at + size], mask[1:], strict=False))
    nonce = (int.from_bytes(iv, "big") ^ int.from_bytes(number, "big")).to_bytes(12, "big")
    head = bytes([first]) + datagram[1:at] + number
    return AESGCM(key).decrypt(nonce, datagram[at + size : at + length], head)


def _joined(frames: bytes) -> bytes:
    """The bytes of all CRYPTO frames up to the first gap."""
    parts, at = dict[int, bytes](), 0
    while at < len(frames):
        kind = frames[at]
        at += 1
        if kind == 6:
            offset, at = _number(frames, at)
            size, at = _number(frames, at)
            parts[offset] = frames[at : at + size]
            at += size
        elif kind > 1:
            break
    out = b""
    for offset in sorted(parts):
        if offset != len(out):
            break
        out += parts[offset]
    return out


def _keys(connection_id: bytes, side: bytes) -> tuple[bytes, bytes, bytes]:
    secret = _expand(hmac.digest(_SALT, connection_id, sha256), side, 32)
    return _expand(secret, b"quic key", 16), _expand(secret, b"quic iv", 12), _expand(secret, b"quic hp", 16)


def _expand(secret: bytes, label: bytes, size: int) -> bytes:
    info = size.to_bytes(2, "big") + bytes([len(label) + 6]) + b"tls13 " + label + b"\0\1"
    return hmac.digest(secret, info, sha256)[:size]


def _mask(key: bytes, sample: bytes) -> bytes:
    """Raises ValueError for a sample that is too short."""
    return Cipher(algorithms.AES(key), modes.ECB()).encryptor().update(sample[:16].ljust(16, b"\0"))  # noqa: S305  # one block


def _number(data: bytes, at: int) -> tuple[int, int]:
    size = 1 << (data[at] >> 6)
    if at + size > len(data):
        raise IndexError(at)
    return int.from_bytes(data[at : at + size], "big") & ((1 << (8 * size - 2)) - 1), at + size
