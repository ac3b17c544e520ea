"""TLS 1.2 flights with certificates in the clear. Keys come from names, so the same certificate is made every time."""

from __future__ import annotations

import datetime as dt
import hashlib
import random
import struct

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

# RFC 5246 section 7.4: handshake types.
SERVER_HELLO, CERTIFICATE, KEY_EXCHANGE, DONE = 2, 11, 12, 14
ISSUED = dt.datetime(2020, 3, 1, tzinfo=dt.UTC)


def _key(owner: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(owner.encode()).digest())


def _name(common: str, organisation: str) -> x509.Name:
    return x509.Name(
        [x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation), x509.NameAttribute(NameOID.COMMON_NAME, common)]
    )


def certificate(
    host: str,
    *,
    issuer: str,
    organisation: str = "",
    key: str = "",
    names: tuple[str, ...] = (),
    issued: dt.datetime = ISSUED,
) -> bytes:
    """A leaf for a host, signed by the key of an issuer, in DER; a host may be its own issuer.

    ``organisation`` is the issuer's, ``key`` whose key the leaf has, ``names`` for which hosts it is good.
    """
    serial = int.from_bytes(hashlib.sha256(f"{host} {issuer}".encode()).digest()[:16], "big") >> 1
    own = key or (host if issuer != host else host + " itself")
    return (
        x509.CertificateBuilder()
        .subject_name(_name(host, host))
        .issuer_name(_name(host, host) if issuer == host else _name(issuer, organisation or issuer.title()))
        .public_key(_key(own).public_key())
        .serial_number(serial)
        .not_valid_before(issued)
        .not_valid_after(issued + dt.timedelta(days=365))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(n) for n in names or (host,)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(_key(issuer if issuer != host else own), None)
        .public_bytes(Encoding.DER)
    )


def flight(host: str, rng: random.Random, *, issuer: str) -> bytes:
    """ServerHello to ServerHelloDone of TLS 1.2, one record a message."""
    return flight_with(certificate(host, issuer=issuer), rng)


def flight_with(leaf: bytes, rng: random.Random) -> bytes:
    """The same, with these bytes in the place of the certificate."""
    chain = len(leaf).to_bytes(3, "big") + leaf
    messages = (
        (SERVER_HELLO, b"\x03\x03" + rng.randbytes(32) + b"\x20" + rng.randbytes(32) + b"\xc0\x2b\x00\x00\x00"),
        (CERTIFICATE, len(chain).to_bytes(3, "big") + chain),
        (KEY_EXCHANGE, b"\x03\x00\x1d\x20" + rng.randbytes(32) + b"\x08\x07\x00\x40" + rng.randbytes(64)),
        (DONE, b""),
    )
    out = b""
    for kind, body in messages:
        message = bytes((kind,)) + len(body).to_bytes(3, "big") + body
        out += struct.pack(">BHH", 22, 0x0303, len(message)) + message
    return out
