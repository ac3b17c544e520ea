"""TLS flights for tests: hellos of several kinds, ServerHellos, certificates in the clear."""

from __future__ import annotations

import struct
from datetime import UTC, datetime
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding

from tests.conversations.resets_talk import ACK, FIN, PSH, Talk

NEW, OLD = (0x1301, 0x1302, 0xC02F), (0x9C, 0x2F)


def record(kind: int, body: bytes) -> bytes:
    return struct.pack("!BHH", kind, 0x0303, len(body)) + body


def greeting(name: str | None, *, ciphers: tuple[int, ...] = NEW, veil: int | None = None, size: int = 400) -> bytes:
    """A ClientHello, padded: with a name or without, of one client or another, under a veil or none."""
    host = (name or "").encode()
    named = struct.pack("!HHHBH", 0, len(host) + 5, len(host) + 3, 0, len(host)) + host if name else b""
    more = struct.pack("!HH", veil, 60) + b"\0" + bytes(59) if veil is not None else b""
    suites = struct.pack(f"!H{len(ciphers)}H", 2 * len(ciphers), *ciphers)
    pad = size - 5 - 4 - 34 - 1 - len(suites) - 2 - 2 - len(named) - len(more) - 4
    extensions = named + more + struct.pack("!HH", 21, max(pad, 0)) + bytes(max(pad, 0))
    body = b"\x03\x03" + bytes(32) + b"\0" + suites + b"\x01\0" + struct.pack("!H", len(extensions)) + extensions
    return record(22, b"\x01" + len(body).to_bytes(3, "big") + body)


@cache
def leaf(name: str, issuer: str, organisation: str = "", key: str = "") -> bytes:
    """A certificate for a name in DER; its issuer may be itself."""
    own = Ed25519PrivateKey.from_private_bytes((key or name).encode().ljust(32, b".")[:32])
    signing = own if issuer == name else Ed25519PrivateKey.from_private_bytes(issuer.encode().ljust(32, b"!")[:32])
    parts = [x509.NameAttribute(x509.NameOID.COMMON_NAME, issuer)]
    parts += [x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, organisation)] if organisation else []
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    built = x509.CertificateBuilder().subject_name(subject).issuer_name(subject if issuer == name else x509.Name(parts))
    built = built.public_key(own.public_key()).serial_number(7).not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
    built = built.not_valid_after(datetime(2030, 1, 1, tzinfo=UTC))
    built = built.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
    return built.sign(signing, None).public_bytes(Encoding.DER)


def flight(der: bytes | None, *, version: int = 0x0303) -> bytes:
    """A ServerHello, and a certificate behind it where one is given."""
    chosen = struct.pack("!HHH", 43, 2, 0x0304) if version == 0x0304 else b""
    body = b"\x03\x03" + bytes(32) + b"\0" + b"\xc0\x2f\0" + struct.pack("!H", len(chosen)) + chosen
    out = record(22, b"\x02" + len(body).to_bytes(3, "big") + body)
    if der is not None:
        chain = len(der).to_bytes(3, "big") + der
        body = len(chain).to_bytes(3, "big") + chain
        out += record(22, b"\x0b" + len(body).to_bytes(3, "big") + body)
    return out


def visit(
    talk: Talk, at: float, name: str | None, answer: bytes, *, port: int, took: float = 40.0, rtt: float = 40.0,
    alert: int = 0, pieces: tuple[bytes, ...] = (), ttl: int | None = None, stamps: bool = True,
) -> Talk:  # fmt: skip
    """A handshake, a hello, the answer after ``took`` ms, then an alert or a page."""
    talk.handshake(at, rtt=rtt, port=port)
    seq, now = 1, at + rtt + 2
    for piece in pieces or (greeting(name),):
        talk.send(now, "c", PSH | ACK, seq=seq, ack=1, payload=piece, port=port)
        seq, now = seq + len(piece), now + 0.1
    now += took - 0.1
    end = 1 + len(answer)
    talk.send(now, "s", PSH | ACK, seq=1, ack=seq, payload=answer, port=port, ttl=ttl, stamps=stamps)
    if alert:
        talk.send(now + 1, "c", PSH | ACK, seq=seq, ack=end, payload=record(21, bytes((2, alert))), port=port)
        return talk.send(now + 2, "c", FIN | ACK, seq=seq + 7, ack=end, port=port)
    asked = record(20, b"\x01") + record(23, bytes(200))
    talk.send(now + 1, "c", PSH | ACK, seq=seq, ack=end, payload=asked, port=port)
    page = record(23, bytes(900))
    talk.send(now + rtt + 2, "s", PSH | ACK, seq=end, ack=seq + len(asked), payload=page, port=port)
    return talk.send(now + rtt + 3, "c", FIN | ACK, seq=seq + len(asked), ack=end + len(page), port=port)
