"""The certificate of the laboratory's web servers, made once a process. Its length never changes, its key does."""

from __future__ import annotations

import ssl
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from fingerprint.lab.world import WORLD


@cache
def pem(names: tuple[str, ...] = tuple(WORLD.names)) -> bytes:
    """Key and certificate, one for all servers of a process that serve these names."""
    return _pem(names)


@cache
def context(
    oldest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_2, names: tuple[str, ...] = tuple(WORLD.names)
) -> ssl.SSLContext:
    """A server's TLS context that answers any name with one certificate, and speaks HTTP/1.1."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = oldest
    with TemporaryDirectory() as folder:
        file = Path(folder) / "lab.pem"
        file.write_bytes(pem(names))
        made.load_cert_chain(file)
    made.set_alpn_protocols(["http/1.1"])
    return made


def _pem(serves: Iterable[str]) -> bytes:
    """Key and certificate. RSA, whose signatures all have one length; signed by itself."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "laboratory.test")])
    names = x509.SubjectAlternativeName([x509.DNSName(n) for n in sorted(serves)])
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(0x1AB0)
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2040, 1, 1, tzinfo=UTC))
        .add_extension(names, critical=False)
        .sign(key, hashes.SHA256())
    )
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ) + built.public_bytes(serialization.Encoding.PEM)
