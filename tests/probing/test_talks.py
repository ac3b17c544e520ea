"""Conversations without IO, against a real TLS server in memory and against anything else."""

from __future__ import annotations

import datetime as dt
import ssl
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from dns.message import from_wire, make_response
from dns.rrset import from_text
from hypothesis import given, settings
from hypothesis import strategies as st

from fingerprint.messages.tls import client_hello, records
from fingerprint.probing import hellos
from fingerprint.probing.talks import decoy, said, talk
from fingerprint.steps import FORMS, Datagram, Decoy, Handshake, Hello, Payload, Query, Request, Transfer

ADDRESS = "45.83.220.10"
SHORT, LONG = "a.test", "a-rather-long-name.of-several.labels.example"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "forum.test")])
    now = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(now).not_valid_after(now + dt.timedelta(days=30))
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    return path


class Server:
    """A TLS server in memory that answers one request."""

    def __init__(self, certificate: Path, answer: bytes, *, refuses: bool = False) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        context.set_alpn_protocols(["http/1.1"])
        self.named: str | None = None

        def look(_, name, __):
            self.named = name
            return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME if refuses else None

        context.sni_callback = look
        self.coming, self.going = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.coming, self.going, server_side=True)
        self.answer, self.heard = answer, b""
        self.shaken = False

    def hear(self, data: bytes) -> bytes:
        self.coming.write(data)
        try:
            if not self.shaken:
                self.tls.do_handshake()
                self.shaken = True
            while True:
                self.heard += self.tls.read(65536)
                if self.answer and b"\r\n\r\n" in self.heard:
                    self.tls.write(self.answer)
                    self.answer = b""
        except ssl.SSLError:
            pass
        return self.going.read()


def converse(talked, server: Server, turns: int = 8) -> list[bytes]:
    """Everything the client wrote."""
    written, writing = [], list(talked.open())
    for _ in range(turns):
        written += writing
        heard = server.hear(b"".join(writing))
        writing = list(talked.feed(heard)) if heard else []
        if talked.done:
            break
    return written


PAGE = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


@pytest.mark.parametrize("form", [f for f in FORMS if f != "ech"])
def test_a_handshake_finishes_and_a_page_is_read_in_every_form_that_can(certificate, form):
    server = Server(certificate, PAGE)
    talked = talk(Hello(address=ADDRESS, name="forum.test", form=form), 7)
    converse(talked, server)
    assert talked.done
    assert talked.outcome == "answered"
    assert server.heard.startswith(b"GET / HTTP/1.1\r\nHost: ")
    wanted = {"no-name": None, "mixed-case": "fOrUm.tEsT", "trailing-dot": "forum.test."}
    assert server.named == wanted.get(form, "forum.test")


def test_an_ech_hello_is_done_at_the_servers_first_flight(certificate, monkeypatch):
    monkeypatch.setattr(hellos, "library", lambda: "stdlib")
    server = Server(certificate, PAGE)
    talked = talk(Hello(address=ADDRESS, name="forum.test", form="ech"), 7)
    (hello,) = talked.open()
    assert client_hello(hello).extension(0xFE0D) is not None
    assert len(hello) == hellos.SMALL_BYTES
    talked.feed(server.hear(hello))
    assert (talked.done, talked.outcome) == (True, "answered")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("size_bytes", [None, 700, 1200, 2017])
def test_control_and_trigger_differ_in_nothing_but_the_name(form, size_bytes):
    made = [talk(Hello(address=ADDRESS, name=n, form=form, size_bytes=size_bytes), 7).open() for n in (SHORT, LONG)]
    if form not in ("split-at-name", "record-split"):  # those are cut inside the name, wherever that is
        assert [len(p) for p in made[0]] == [len(p) for p in made[1]]
    one, other = (client_hello(b"".join(pieces)) for pieces in made)
    assert len(b"".join(made[0])) == len(b"".join(made[1]))
    assert one.ja4 == other.ja4
    if form == "no-name":
        assert one.sni is other.sni is None
    else:
        assert one.sni == SHORT
        assert other.sni == LONG


def test_forms_are_cut_where_they_say():
    split = talk(Hello(address=ADDRESS, name=LONG, form="split-at-name"), 1).open()
    assert len(split) == 2
    assert all(LONG.encode() not in piece for piece in split)
    assert LONG.encode() in b"".join(split)
    (two,) = talk(Hello(address=ADDRESS, name=LONG, form="record-split"), 1).open()
    assert len(list(records(two))) == 2
    assert LONG.encode() not in two
    large = talk(Hello(address=ADDRESS, name=LONG, form="large"), 1).open()
    assert [len(p) for p in large] == [1150, 867]


def test_the_same_seed_gives_the_same_filler():
    def alpn(seed):
        made = hellos.Tls(SHORT, size_bytes=hellos.SMALL_BYTES, seed=seed, using="stdlib")
        return client_hello(made.hello).alpn

    assert alpn(3) == alpn(3) != alpn(4)
    assert alpn(3)[0] == "http/1.1"


@pytest.mark.parametrize("size_bytes", [hellos.SMALL_BYTES, hellos.LARGE_BYTES])
def test_a_browsers_hello_is_as_long_for_every_name(certificate, size_bytes):
    pytest.importorskip("utls", reason="the optional library for browsers' hellos is not installed")
    made = [hellos.Tls(name, size_bytes=size_bytes, seed=1, using="utls") for name in (SHORT, LONG)]
    assert [len(m.hello) for m in made] == [size_bytes] * 2
    one, other = (client_hello(m.hello) for m in made)
    assert one.ja4 == other.ja4
    assert (one.sni, other.sni) == (SHORT, LONG)


def test_a_refusal_is_an_alert(certificate):
    server = Server(certificate, PAGE, refuses=True)
    talked = talk(Hello(address=ADDRESS, name="forum.test"), 7)
    converse(talked, server)
    assert (talked.done, talked.outcome) == (True, "alert")


def test_http_in_the_place_of_tls_is_garbled():
    talked = talk(Hello(address=ADDRESS, name="forum.test"), 7)
    talked.open()
    talked.feed(b"HTTP/1.1 403 Forbidden\r\n\r\n")
    assert (talked.done, talked.outcome) == (True, "garbled")


def test_a_download_stops_at_its_size_and_an_upload_says_all_of_it(certificate):
    body = bytes(200_000)
    server = Server(certificate, b"HTTP/1.1 200 OK\r\nContent-Length: 900000\r\n\r\n" + body)
    talked = talk(Transfer(address=ADDRESS, name="forum.test", path="/big", size_bytes=100_000), 7)
    converse(talked, server)
    assert talked.done
    assert 100_000 < talked.received_bytes < 220_000
    server = Server(certificate, b"")
    talked = talk(Transfer(address=ADDRESS, name="forum.test", size_bytes=100_000, upload=True), 7)
    converse(talked, server)
    head, _, sent = server.heard.partition(b"\r\n\r\n")
    assert b"Content-Length: 100000" in head
    assert len(sent) == 100_000
    assert not talked.done
    talked.feed(_record(server, PAGE))
    assert talked.done


def _record(server: Server, data: bytes) -> bytes:
    server.tls.write(data)
    return server.going.read()


def test_requests_for_two_names_are_equally_long():
    made = [talk(Request(address=ADDRESS, host=n, path="/x"), 1).open() for n in (SHORT, LONG)]
    assert len(made[0][0]) == len(made[1][0])
    talked = talk(Request(address=ADDRESS, host=SHORT), 1)
    for part in (b"HTTP/1.1 200 OK\r\nContent-Le", b"ngth: 3\r\n\r", b"\nab"):
        talked.feed(part)
        assert not talked.done
    talked.feed(b"c")
    assert (talked.done, talked.outcome) == (True, "answered")


def test_a_chunked_page_ends_with_its_last_chunk():
    talked = talk(Request(address=ADDRESS, host=SHORT), 1)
    talked.feed(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r")
    assert not talked.done
    talked.feed(b"\n")
    assert talked.done


@pytest.mark.parametrize("over", ["udp", "tcp"])
def test_a_query_gives_its_answers(over):
    talked = talk(Query(resolver=ADDRESS, name="forum.test", rtype="AAAA", over=over), 5)
    (asked,) = talked.open()
    wire = asked[2:] if over == "tcp" else asked
    answer = make_response(from_wire(wire))
    answer.answer.append(from_text("forum.test.", 60, "IN", "AAAA", "2a0e:97c0:220::10"))
    said_bytes = answer.to_wire()
    if over == "tcp":
        said_bytes = len(said_bytes).to_bytes(2, "big") + said_bytes
        talked.feed(said_bytes[:7])
        assert not talked.done
        said_bytes = said_bytes[7:]
    talked.feed(said_bytes)
    assert (talked.done, talked.outcome, talked.answers) == (True, "answered", ("2a0e:97c0:220::10",))


def test_an_answer_to_another_query_is_none():
    talked = talk(Query(resolver=ADDRESS, name="forum.test"), 5)
    talked.feed(b"\0" * 40)
    assert (talked.done, talked.outcome) == (False, "garbled")


def test_a_decoy_is_as_long_as_what_it_stands_for():
    message = Hello(address=ADDRESS, name=LONG, decoy=Decoy(name=SHORT, ttl_hops=3))
    (real,) = talk(message, 1).open()
    false = decoy(message, real, 1)
    assert len(false) == len(real)
    assert client_hello(false).sni == SHORT
    plain = Transfer(address=ADDRESS, name=LONG, secure=False, decoy=Decoy(name=SHORT, ttl_hops=3))
    (real,) = talk(plain, 1).open()
    assert len(decoy(plain, real, 1)) == len(real)


def test_outcomes_by_how_a_connection_ended():
    hello, transfer = Hello(address=ADDRESS, name=SHORT), Transfer(address=ADDRESS, name=SHORT)
    quiet = talk(hello, 1)
    assert [said(hello, quiet, how) for how in ("time", "reset", "fin")] == ["silent", "reset", "closed"]
    begun = talk(hello, 1)
    begun.feed(b"\x16\x03\x03\x00\x7a\x02")
    assert said(hello, begun, "time") == "stalled"
    moving = talk(transfer, 1)
    moving.feed(b"\x16\x03\x03\x00\x7a\x02")
    assert said(transfer, moving, "time") == "slow"
    handshake = Handshake(address=ADDRESS)
    assert said(handshake, talk(handshake, 1), "done") == "answered"


def test_first_words_are_answered_only_by_whom_they_reached():
    payload = Payload(address=ADDRESS, port=22, payload=b"SSH-2.0-Go\r\n")

    def outcomes(heard, *, acknowledged):
        talked = talk(payload, 1)
        assert talked.open() == (payload.payload,)
        for part in heard:
            talked.feed(part)
        return [said(payload, talked, how, acknowledged=acknowledged) for how in ("done", "time", "reset", "fin")]

    assert outcomes([], acknowledged=True)[1:] == ["taken", "reset", "closed"]
    assert outcomes([], acknowledged=False)[1:] == ["silent", "reset", "closed"]
    assert outcomes([b"SSH-2.0-x\r\n"], acknowledged=True) == ["answered", "answered", "reset", "answered"]
    assert outcomes([b"SSH-2.0-x\r\n"], acknowledged=False) == ["silent", "silent", "reset", "closed"]


def test_a_datagram_keeps_the_first_thing_that_comes_back():
    talked = talk(Datagram(address=ADDRESS, port=443, payload=b"one"), 1)
    assert (talked.open(), talked.done, talked.outcome) == ((b"one",), False, "silent")
    for part in (b"two", b"three"):
        talked.feed(part)
    assert (talked.heard, talked.received_bytes, talked.done, talked.outcome) == (b"two", 8, True, "answered")


MESSAGES = (
    Hello(address=ADDRESS, name=SHORT),
    Hello(address=ADDRESS, name=SHORT, form="ech"),
    Transfer(address=ADDRESS, name=SHORT),
    Transfer(address=ADDRESS, name=SHORT, secure=False),
    Request(address=ADDRESS, host=SHORT),
    Query(resolver=ADDRESS, name=SHORT),
    Query(resolver=ADDRESS, name=SHORT, over="tcp"),
    Handshake(address=ADDRESS),
    Payload(address=ADDRESS, port=22, payload=b"SSH-2.0-Go\r\n"),
    Datagram(address=ADDRESS, port=443, payload=bytes(1200)),
)
BEGINNINGS = (b"", b"\x16\x03\x03", b"\x15\x03\x03\x00\x02", b"HTTP/1.1 ", b"\x00\x10", b"HTTP/1.1 200 OK\r\n\r\n")


@given(st.sampled_from(MESSAGES), st.sampled_from(BEGINNINGS), st.lists(st.binary(max_size=300), max_size=4))
@settings(max_examples=150, deadline=None)
def test_whatever_is_heard_a_conversation_goes_on(message, beginning, heard):
    talked = talk(message, 3)
    talked.open()
    for part in (beginning, *heard):
        talked.feed(part)
        for how in ("done", "fin", "reset", "time"):
            assert said(message, talked, how)
