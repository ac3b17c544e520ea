"""QUIC Initials as bytes: a true TLS 1.3 ClientHello in CRYPTO frames, protected as RFC 9001 has it.

What an Initial names is all that differs between two of one seed: connection ids, keys and random values are drawn from
the seed, and padding makes every datagram equally long, so that length tells nobody anything.
"""

from __future__ import annotations

from itertools import pairwise
from random import Random
from struct import pack

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from fingerprint.messages import quic_keys
from fingerprint.messages.quic_keys import SAMPLE_AT, SAMPLE_BYTES, VERSION_1, VERSION_2

__all__ = ["UNKNOWN_VERSION", "VERSION_1", "VERSION_2", "client_hello", "initial", "unknown"]

# RFC 9000 section 14.1: the least that a datagram with an Initial may carry; 1280 bytes is what every IPv6 path passes.
DATAGRAM_BYTES = 1200
# RFC 9000 section 15: versions of this form are reserved so that servers answer with those that they know.
UNKNOWN_VERSION = 0x1A2A3A4A
# RFC 9000 section 7.2: a first destination id has eight bytes at least.
ID_BYTES = 8
_NUMBER_BYTES, _TAG_BYTES = 4, 16
# RFC 8446 section 4.2, RFC 7301, RFC 9001 section 8.2: numbers of the extensions.
_SERVER_NAME, _GROUPS, _SIGNATURES, _ALPN, _VERSIONS, _PSK_MODES, _KEY_SHARE, _TRANSPORT = (
    0, 10, 13, 16, 43, 45, 51, 57,
)  # fmt: skip
_X25519 = 0x001D
# RFC 8446 section 4.2.3: ECDSA, RSA-PSS and RSA-PKCS1 with SHA-256 and with SHA-384, and ed25519.
_SIGNED = (0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0807)
# RFC 9000 section 18.2: max_idle_timeout (ms), max_udp_payload_size, initial_max_data, three initial_max_stream_data,
# initial_max_streams_bidi, initial_max_streams_uni; the values are what clients commonly send.
_PARAMETERS = ((1, 30_000), (3, 1472), (4, 1 << 20), (5, 1 << 18), (6, 1 << 18), (7, 1 << 18), (8, 100), (9, 100))


def initial(
    name: str | None,
    *,
    seed: int,
    version: int = VERSION_1,
    alpn: str = "h3",
    frames: int = 1,
    size_bytes: int = DATAGRAM_BYTES,
) -> bytes:
    """The first datagram of a connection, its ClientHello in so many CRYPTO frames, the last ones first.

    Raises ValueError if the hello does not fit, KeyError for a version other than 1 and 2.
    """
    draw = Random(f"quic:{seed}")  # noqa: S311  # recorded, so that a run can be told again
    destination, source = draw.randbytes(ID_BYTES), draw.randbytes(ID_BYTES)
    plain = _crypto(client_hello(name, draw, alpn=alpn, source=source), frames)
    return _sealed(plain, version, destination, source, size_bytes)


def unknown(*, seed: int, version: int = UNKNOWN_VERSION, size_bytes: int = DATAGRAM_BYTES) -> bytes:
    """A datagram of a version that no server knows. Nobody can read a name in it.

    Servers need no more than the shape of all versions (RFC 8999) to answer; some read on as if it were an Initial of
    version 1, so it has that shape too: an empty token, a length, random bytes.
    """
    draw = Random(f"quic:{seed}")  # noqa: S311  # recorded, so that a run can be told again
    head = b"\xc3" + pack("!I", version) + _id(draw.randbytes(ID_BYTES)) + _id(draw.randbytes(ID_BYTES)) + b"\0"
    left = size_bytes - len(head) - 2
    return head + pack("!H", 0x4000 | left) + draw.randbytes(left)


def client_hello(name: str | None, draw: Random, *, alpn: str, source: bytes) -> bytes:
    """The handshake message, without any record around it (RFC 8446 section 4.1.2, RFC 9001 section 8)."""
    share = X25519PrivateKey.from_private_bytes(draw.randbytes(32)).public_key().public_bytes_raw()
    random = draw.randbytes(32)
    parameters = b"".join(_variable(k) + _counted(_variable(v)) for k, v in _PARAMETERS) + b"\x0f" + _counted(source)
    extensions = [
        (_GROUPS, _list(pack("!H", _X25519))),
        (_SIGNATURES, _list(b"".join(pack("!H", s) for s in _SIGNED))),
        (_ALPN, _list(_id(alpn.encode()))),
        (_VERSIONS, b"\x02\x03\x04"),
        (_PSK_MODES, b"\x01\x01"),
        (_KEY_SHARE, _list(pack("!HH", _X25519, len(share)) + share)),
        (_TRANSPORT, parameters),
    ]
    if name is not None:
        extensions.insert(0, (_SERVER_NAME, _list(b"\0" + _list(name.encode("ascii")))))
    told = b"".join(pack("!HH", kind, len(body)) + body for kind, body in extensions)
    # TLS_AES_128_GCM_SHA256, TLS_AES_256_GCM_SHA384, TLS_CHACHA20_POLY1305_SHA256; no session id over QUIC.
    body = b"\x03\x03" + random + b"\0" + _list(bytes.fromhex("130113021303")) + b"\x01\x00" + _list(told)
    return b"\x01" + len(body).to_bytes(3, "big") + body


def _crypto(message: bytes, frames: int) -> bytes:
    """CRYPTO frames (RFC 9000 section 19.6). Out of order, for a name that is cut in two is found by few readers."""
    cuts = [len(message) * i // frames for i in range(frames + 1)]
    parts = [(a, message[a:b]) for a, b in pairwise(cuts)]
    return b"".join(b"\x06" + _variable(at) + _counted(part) for at, part in reversed(parts))


def _sealed(plain: bytes, version: int, destination: bytes, source: bytes, size_bytes: int) -> bytes:
    """RFC 9001 section 5.3 and 5.4: sealed with the client's keys, then number and flags masked."""
    keys, _ = quic_keys.initial_keys(version, destination)
    kind = 1 if version == VERSION_2 else 0  # RFC 9369 section 3.2
    first = 0xC0 | kind << 4 | (_NUMBER_BYTES - 1)
    head = bytes([first]) + pack("!I", version) + _id(destination) + _id(source) + b"\0"
    room = size_bytes - len(head) - 2 - _NUMBER_BYTES - _TAG_BYTES
    if len(plain) > room:
        raise ValueError(f"a ClientHello of {len(plain)} bytes does not fit a datagram of {size_bytes}; make it larger")
    head += pack("!H", 0x4000 | (_NUMBER_BYTES + room + _TAG_BYTES)) + bytes(_NUMBER_BYTES)
    body = AESGCM(keys.key).encrypt(keys.iv, plain + bytes(room - len(plain)), head)
    sample = body[SAMPLE_AT - _NUMBER_BYTES :][:SAMPLE_BYTES]
    # One block, as RFC 9001 section 5.4.3 prescribes: no message is enciphered in this mode.
    mask = Cipher(algorithms.AES(keys.header_key), modes.ECB()).encryptor().update(sample)  # noqa: S305 - see above
    return bytes([head[0] ^ mask[0] & 0x0F]) + head[1:-_NUMBER_BYTES] + mask[1 : 1 + _NUMBER_BYTES] + body


def _id(body: bytes) -> bytes:
    return bytes([len(body)]) + body


def _list(body: bytes) -> bytes:
    return pack("!H", len(body)) + body


def _counted(body: bytes) -> bytes:
    return _variable(len(body)) + body


def _variable(number: int) -> bytes:
    """RFC 9000 section 16."""
    for bits, (size, mark) in {6: (1, 0), 14: (2, 1), 30: (4, 2)}.items():
        if number < 1 << bits:
            return (number | mark << (8 * size - 2)).to_bytes(size, "big")
    return (number | 3 << 62).to_bytes(8, "big")
