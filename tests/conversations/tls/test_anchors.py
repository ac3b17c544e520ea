"""Which issuer's name fits which row, and what a row must say."""

from __future__ import annotations

import pytest

from fingerprint import tables
from fingerprint.conversations.tls.anchors import anchor
from fingerprint.conversations.tls.first_flights import attribute, covers
from fingerprint.messages.certificate import Certificate, read_certificate
from tests.conversations.certificates_talk import leaf

ROWS = tables.built_in().rows("anchors")


@pytest.mark.parametrize(
    ("issuer", "name"),
    [
        ("CN=Qaznet Trust Network,C=KZ", "Kazakhstan, Qaznet"),
        ("CN=Information Security Certification Authority,O=ISCA,C=KZ", "Kazakhstan, ISCA 2021 to 2024"),
        ("CN=Information Security Certification Authority CA,C=KZ", "Kazakhstan, ISCA 2020"),
        ("CN=FG100D,OU=Certificate Authority,O=Fortinet,C=US", "Fortinet"),
        ("CN=Avast Web/Mail Shield Root,O=Avast", "Avast, AVG and Norton"),
        ("CN=ca.tenant.goskope.com,O=Somebody", "Netskope, tenant"),
    ],
)
def test_an_issuer_is_known_by_its_name(issuer: str, name: str) -> None:
    found = anchor(issuer, ROWS)
    assert found is not None
    assert found["name"] == name


@pytest.mark.parametrize(
    "issuer", [None, "", "CN=R11,O=Let's Encrypt,C=US", "O=Qaznet Trust Network", "CN=[a-z]*", ",,=+\\"]
)
def test_other_issuers_are_nobody_s(issuer: str | None) -> None:
    assert anchor(issuer, ROWS) is None


def test_letters_beyond_ascii_are_compared_as_they_are_read() -> None:
    read = read_certificate(leaf("news.example", "НЕГІЗГІ КУӘЛАНДЫРУШЫ ОРТАЛЫҚ"))
    assert isinstance(read, Certificate)
    found = anchor(read.issuer, ROWS)
    assert found is not None
    assert found["kind"] == "state"


def test_a_row_says_what_it_is_and_where_it_is_known_from() -> None:
    for row in ROWS:
        assert row["kind"] in ("state", "product")
        assert "cn" in row or "o" in row
        assert row["source"]
        assert (row.get("innocent") in ("corporate-proxy", "chosen-filter", "captive-portal")) == (
            row["kind"] == "product"
        )


def test_a_name_s_attribute_is_read_with_its_escapes_taken_off() -> None:
    assert attribute(r"CN=Some\, Inc.,O=Other\+More", "CN") == "Some, Inc."
    assert attribute(r"CN=Some\, Inc.,O=Other\+More", "O") == "Other+More"
    assert attribute("CN=x\\", "O") is None


@pytest.mark.parametrize(
    ("shown", "asked", "good"),
    [
        ("news.example", "NEWS.example.", True),
        ("*.example.org", "www.example.org", True),
        ("*.example.org", "a.b.example.org", False),
        ("*.example.org", "example.org", False),
        ("localhost", "news.example", False),
    ],
)
def test_a_star_stands_for_one_label(shown: str, asked: str, good: bool) -> None:
    read = read_certificate(leaf(shown, "Some Authority"))
    assert isinstance(read, Certificate)
    assert covers(read, asked) is good
