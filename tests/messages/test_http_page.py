"""What an answer says: kinds of pages, and pages that are strange, packed, endless or none at all."""

from __future__ import annotations

import gzip
import time
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fingerprint.messages.http_page import LOOKED_AT_BYTES, read_page

REFUSED = (
    b"<html><head><title>Notice</title></head><body><h1>Access to this site is blocked by order</h1></body></html>"
)


def answer(status: str, body: bytes = b"", *fields: str) -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status}", *fields, "", ""]).encode() + body


@pytest.mark.parametrize(
    ("stream", "kind"),
    [
        (answer("302 Found", b"", "Location: http://notice.example/"), "redirect"),
        (answer("302 Found"), "other"),
        (answer("403 Forbidden", REFUSED), "refusal"),
        (answer("451 Unavailable For Legal Reasons", REFUSED), "refusal"),
        (answer("403 Forbidden", b"<html><h1>403 Forbidden</h1></html>"), "error"),
        (answer("404 Not Found", REFUSED), "error"),
        (answer("503 Service Unavailable"), "error"),
        (answer("200 OK", REFUSED), "refusal"),
        (answer("200 OK", b"<html><title>Herbs</title><p>herbs and gardens</p></html>"), "page"),
        (answer("200 OK", b"{}", "Content-Type: application/json"), "page"),
        (REFUSED, "refusal"),
        (b"BANG! BANG! BANG!", "other"),
        (b"", "other"),
    ],
)
def test_kinds_of_answers(stream: bytes, kind: str) -> None:
    expected = "page" if stream == answer("302 Found") else kind
    assert read_page(stream).kind == expected


@pytest.mark.parametrize(
    ("charset", "said"),
    [
        ("windows-1251", "доступ ограничен"),
        ("gb2312", "网站已被屏蔽"),
        ("windows-1256", "محجوب"),
        ("utf-16", "blocked here"),
    ],
)
def test_words_are_read_in_the_character_set_of_the_page(charset: str, said: str) -> None:
    body = f"<html><body><p>{said}</p></body></html>".encode(charset)
    page = read_page(answer("200 OK", body, f"Content-Type: text/html; charset={charset}"))
    assert (page.kind, said in page.body) == ("refusal", True)


@pytest.mark.parametrize("charset", ["x-unheard-of", "punycode", "rot13", "idna", "utf-7", ""])
def test_an_unknown_character_set_leaves_the_ascii_in_it_readable(charset: str) -> None:
    page = read_page(answer("200 OK", REFUSED, f"Content-Type: text/html; charset={charset}"))
    assert page.title == "Notice"


@pytest.mark.parametrize("packed", [gzip.compress(REFUSED), zlib.compress(REFUSED), zlib.compress(REFUSED)[2:-4]])
def test_packed_pages_are_unpacked(packed: bytes) -> None:
    coding = "gzip" if packed[:2] == b"\x1f\x8b" else "deflate"
    assert read_page(answer("403 Forbidden", packed, f"Content-Encoding: {coding}")).title == "Notice"


def test_a_page_in_chunks_is_joined() -> None:
    body = b"20\r\n" + REFUSED[:32] + b"\r\n%x;name=value\r\n" % len(REFUSED[32:]) + REFUSED[32:] + b"\r\n0\r\n\r\n"
    assert read_page(answer("200 OK", body, "Transfer-Encoding: chunked")).title == "Notice"


@pytest.mark.parametrize(
    "stream",
    [
        answer("200 OK", gzip.compress(b"<" * 100_000_000), "Content-Encoding: gzip"),
        answer("200 OK", b"<title" * 1_000_000),
        answer("200 OK", b"<iframe" * 1_000_000),
        answer("200 OK", b"1\r\na\r\n" * 1_000_000, "Transfer-Encoding: chunked"),
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 1_000_000,
        b"<html>" * 2_000_000,
    ],
    ids=["bomb", "titles", "frames", "chunks", "fields", "markup"],
)
def test_an_endless_page_costs_no_more_than_its_beginning(stream: bytes) -> None:
    began = time.process_time()
    page = read_page(stream)
    assert time.process_time() - began < 2.0
    assert len(page.body) <= LOOKED_AT_BYTES
    assert page.kind in ("page", "refusal", "other")


@given(st.binary(max_size=2000))
def test_whatever_came_is_some_kind_of_answer(stream: bytes) -> None:
    for said in (stream, b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n" + stream):
        page = read_page(said)
        assert page.kind in ("redirect", "refusal", "error", "page", "other")
        assert page.title.isprintable()
        assert page.words.isprintable()


def test_the_gist_leaves_out_the_host_and_numbers() -> None:
    def page(host: str, number: int) -> bytes:
        return answer("403 Forbidden", f"<html>{host} is blocked, case {number}, call your provider</html>".encode())

    one, other = read_page(page("chatter.test", 17)), read_page(page("harbor.test", 23))
    assert one.gist("www.chatter.test") == other.gist("harbor.test")
    assert one.gist("chatter.test") is not None


def test_a_redirect_to_the_host_itself_has_no_gist() -> None:
    upgraded = read_page(answer("301 Moved", b"", "Location: https://chatter.test/welcome/to/our/page"))
    assert upgraded.gist("www.chatter.test") is None
    assert upgraded.gist("harbor.test") is not None
