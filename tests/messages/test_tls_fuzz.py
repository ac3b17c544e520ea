"""Whatever bytes a censor sends, every parser of opening messages finishes, and its strings are printable."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fingerprint.messages.certificate import read_certificate
from fingerprint.messages.http import read_request, read_response
from fingerprint.messages.quic import read_initials
from fingerprint.messages.quic_frames import frames
from fingerprint.messages.tls import client_hello, sni_of, tls_client_side, tls_server_side
from tests.messages.test_http import REDIRECT, REQUEST
from tests.messages.test_quic import HELLO, crypto, initial
from tests.messages.test_tls import FULL, record, server_hello_message

# Bytes that pass the first checks, so that chance does not stop at the door.
BEGINNINGS = [
    b"",
    b"\x16\x03\x01",
    b"\x16\x03\x01\x00\xff\x01\x00\x00\xfb\x03\x03",
    b"\x16\x03\x03\x00\x60\x02\x00\x00\x5c\x03\x03",
    b"\x16\x03\x03\x01\x00\x0b\x00\x00\xfc\x00\x00\xf9",
    b"\x15\x03\x03\x00\x02",
    b"\xc3\x00\x00\x00\x01",
    b"\xc3\x00\x00\x00\x01\x08\x83\x94\xc8\xf0\x3e\x51\x57\x08",
    b"\xf3\x00\x00\x00\x01",
    b"\x80\x00\x00\x00\x00",
    b"GET / HTTP/1.1\r\n",
    b"HTTP/1.1 200 OK\r\n",
    b"0\x82\x01\x00",
]

WHOLE = {
    "client hello": record(FULL),
    "server hello": record(server_hello_message(b"r" * 32)) + record(b"\x02\x28", kind=21),
    "request": REQUEST,
    "response": REDIRECT,
    "initial": initial(crypto(HELLO)),
}


def read_all(stream: bytes) -> None:
    """Every parser, and every property that is made when asked for."""
    for hello in (client_hello(stream), read_initials([stream], [stream]).client_hello):
        if hello is not None:
            shown = (hello.sni or "", *hello.alpn, hello.ja3, hello.ja3_md5, hello.ja4)
            assert all(each.isascii() and each.isprintable() for each in shown)
            assert len(hello.ja4) == 36
            assert isinstance(hello.groups + hello.supported_versions + hello.signature_algorithms, tuple)
    hello = client_hello(stream)
    assert sni_of(stream) == (hello.sni if hello else None)
    for side in (tls_client_side(stream), tls_server_side(stream)):
        assert sum(map(len, side.certificates)) <= len(stream)
        assert all(stopped.at_byte <= len(stream) for stopped in side.malformed)
    server = tls_server_side(stream).server_hello
    assert server is None or (server.alpn or "").isprintable()
    opening = read_initials([stream], [stream])
    assert all(close.reason.isprintable() for _, close in opening.closes)
    assert opening.version_name is None or opening.version_name.isprintable()
    for head in (read_request(stream), read_response(stream)):
        if head is not None:
            assert all(name.isprintable() and value.isprintable() for name, value in head.headers)
            assert head.raw_head + head.body_start == stream or not head.complete
            assert len(head.raw_head) <= len(stream)
    assert read_certificate(stream).der == stream
    assert len(list(frames(stream))) <= len(stream)


@settings(max_examples=1500, deadline=None)
@given(st.sampled_from(BEGINNINGS), st.binary(max_size=600))
def test_no_bytes_raise(beginning, rest):
    read_all(beginning + rest)


@pytest.mark.parametrize("name", WHOLE)
def test_no_mutation_of_an_honest_message_raises(name):
    chance = random.Random(name)
    for _ in range(400):
        stream = bytearray(WHOLE[name])
        for _ in range(chance.randint(1, 6)):
            at = chance.randrange(len(stream))
            match chance.randrange(4):
                case 0:
                    stream[at] = chance.randrange(256)
                case 1:
                    del stream[at : at + chance.randint(1, 9)]
                case 2:
                    stream[at:at] = chance.randbytes(chance.randint(1, 9))
                case _:
                    stream[at] ^= 1 << chance.randrange(8)
            stream = stream or bytearray(b"\x16")
        read_all(bytes(stream))


@settings(max_examples=500, deadline=None)
@given(st.lists(st.binary(max_size=80), max_size=4))
def test_no_frames_in_an_authentic_initial_raise(bodies):
    opening = read_initials([initial(body, number=number) for number, body in enumerate(bodies)])
    assert all(packet.authenticated for packet in opening.packets)
    assert all(close.reason.isprintable() for _, close in opening.closes)
