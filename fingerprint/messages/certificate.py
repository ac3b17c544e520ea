"""An X.509 certificate as a server showed it: who it says it is, and who says so.

Nothing here is believed: trust is for who compares issuer and key with another path. Certificates that do not parse
are a known trait of interception products, so their DER is kept and the reason told.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

from captures.packet import Malformed
from fingerprint.messages.http import text

if TYPE_CHECKING:
    from cryptography import x509

Read = TypeVar("Read")


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """A certificate; a field that does not parse is None or empty and named in ``malformed``."""

    der: bytes
    sha256: str  # of the DER, hex
    subject: str | None  # RFC 4514, printable
    issuer: str | None
    serial: int | None
    names: tuple[str, ...]  # DNS names and addresses of the subject alternative name, printable, as written
    not_before: datetime | None  # UTC
    not_after: datetime | None
    key_sha256: str | None  # of the SubjectPublicKeyInfo, hex: what RFC 7469 pins
    self_issued: bool  # subject and issuer are the same
    self_signed: bool | None  # its own key made its signature; None where the algorithm is not known here
    authority: bool | None  # basicConstraints says CA; None where the extension is absent
    malformed: tuple[Malformed, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreadableCertificate:
    """Bytes in the place of a certificate that are none."""

    der: bytes
    sha256: str
    malformed: Malformed


def read_certificate(der: bytes) -> Certificate | UnreadableCertificate:
    """The certificate in these bytes, as far as it can be read."""
    from cryptography import x509  # costs 40 ms, and most captures show no certificate

    digest = hashlib.sha256(der).hexdigest()
    with warnings.catch_warnings():
        # Certificates that break RFC 5280 are what is looked for, not what to warn about.
        warnings.simplefilter("ignore")
        try:
            parsed = x509.load_der_x509_certificate(der)
        except Exception as failure:  # noqa: BLE001 - the parser raises more than it documents on hostile DER
            return UnreadableCertificate(der=der, sha256=digest, malformed=_malformed(failure))
        return _fields(parsed, der, digest)


def _fields(parsed: x509.Certificate, der: bytes, digest: str) -> Certificate:
    stopped: list[Malformed] = []

    def read(field: str, reader: Callable[[], Read]) -> Read | None:
        try:
            return reader()
        except Exception as failure:  # noqa: BLE001 - fields are parsed when asked for, and may be hostile each
            stopped.append(_malformed(failure, field))
            return None

    subject = read("subject", lambda: _name(parsed.subject))
    issuer = read("issuer", lambda: _name(parsed.issuer))
    self_issued = bool(read("names", lambda: parsed.subject.public_bytes() == parsed.issuer.public_bytes()))
    return Certificate(
        der=der,
        sha256=digest,
        subject=subject,
        issuer=issuer,
        serial=read("serial", lambda: parsed.serial_number),
        names=read("subjectAltName", lambda: _alternative_names(parsed)) or (),
        not_before=read("notBefore", lambda: parsed.not_valid_before_utc),
        not_after=read("notAfter", lambda: parsed.not_valid_after_utc),
        key_sha256=read("key", lambda: _key_digest(parsed)),
        self_issued=self_issued,
        self_signed=_signed_by_itself(parsed) if self_issued else False,
        authority=read("basicConstraints", lambda: _is_authority(parsed)),
        malformed=tuple(stopped),
    )


def _name(name: x509.Name) -> str:
    return text(name.rfc4514_string().encode("utf-8", "backslashreplace"))


def _alternative_names(parsed: x509.Certificate) -> tuple[str, ...]:
    from cryptography import x509

    try:
        listed = parsed.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    names = [name.value for name in listed if isinstance(name, x509.DNSName)]
    addresses = [str(name.value) for name in listed if isinstance(name, x509.IPAddress)]
    return tuple(text(name.encode("utf-8", "backslashreplace")) for name in names + addresses)


def _key_digest(parsed: x509.Certificate) -> str:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    key = parsed.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(key).hexdigest()


def _signed_by_itself(parsed: x509.Certificate) -> bool | None:
    from cryptography.exceptions import InvalidSignature

    try:
        parsed.verify_directly_issued_by(parsed)
    except InvalidSignature:
        return False
    except Exception:  # noqa: BLE001 - an algorithm that is not known here, or a key that is none
        return None
    return True


def _is_authority(parsed: x509.Certificate) -> bool | None:
    from cryptography import x509

    try:
        return parsed.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return None


def _malformed(failure: Exception, field: str = "") -> Malformed:
    why = text(str(failure).encode("utf-8", "backslashreplace"))[:200] or type(failure).__name__
    return Malformed(layer="x509", at_byte=0, why=f"{field}: {why}" if field else why)
