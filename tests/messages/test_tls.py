"""Hand-built hellos, hellos of the standard library, and both sides of real handshakes made in memory."""

from __future__ import annotations

import contextlib
import datetime as dt
import ssl
import struct
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from fingerprint.messages.tls import client_hello, records, sni_of, tls_client_side, tls_server_side
from fingerprint.messages.tls_fingerprint import GREASE, ja4
from fingerprint.messages.tls_hello import RETRY_RANDOM


def vector(body: bytes, length_bytes: int) -> bytes:
    return len(body).to_bytes(length_bytes, "big") + body


def extension(kind: int, body: bytes) -> bytes:
    return struct.pack(">HH", kind, len(body)) + body


def server_name(name: bytes) -> bytes:
    return extension(0, vector(b"\0" + vector(name, 2), 2))


def hello_message(
    *extensions: bytes, suites: tuple[int, ...] = (0x1301, 0xC02F), session_id: bytes = b"s" * 32
) -> bytes:
    body = b"\x03\x03" + bytes(range(32)) + vector(session_id, 1)
    body += vector(struct.pack(f">{len(suites)}H", *suites), 2) + b"\x01\x00"
    if extensions:
        body += vector(b"".join(extensions), 2)
    return b"\x01" + vector(body, 3)


def record(body: bytes, kind: int = 22, version: int = 0x0301) -> bytes:
    return struct.pack(">BHH", kind, version, len(body)) + body


def in_records(message: bytes, size: int) -> bytes:
    return b"".join(record(message[i : i + size]) for i in range(0, len(message), size))


FULL = hello_message(
    extension(0x0A0A, b""),
    server_name(b"Example.ORG"),
    extension(16, vector(vector(b"h2", 1) + vector(b"http/1.1", 1), 2)),
    extension(43, vector(struct.pack(">3H", 0x1A1A, 0x0304, 0x0303), 1)),
    extension(10, vector(struct.pack(">3H", 0x2A2A, 0x001D, 0x0017), 2)),
    extension(11, b"\x01\x00"),
    extension(13, vector(struct.pack(">2H", 0x0403, 0x0804), 2)),
    suites=(0x3A3A, 0x1301, 0xC02F),
)


def test_a_hello_gives_all_its_lists_in_the_order_of_the_wire():
    hello = client_hello(record(FULL))
    assert hello.complete
    assert hello.size_bytes == len(FULL)
    assert hello.legacy_version == 0x0303
    assert hello.random == bytes(range(32))
    assert hello.session_id_bytes == 32
    assert hello.cipher_suites == (0x3A3A, 0x1301, 0xC02F)
    assert [kind for kind, _ in hello.extensions] == [0x0A0A, 0, 16, 43, 10, 11, 13]
    assert hello.sni == "example.org"
    assert hello.alpn == ("h2", "http/1.1")
    assert hello.supported_versions == (0x1A1A, 0x0304, 0x0303)
    assert hello.groups == (0x2A2A, 0x001D, 0x0017)
    assert hello.signature_algorithms == (0x0403, 0x0804)
    assert not hello.malformed


def test_ja3_leaves_grease_out():
    assert client_hello(record(FULL)).ja3 == "771,4865-49199,0-16-43-10-11-13,29-23,0"


def test_a_hello_without_extensions_has_empty_parts_in_ja3_and_zeros_in_ja4():
    hello = client_hello(record(hello_message(suites=(0x0035,))))
    assert hello.ja3 == "771,53,,,"
    assert hello.ja4.startswith("t12i010000_")
    assert hello.ja4.endswith("_000000000000")


@pytest.mark.parametrize("size", [1, 4, 37, 38, 100])
def test_a_hello_split_over_records_reads_as_if_it_were_whole(size):
    assert client_hello(in_records(FULL, size)) == client_hello(record(FULL))
    assert sni_of(in_records(FULL, size)) == "example.org"


def test_half_a_hello_says_so_and_shows_what_it_has():
    stream = record(FULL)
    cut = stream.index(b"ORG") + 3
    hello = client_hello(stream[:cut])
    assert not hello.complete
    assert hello.size_bytes == len(FULL)
    assert hello.sni == "example.org"
    assert client_hello(stream[: cut - 1]).sni is None
    assert not hello.malformed


def test_a_fast_look_finds_the_name_that_the_careful_one_finds_at_every_cut():
    stream = record(FULL)
    for cut in range(len(stream) + 1):
        hello = client_hello(stream[:cut])
        assert sni_of(stream[:cut]) == (hello.sni if hello else None)


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        (b"EXAMPLE.org.", "example.org"),
        (b"a\x1b[2J.org", "a\\x1b[2j.org"),
        (b"\xc3\xa9.org", "\\xc3\\xa9.org"),
        (b"", None),
        (b"x" * 300, None),
    ],
)
def test_a_name_is_printable_whatever_was_sent(sent, shown):
    assert client_hello(record(hello_message(server_name(sent)))).sni == shown


def test_an_outer_ech_is_present_and_an_inner_one_is_inner():
    outer = client_hello(record(hello_message(extension(0xFE0D, b"\x00\x00\x01\x00\x01\x07"))))
    inner = client_hello(record(hello_message(extension(0xFE0D, b"\x01"))))
    assert (outer.ech_present, outer.ech_inner, outer.esni_present) == (True, False, False)
    assert (inner.ech_present, inner.ech_inner) == (False, True)
    assert client_hello(record(hello_message(extension(0xFFCE, b"x")))).esni_present


def test_an_extension_longer_than_its_list_is_told_and_those_before_it_are_kept():
    body = server_name(b"a.org") + struct.pack(">HH", 16, 99)
    hello = client_hello(record(hello_message(body)))
    assert hello.sni == "a.org"
    assert [m.layer for m in hello.malformed] == ["tls.extensions"]


@pytest.mark.parametrize("stream", [b"", b"GET / HTTP/1.1\r\n\r\n", record(b"\x02" + bytes(60)), record(b"", kind=21)])
def test_other_beginnings_are_no_client_hello(stream):
    assert client_hello(stream) is None
    assert sni_of(stream) is None


# Published with the fingerprints that real clients gave: FoxIO's own sample with GREASE among the signatures.
def test_ja4_of_a_published_client_comes_out_as_published():
    suites = "1301,1302,1303,c02b,c02f,c02c,c030,cca9,cca8,c013,c014,009c,009d,002f,0035"
    kinds = "fe0d,0010,0017,0033,44cd,ff01,000a,000d,0023,002b,000b,ca34,002d,0000,0005,001b,0012"
    signatures = "0904,0905,0906,0403,0804,0401,0503,0805,0501,0806,0601"

    def numbers(listed):
        return [int(n, 16) for n in listed.split(",")]

    assert (
        ja4(
            over_quic=False,
            legacy_version=0x0303,
            supported_versions=[0x6A6A, 0x0304, 0x0303],
            cipher_suites=[0x5A5A, *numbers(suites)],
            extensions=[0x1A1A, *numbers(kinds), 0xBABA],
            alpn=b"h2",
            signature_algorithms=[0x3A3A, *numbers(signatures)],
        )
        == "t13d1517h2_8daaf6152771_cb7bf5808d99"
    )


@pytest.mark.parametrize(
    ("alpn", "ends"), [(b"", "00"), (b"h2", "h2"), (b"http/1.1", "h1"), (b"x", "xx"), (b"\xab", "ab"), (b"h\xff", "6f")]
)
def test_ja4_names_the_ends_of_the_first_protocol(alpn, ends):
    print_of = ja4(
        over_quic=True,
        legacy_version=0x0303,
        supported_versions=(),
        cipher_suites=(),
        extensions=(16,),
        alpn=alpn,
        signature_algorithms=(),
    )
    assert print_of[8:10] == ends
    assert print_of.startswith("q12i0001")


def test_grease_values_are_the_sixteen_of_the_rfc():
    assert len(GREASE) == 16
    assert {0x0A0A, 0xFAFA} <= GREASE


def server_hello_message(random: bytes, extensions: bytes = b"", version: bytes = b"\x03\x03") -> bytes:
    body = version + random + b"\x00" + b"\x13\x01" + b"\x00" + (vector(extensions, 2) if extensions else b"")
    return b"\x02" + vector(body, 3)


def test_a_retry_request_is_told_from_the_hello_that_follows_its_change_cipher_spec():
    chosen = extension(43, b"\x03\x04")
    stream = (
        record(server_hello_message(RETRY_RANDOM, chosen))
        + record(b"\x01", kind=20)
        + record(server_hello_message(b"r" * 32, chosen))
        + record(b"e" * 50, kind=23)
    )
    side = tls_server_side(stream)
    assert side.hello_retry_request.retry_request
    assert side.server_hello.random == b"r" * 32
    assert side.server_hello.version == 0x0304
    assert side.application_data_bytes == 50


def test_a_second_hello_after_a_change_cipher_spec_is_read():
    stream = record(FULL) + record(b"\x01", kind=20) + record(hello_message(server_name(b"again.org")))
    side = tls_client_side(stream)
    assert side.hello.sni == "example.org"
    assert side.second_hello.sni == "again.org"


def test_a_server_that_was_talked_down_says_so():
    side = tls_server_side(record(server_hello_message(b"r" * 24 + b"DOWNGRD\x01")))
    assert side.server_hello.talked_down
    assert side.server_hello.version == 0x0303


def test_a_draft_server_hello_has_neither_session_id_nor_compression():
    body = b"\x7f\x12" + b"r" * 32 + b"\x13\x01" + vector(extension(51, b"k"), 2)
    hello = tls_server_side(record(b"\x02" + vector(body, 3))).server_hello
    assert (hello.version, hello.cipher_suite, hello.extension(51)) == (0x7F12, 0x1301, b"k")


def test_alerts_in_plain_text_are_read_and_encrypted_ones_are_not():
    plain = tls_server_side(record(b"\x02\x70", kind=21))
    assert [(a.name, a.fatal) for a in plain.alerts] == [("unrecognized_name", True)]
    hidden = tls_server_side(record(b"\x01", kind=20) + record(b"\x01\x00" * 14, kind=21))
    assert hidden.alerts == ()
    assert hidden.has_change_cipher_spec


def test_what_is_no_tls_says_where_it_stopped_being_tls():
    side = tls_server_side(record(b"\x02\x28", kind=21) + b"HTTP/1.1 400 Bad Request\r\n\r\n")
    assert side.first_record_is_tls
    assert [(m.layer, m.at_byte) for m in side.malformed] == [("tls.record", 7)]
    assert not tls_server_side(b"HTTP/1.1 403 Forbidden\r\n\r\n").first_record_is_tls


def test_a_record_cut_by_the_end_is_given_as_far_as_it_goes():
    [only] = list(records(record(b"abcdef")[:-2]))
    assert (only.body, only.complete) == (b"abcd", False)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory) -> tuple[Path, bytes]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "example.org")])
    start = dt.datetime(2020, 5, 17, tzinfo=dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(17)
        .not_valid_before(start)
        .not_valid_after(start + dt.timedelta(days=36500))
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path, made.public_bytes(serialization.Encoding.DER)


def handshake(certificate: Path, version: ssl.TLSVersion) -> tuple[bytes, bytes]:
    """Both streams of a handshake and one message each way, no socket involved."""
    far = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    far.load_cert_chain(certificate)
    far.set_alpn_protocols(["h2"])
    near = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    near.check_hostname, near.verify_mode = False, ssl.CERT_NONE
    near.set_alpn_protocols(["h2", "http/1.1"])
    near.minimum_version = near.maximum_version = version
    pipes = [ssl.MemoryBIO() for _ in range(4)]
    client = near.wrap_bio(pipes[0], pipes[1], server_hostname="Example.org")
    server = far.wrap_bio(pipes[2], pipes[3], server_side=True)
    sent = [b"", b""]
    steps = [client.do_handshake, server.do_handshake] * 4 + [
        lambda: client.write(b"ask"),
        lambda: server.write(b"say"),
    ]
    for step in steps:
        with contextlib.suppress(ssl.SSLWantReadError):
            step()
        for side, (source, goal) in enumerate(((pipes[1], pipes[2]), (pipes[3], pipes[0]))):
            moved = source.read()
            sent[side] += moved
            goal.write(moved)
    return sent[0], sent[1]


def test_a_tls_1_2_handshake_shows_its_certificate(certificate):
    path, der = certificate
    asked, answered = handshake(path, ssl.TLSVersion.TLSv1_2)
    client, server = tls_client_side(asked), tls_server_side(answered)
    assert client.hello.sni == "example.org"
    assert client.hello.ja4.startswith("t12d")
    assert client.has_change_cipher_spec
    assert client.has_application_data
    assert server.server_hello.version == 0x0303
    assert server.server_hello.alpn == "h2"
    assert server.certificates == (der,)
    assert server.handshake_types == (2, 11, 12, 14, 4)
    assert server.has_application_data
    assert not server.malformed


def test_a_tls_1_3_handshake_hides_its_certificate(certificate):
    asked, answered = handshake(certificate[0], ssl.TLSVersion.TLSv1_3)
    client, server = tls_client_side(asked), tls_server_side(answered)
    assert client.hello.supported_versions == (0x0304,)
    assert client.hello.ja4.startswith("t13d")
    assert client.hello.ja4[8:10] == "h2"
    assert server.server_hello.version == 0x0304
    assert server.certificates == ()
    assert server.has_application_data
