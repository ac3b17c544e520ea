"""What the servers of the simulated path speak beside the web and DNS, and how payloads and datagrams fare."""

import asyncio
import os
import socket
import struct

import pytest

from fingerprint.lab.boxes.payload_filters import FirstBytesResetter, is_ssh
from fingerprint.lab.preset import Preset
from fingerprint.lab.simulated.carrier import SimulatedCarrier
from fingerprint.lab.world import PUBLIC_RESOLVER, SERVER_A, SERVER_B, Servers, router
from fingerprint.steps import Datagram, Hello, Payload, Request

aioquic = pytest.importorskip("aioquic.quic.connection", reason="aioquic is the client here")


@pytest.fixture
def do(tmp_path):
    def perform(message, listen_s=3.0, **servers):
        preset = Preset(name="none", says="", source="", boxes=lambda _: (), servers=Servers(**servers))
        carrier = SimulatedCarrier(preset, folder=tmp_path)
        return asyncio.run(carrier.perform(message, listen_s=listen_s))

    return perform


def initial(name):
    from aioquic.quic.configuration import QuicConfiguration

    client = aioquic.QuicConnection(configuration=QuicConfiguration(alpn_protocols=["h3"], server_name=name))
    client.connect((SERVER_A[0], 443), now=0.0)
    return client.datagrams_to_send(now=0.0)[0][0]


STUN = struct.pack("!HHI", 1, 0, 0x2112A442) + bytes(range(12))


@pytest.mark.parametrize("address", SERVER_A)
def test_a_stun_server_tells_the_client_its_own_port(do, address):
    replies = do(Datagram(address=address, port=3478, payload=STUN))
    assert (replies.outcome, replies.heard[:2]) == ("answered", b"\x01\x01")
    family, port = struct.unpack("!BH", replies.heard[25:28])
    assert port ^ 0x2112 == replies.local_port
    assert family == (2 if ":" in address else 1)
    masked = bytes(a ^ b for a, b in zip(replies.heard[28:], replies.heard[4:20], strict=False))
    kind = socket.AF_INET6 if family == 2 else socket.AF_INET
    assert socket.inet_ntop(kind, masked) in ("81.17.24.10", "2a0d:5600:24::10")


def test_a_stun_server_heeds_only_stun(do):
    assert do(Datagram(address=SERVER_A[0], port=3478, payload=b"hello" * 6)).outcome == "silent"


def test_a_datagram_to_a_port_where_nobody_listens_is_unreachable_and_not_repeated(do):
    replies = do(Datagram(address=SERVER_A[0], port=4444, payload=b"x" * 40, copies=3))
    assert (replies.outcome, replies.sent_bytes) == ("refused", 40)


def test_a_datagram_is_said_again_until_something_comes_back(do):
    assert do(Datagram(address=SERVER_A[0], port=8805, payload=b"x", copies=3)).sent_bytes == 1
    assert do(Datagram(address="203.0.113.9", port=8805, payload=b"x", copies=3, gap_s=0.5)).sent_bytes == 3


def test_a_datagram_dies_where_it_was_sent_to_die(do):
    replies = do(Datagram(address=SERVER_A[0], port=8805, payload=b"x", ttl_hops=2))
    assert (replies.outcome, replies.answers) == ("unreachable", (router(2)[0],))
    assert do(Datagram(address=SERVER_A[0], port=8805, payload=b"x", ttl_hops=2, copies=3)).sent_bytes == 1


@pytest.mark.parametrize("port", [443, 853])
def test_quic_is_spoken_where_a_real_client_hears_it(do, port):
    address = PUBLIC_RESOLVER[0] if port == 853 else SERVER_A[0]
    replies = do(Datagram(address=address, port=port, payload=initial("garden.test")))
    assert replies.outcome == "answered"
    assert replies.heard[0] & 0xF0 in (0xC0, 0xD0)
    assert replies.received_bytes > 1000


def test_an_unknown_version_is_negotiated(do):
    strange = bytearray(initial("garden.test"))
    strange[1:5] = b"\x1a\x2a\x3a\x4a"
    assert do(Datagram(address=SERVER_A[0], port=443, payload=bytes(strange))).heard[1:5] == bytes(4)


def test_a_server_without_quic_says_so_by_icmp(do):
    assert do(Datagram(address=SERVER_A[0], port=443, payload=initial("a.test")), quic=False).outcome == "refused"


def test_first_words_are_answered_taken_or_refused_by_what_listens(do):
    def said(port, payload):
        return do(Payload(address=SERVER_A[0], port=port, payload=payload)).outcome

    assert said(22, b"SSH-2.0-Go\r\n") == "answered"
    assert said(8388, os.urandom(200)) == "taken"
    assert said(1194, b"\0\x0e8" + bytes(12)) == "answered"
    assert said(4444, b"x") == "refused"


@pytest.mark.parametrize(
    ("preset", "ttl_hops", "outcome"),
    [("none", None, "answered"), ("ssh-drop", None, "silent"), ("none", 2, "silent"), ("ssh-reset", None, "reset")],
)
def test_a_server_that_speaks_first_has_answered_once_it_took_what_it_was_told(tmp_path, preset, ttl_hops, outcome):
    boxes = {"ssh-reset": (FirstBytesResetter(cuts=is_ssh),)}
    made = Preset(name=preset, says="", source="", boxes=lambda _: boxes[preset]) if preset in boxes else preset
    carrier = SimulatedCarrier(made, folder=tmp_path)
    message = Payload(address=SERVER_A[0], port=22, payload=b"SSH-2.0-Go\r\n", ttl_hops=ttl_hops)
    replies = asyncio.run(carrier.perform(message, listen_s=3.0))
    assert replies.outcome == outcome
    assert outcome == "reset" or replies.heard[:8] == b"SSH-2.0-"


def test_first_words_that_die_on_the_way_are_silent_and_their_router_is_named(do):
    replies = do(Payload(address=SERVER_A[0], port=8388, payload=b"x" * 90, ttl_hops=2))
    assert (replies.outcome, replies.answers) == ("silent", (router(2)[0],))


def test_a_resolver_offers_dns_over_tls_and_https(do):
    for port in (443, 853):
        assert do(Hello(address=PUBLIC_RESOLVER[0], port=port, name="lookup.test")).outcome == "answered"


def test_a_closed_port_is_refused_by_its_server_alone(do):
    replies = [
        do(Hello(address=address, port=port, name="herbs.test"), closed=frozenset({443})).outcome
        for address, port in ((SERVER_A[0], 443), (SERVER_B[0], 443), (SERVER_A[0], 9001))
    ]
    assert replies == ["refused", "answered", "answered"]


def test_each_name_has_its_own_page(tmp_path):
    def page(host):
        carrier = SimulatedCarrier("none", folder=tmp_path)
        heard, seen = [], carrier.network.tap
        carrier.network.tap = lambda packet: (heard.append(packet), seen(packet))
        asyncio.run(carrier.perform(Request(address=SERVER_A[0], host=host), listen_s=1.0))
        return b"".join(p.payload for p in heard if p.source == SERVER_A[0])

    herbs, forum = page("herbs.test"), page("Forum.test")
    assert (b"of herbs.test<" in herbs, b"of forum.test<" in forum, len(herbs)) == (True, True, len(forum))
    assert b"of nobody<" in page("elsewhere.example")


def test_a_server_may_refuse_a_name_by_status(do):
    replies = do(Request(address=SERVER_A[0], host="forum.test"), statuses={"forum.test": 451})
    assert (replies.outcome, replies.received_bytes < 400) == ("answered", True)
