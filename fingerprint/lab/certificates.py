"""Certificates of the laboratory: what its servers show for names of their own, and what its boxes forge."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography import x509


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuer:
    """Who signs: a root of that name, or each leaf itself where there is none."""

    common: str | None = None
    organisation: str | None = None


ITSELF = Issuer()


@cache
def context(name: str, issuer: Issuer, *, oldest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_2) -> ssl.SSLContext:
    """A server's TLS context with a certificate for that name, that speaks HTTP/1.1."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = oldest
    with TemporaryDirectory() as folder:
        file = Path(folder) / "made.pem"
        file.write_bytes(pem(name, issuer))
        made.load_cert_chain(file)
    made.set_alpn_protocols(["http/1.1"])
    return made


@cache
def pem(name: str, issuer: Issuer) -> bytes:
    """Key, leaf and, if there is one, root. RSA, whose signatures all have one length."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    root_key, key = (rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2))
    signing = root_key if issuer.common else key
    root = _named(issuer.common or name, issuer.organisation)
    out = [
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    ]
    wanted = [(_named(name) if issuer.common else root, key.public_key(), False)]
    wanted += [(root, root_key.public_key(), True)] if issuer.common else []
    for subject, public, is_root in wanted:
        built = x509.CertificateBuilder().subject_name(subject).issuer_name(root).public_key(public)
        built = built.serial_number(x509.random_serial_number()).not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        built = built.not_valid_after(datetime(2040, 1, 1, tzinfo=UTC))
        built = built.add_extension(x509.BasicConstraints(ca=is_root, path_length=None), critical=True)
        if not is_root:
            built = built.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        out.append(built.sign(signing, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    return b"".join(out)


def _named(common: str, organisation: str | None = None) -> x509.Name:
    from cryptography import x509

    parts = [x509.NameAttribute(x509.NameOID.COMMON_NAME, common)]
    if organisation:
        parts.append(x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, organisation))
    return x509.Name(parts)
