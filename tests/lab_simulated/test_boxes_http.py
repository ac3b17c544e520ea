"""Boxes that read plain requests: what goes on, what comes back, in whose headers."""

import pytest

from fingerprint.lab.boxes import plain_requests
from fingerprint.lab.boxes.plain_requests import Answering, Cache, Rewriting, Words
from fingerprint.lab.boxes.watching import Watch
from fingerprint.lab.censor import Drop, Inject, Pass, Rewrite
from fingerprint.lab.packet import ACK, FIN, PSH, RST, SYN
from tests.lab_simulated.talking import DOWN, UP, down, forged, shake, up


def get(host="forum.test", path="/"):
    return f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()


def asks(box, payload):
    shake(box)
    return box.inspect(up(payload), UP)


@pytest.mark.parametrize(
    ("host", "path", "one", "every"),
    [
        ("forum.test", "/june/5", True, True),
        ("forum.test", "/may", False, False),
        ("herbs.test", "/june", False, True),
        ("herbs.test", "/may", False, False),
    ],
)
def test_words_are_minded_in_the_request_line_alone(host, path, one, every):
    for under_all, minded in ((False, one), (True, every)):
        box = plain_requests.resets(Words(words=(b"/june",), under_all=under_all))
        assert isinstance(asks(box, get(host, path)), Inject) is minded
    elsewhere = get("forum.test", "/may")[:-2] + b"Referer: http://forum.test/june\r\n\r\n"
    assert isinstance(asks(plain_requests.resets(Words(words=(b"/june",), under_all=True)), elsewhere), Pass)


def test_a_page_comes_with_its_end_and_a_reset_behind_it():
    action = asks(plain_requests.pages(), get())
    page, reset = forged(action, DOWN)
    assert (page.flags, reset.flags, reset.seq) == (FIN | PSH | ACK, RST, page.end)
    assert page.payload.startswith(b"HTTP/1.1 403")
    assert forged(action, UP) == []


def test_whoever_answers_himself_keeps_the_connection():
    box = Answering()
    action = asks(box, get())
    assert action.drop
    (page,) = forged(action, DOWN)
    assert page.ack == up(get()).end
    assert isinstance(box.inspect(down(b"HTTP/1.1 200 OK\r\n\r\n"), DOWN), Drop)
    assert isinstance(box.inspect(up(b"more"), UP), Drop)
    goodbye = box.inspect(up(b"", flags=FIN | ACK), UP)
    assert [p.flags for p in forged(goodbye, DOWN)] == [ACK]


def test_other_hosts_pass_him_by():
    box = Answering()
    assert isinstance(asks(box, get("herbs.test")), Pass)
    assert isinstance(box.inspect(down(b"HTTP/1.1 200 OK\r\n\r\n"), DOWN), Pass)


def test_a_rewritten_answer_keeps_the_servers_headers():
    box = Rewriting()
    assert isinstance(asks(box, get()), Pass)
    true = down(b"HTTP/1.1 200 OK\r\n\r\n<html>the forum</html>", ttl=49, ip_id=4711)
    action = box.inspect(true, DOWN)
    assert isinstance(action, Rewrite)
    shown = action.packet
    assert (shown.ttl, shown.ip_id, shown.seq, shown.options) == (true.ttl, true.ip_id, true.seq, true.options)
    assert b"10.10.34.34" in shown.payload
    assert isinstance(box.inspect(down(b"more of it"), DOWN), Drop)
    assert isinstance(box.inspect(down(b"", flags=ACK), DOWN), Pass)


def test_a_cache_opens_the_connection_itself():
    box = Cache()
    offered = forged(box.inspect(up(b"", flags=SYN, dport=80), UP), DOWN)
    assert [p.flags for p in offered] == [SYN | ACK]
    (page,) = forged(box.inspect(up(get("herbs.test"), dport=80), UP), DOWN)
    assert b"\r\nVia: 1.1 " in page.payload
    assert isinstance(box.inspect(up(b"", flags=SYN, dport=443), UP), Pass)


def test_only_requests_in_the_clear_are_read():
    box = plain_requests.resets(Watch(reads=("host",)))
    assert isinstance(asks(box, b"\x16\x03\x01\x00\x05forum.test"), Pass)
