"""Requests in every form: as long as the plain one, and the same Host to a server."""

from __future__ import annotations

import pytest

from fingerprint.messages.http import read_request
from fingerprint.probing.talks import talk
from fingerprint.steps import REQUEST_FORMS, Request


def said(form: str, host: str = "forum.test") -> tuple[bytes, ...]:
    return tuple(talk(Request(address="192.0.2.1", host=host, form=form), 1).open())


@pytest.mark.parametrize("form", REQUEST_FORMS)
@pytest.mark.parametrize("host", ["forum.test", "a.b", "[2001:db8::1]"])
def test_a_server_reads_the_same_host_in_every_form(form: str, host: str) -> None:
    request = read_request(b"".join(said(form, host)))
    assert request is not None
    assert request.complete
    assert not request.malformed
    assert (request.host or "").strip("[]") == host.strip("[]")


@pytest.mark.parametrize("form", REQUEST_FORMS)
def test_control_and_trigger_are_equally_long(form: str) -> None:
    assert {len(b"".join(said(form, host))) for host in ("forum.test", "longer-garden.test")} == {512}


def test_only_one_form_is_cut_and_it_is_cut_within_the_host() -> None:
    assert {form for form in REQUEST_FORMS if len(said(form)) > 1} == {"split-at-host"}
    first, second = said("split-at-host")
    assert first.endswith(b"Host: forum")
    assert second.startswith(b".test\r\n")
