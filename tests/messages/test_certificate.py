"""Certificates made for the test, honest and otherwise."""

from __future__ import annotations

import datetime as dt
import hashlib
import ipaddress

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from fingerprint.messages.certificate import Certificate, UnreadableCertificate, read_certificate

START = dt.datetime(2020, 5, 17, 17, 0, tzinfo=dt.UTC)


def name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def made(*, subject: str, issuer: str, signer=None, names=()) -> tuple[bytes, ec.EllipticCurvePrivateKey]:
    key = ec.generate_private_key(ec.SECP256R1())
    builder = (
        x509.CertificateBuilder()
        .subject_name(name(subject))
        .issuer_name(name(issuer))
        .public_key(key.public_key())
        .serial_number(17)
        .not_valid_before(START)
        .not_valid_after(START + dt.timedelta(days=90))
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    signed = builder.sign(signer or key, hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.DER), key


DER, KEY = made(subject="example.org", issuer="example.org")


def test_a_self_signed_certificate_is_told_by_its_signature():
    read = read_certificate(DER)
    assert (read.subject, read.issuer) == ("CN=example.org", "CN=example.org")
    assert (read.self_issued, read.self_signed) == (True, True)
    assert (read.not_before, read.not_after) == (START, START + dt.timedelta(days=90))
    spki = KEY.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    assert read.key_sha256 == hashlib.sha256(spki).hexdigest()
    assert read.der == DER
    assert not read.malformed


def test_the_issuer_s_name_alone_does_not_make_it_self_signed():
    other = ec.generate_private_key(ec.SECP256R1())
    read = read_certificate(made(subject="example.org", issuer="example.org", signer=other)[0])
    assert (read.self_issued, read.self_signed) == (True, False)


def test_an_issued_certificate_shows_its_names():
    names = [x509.DNSName("a.org"), x509.DNSName("*.b.org"), x509.IPAddress(ipaddress.ip_address("192.0.2.1"))]
    read = read_certificate(made(subject="a.org", issuer="Some CA", signer=KEY, names=names)[0])
    assert read.names == ("a.org", "*.b.org", "192.0.2.1")
    assert (read.issuer, read.self_issued, read.self_signed) == ("CN=Some CA", False, False)


def test_a_hostile_name_is_printable():
    subject = read_certificate(made(subject="a\x1b[2J\u202e", issuer="x", signer=KEY)[0]).subject
    assert subject.isascii()
    assert subject.isprintable()


@pytest.mark.parametrize("der", [b"", b"\x30\x82", DER[:-1], DER + b"x", b"<html>"])
def test_bytes_that_are_no_certificate_are_kept_with_the_reason(der):
    read = read_certificate(der)
    assert isinstance(read, UnreadableCertificate)
    assert read.der == der
    assert read.malformed.why


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(DER) - 1), st.binary(min_size=1, max_size=4))
def test_a_damaged_certificate_never_raises(at, damage):
    damaged = (DER[:at] + damage + DER[at + len(damage) :])[: len(DER)]
    assert isinstance(read_certificate(damaged), Certificate | UnreadableCertificate)
