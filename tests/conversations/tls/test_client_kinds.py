"""What tells one client's hellos from another's, and what does not."""

from __future__ import annotations

import pytest

from fingerprint.conversations.tls.client_kinds import kind, veil
from fingerprint.messages.tls import client_hello
from fingerprint.probing.talks import talk
from fingerprint.steps import BARE, ESNI, IN_THE_CLEAR, OTHER_CLIENT, VEILED, Hello


def said(form: str, name: str = "news.example", size_bytes: int | None = None):
    """The hello as this form says it."""
    words = b"".join(talk(Hello(address="192.0.2.1", name=name, form=form, size_bytes=size_bytes), 7).open())
    hello = client_hello(words)
    assert hello is not None
    return hello, len(words)


@pytest.mark.parametrize("form", [BARE, VEILED, ESNI])
def test_name_length_and_veil_are_no_part_of_a_kind(form: str) -> None:
    assert kind(said(form)[0]) == kind(said(BARE, "a.much.longer.name.than.that.example")[0])


@pytest.mark.parametrize("form", [OTHER_CLIENT, IN_THE_CLEAR])
def test_other_ciphers_and_versions_are_another_kind(form: str) -> None:
    assert kind(said(form)[0]) != kind(said(BARE)[0])


@pytest.mark.parametrize("form", [BARE, VEILED, ESNI, OTHER_CLIENT])
def test_the_twins_are_equally_long(form: str) -> None:
    assert said(form)[1] == said(BARE)[1]


def test_a_veil_is_told_by_its_extension() -> None:
    assert [veil(said(form)[0]) for form in (BARE, VEILED, ESNI)] == [None, "ech", "esni"]
    assert said(VEILED)[0].sni == "news.example"
    assert said(ESNI)[0].sni is None


def test_a_hello_that_is_not_whole_is_of_no_kind() -> None:
    words = b"".join(talk(Hello(address="192.0.2.1", name="news.example"), 7).open())
    assert kind(client_hello(words[:300])) is None
    assert kind(None) is None
    assert veil(None) is None
