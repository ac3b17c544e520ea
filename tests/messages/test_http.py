"""Heads that keep to the rules and heads that censors, and those who try them, send instead."""

from __future__ import annotations

import pytest

from fingerprint.messages.http import read_request, read_response

REQUEST = b"GET /a?b HTTP/1.1\r\nHost: Example.ORG:8080\r\nUser-Agent: x\r\n\r\n"
REDIRECT = b"HTTP/1.1 302 Moved\r\nLocation: http://block.example/\r\nContent-Length: 4\r\n\r\nbody"


def test_an_honest_request_is_read_whole():
    request = read_request(REQUEST)
    assert (request.method, request.target, request.version) == ("GET", "/a?b", "HTTP/1.1")
    assert request.host == "example.org"
    assert request.headers == (("Host", "Example.ORG:8080"), ("User-Agent", "x"))
    assert request.raw_head == REQUEST
    assert request.complete
    assert not request.malformed


def test_an_honest_response_keeps_what_follows_its_head():
    response = read_response(REDIRECT)
    assert (response.status, response.reason, response.location) == (302, "Moved", "http://block.example/")
    assert response.body_start == b"body"
    assert not response.malformed


@pytest.mark.parametrize("cut", range(len(REQUEST) - 1))
def test_half_a_request_is_incomplete_or_nothing(cut):
    request = read_request(REQUEST[:cut])
    assert request is None or not request.complete
    if cut > REQUEST.index(b"8080\r\n") + 6:
        assert request.host == "example.org"


@pytest.mark.parametrize(
    ("sent", "host"),
    [
        (b"GeT / HTTP/1.1\r\nhOsT:a.org\r\n\r\n", "a.org"),
        (b"GET  /  HTTP/1.1\nHost: a.org.\n\n", "a.org"),
        (b"\r\n\r\nGET / HTTP/1.1\r\nHost : a.org\r\n\r\n", "a.org"),
        (b"GET / HTTP/9.x\r\nHost: a.org\r\nnonsense\r\n\r\n", "a.org"),
        (b"GET http://B.org:80/x HTTP/1.0\r\n\r\n", "b.org"),
        (b"CONNECT c.org:443 HTTP/1.0\r\n\r\n", "c.org"),
        (b"GET / HTTP/1.1\r\nHost: [2001:db8::1]:80\r\n\r\n", "[2001:db8::1]"),
        (b"GET / HTTP/1.0\r\n\r\n", None),
    ],
)
def test_odd_requests_still_show_their_host(sent, host):
    assert read_request(sent).host == host


def test_what_h11_refuses_is_told():
    assert read_request(b"GET / HTTP/1.1\r\nHost : a.org\r\n\r\n").malformed
    assert read_response(b"HTTP/1.1 403\r\nServer\r\n\r\n").malformed


def test_two_hosts_are_a_refusal_and_the_first_counts():
    request = read_request(b"GET / HTTP/1.1\r\nHost: a.org\r\nHost: b.org\r\n\r\n")
    assert request.host == "a.org"
    assert request.malformed


def test_nothing_hostile_is_left_in_the_strings():
    response = read_response(b"HTTP/1.1 200 \x1b[2J\r\nSer\x07ver: \xe2\x80\xaex\r\n\r\n\x1b")
    shown = response.reason + "".join(name + value for name, value in response.headers)
    assert shown.isascii()
    assert shown.isprintable()


def test_a_status_line_without_a_number_has_no_status():
    assert read_response(b"HTTP/1.1 Forbidden\r\n\r\n").status is None


def test_a_folded_header_is_joined():
    assert read_response(b"HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n").header("x") == "a b"


@pytest.mark.parametrize("sent", [b"", b"\x16\x03\x01\x00\x05hello", b"SSH-2.0-x\r\n", b"<html>no</html>"])
def test_other_protocols_are_no_http(sent):
    assert read_request(sent) is None
    assert read_response(sent) is None
