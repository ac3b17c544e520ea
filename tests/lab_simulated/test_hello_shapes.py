"""Boxes that mind a veil or a client, whatever the name."""

from __future__ import annotations

import pytest

from fingerprint.lab.boxes import hello_shapes
from fingerprint.probing.talks import talk
from fingerprint.steps import BARE, ESNI, IN_THE_CLEAR, OTHER_CLIENT, VEILED, Hello


def said(form: str) -> bytes:
    """A hello as one piece."""
    return b"".join(talk(Hello(address="192.0.2.1", name="news.test", form=form), 5).open())


@pytest.mark.parametrize(("form", "kind"), [(VEILED, hello_shapes.ECH), (ESNI, hello_shapes.ESNI)])
def test_a_veil_is_found_in_a_whole_hello(form: str, kind: int) -> None:
    minds = hello_shapes.carries(kind)
    assert minds(said(form))
    assert not minds(said(BARE))
    assert not minds(said(form)[:60])


def test_a_client_is_known_by_what_it_offers() -> None:
    minds = hello_shapes.offers_cipher(hello_shapes.DHE_RSA_AES_GCM)
    assert [minds(said(form)) for form in (BARE, VEILED, OTHER_CLIENT)] == [True, True, False]


def test_an_old_hello_offers_no_tls_1_3() -> None:
    assert hello_shapes.offers_tls_1_3(said(BARE))
    assert not hello_shapes.offers_tls_1_3(said(IN_THE_CLEAR))


@pytest.mark.parametrize(
    "junk", [b"", b"\x16", b"\x16\x03\x01\x00\x04\x01\x00\x00\x00", b"GET / HTTP/1.1\r\n\r\n", bytes(200)]
)
def test_what_is_no_hello_has_no_shape(junk: bytes) -> None:
    assert hello_shapes.extensions(junk) == {}
    assert hello_shapes.ciphers(junk) == ()


def test_every_cut_of_a_hello_is_read_without_an_error() -> None:
    whole = said(VEILED)
    for end in range(0, len(whole), 7):
        hello_shapes.extensions(whole[:end])
        hello_shapes.ciphers(whole[:end])
