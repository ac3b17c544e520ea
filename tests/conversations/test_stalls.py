"""Answers that stop in the middle, and answers that trickle: told from pauses of the server and of its reader."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from fingerprint.conversations.openings import opening
from fingerprint.conversations.transfers.starved import Starved, starved
from tests.conversations.resets_talk import ACK, FIN, PSH, RST, Talk


def _record(size_bytes: int) -> bytes:
    return b"\x17\x03\x03" + struct.pack("!H", size_bytes) + bytes(size_bytes)


def _answer(
    talk: Talk,
    arrivals: list[tuple[float, int]],
    content: bytes,
    *,
    at: float = 0,
    port: int = 40000,
    name: str = "news.example",
) -> int:
    """A hello, and the content as far as ``arrivals`` (ms after the hello, bytes by then) bring it; its end."""
    end = talk.asked(at, name=name, port=port)
    before = 0
    for when, upto in arrivals:
        talk.send(at + 42 + when, "s", PSH | ACK, seq=1 + before, ack=end, payload=content[before:upto], port=port)
        talk.send(at + 42 + when + 0.1, "c", ACK, seq=end, ack=1 + upto, port=port)
        before = upto
    return end


HELLO = b"\x16\x03\x03\x00\x7a" + bytes(122)


def _outcome(talk: Talk, folder: Path) -> str:
    return opening(talk.capture(folder).streams[0]).outcome


def test_a_server_that_stops_within_a_record_has_stalled(tmp_path: Path) -> None:
    talk = Talk()
    end = _answer(talk, [(41, 127), (42, 1500)], HELLO + _record(4000))
    talk.send(6_000, "c", RST | ACK, seq=end, ack=1501)
    assert _outcome(talk, tmp_path) == "stalled"


def test_a_server_that_stops_between_records_may_have_said_all_it_had(tmp_path: Path) -> None:
    content = HELLO + _record(1000)
    talk = Talk()
    end = _answer(talk, [(41, 127), (42, len(content))], content)
    talk.send(6_000, "c", RST | ACK, seq=end, ack=1 + len(content))
    assert _outcome(talk, tmp_path) == "answered"


def test_a_client_that_is_not_heard_any_more_shows_it_too(tmp_path: Path) -> None:
    talk = Talk()
    end = _answer(talk, [(41, 127)], HELLO)
    for wait in (100, 400, 1_000, 2_200):
        talk.send(90 + wait, "c", PSH | ACK, seq=end, ack=128, payload=b"\x17\x03\x03\0\x20" + bytes(32))
    assert _outcome(talk, tmp_path) == "stalled"


@pytest.mark.parametrize(("rest_ms", "outcome"), [(40, "stalled"), (4_000, "answered")])
def test_a_new_word_after_a_rest_is_not_heard_where_the_connection_was_forgotten(
    tmp_path: Path, rest_ms: float, outcome: str
) -> None:
    talk = Talk()
    content = HELLO + _record(900)
    end = _answer(talk, [(41, 127), (42, len(content))], content)
    for wait in (0, 200, 600, 1_400, 3_000):
        at = 84.1 + rest_ms + wait
        talk.send(at, "c", PSH | ACK, seq=end, ack=1 + len(content), payload=b"\x17\x03\x03\0\x20" + bytes(32))
    talk.send(40_000, "c", RST | ACK, seq=end + 37, ack=1 + len(content))
    assert _outcome(talk, tmp_path) == outcome


@pytest.mark.parametrize("how", ["soon", "closed", "slow"])
def test_what_is_no_stall(tmp_path: Path, how: str) -> None:
    talk, content = Talk(), HELLO + _record(4000)
    arrivals = [(41.0, 127), (42.0, 1500)] + ([(2_000.0, 2900)] if how == "slow" else [])
    end = _answer(talk, arrivals, content)
    if how == "closed":
        talk.send(100, "s", FIN | ACK, seq=1501, ack=end)
    talk.send(900 if how == "soon" else 4_500, "c", RST | ACK, seq=end, ack=1501)
    assert _outcome(talk, tmp_path) == "answered"


def test_what_comes_after_the_client_has_left_mends_no_stall(tmp_path: Path) -> None:
    talk = Talk()
    end = _answer(talk, [(41, 127), (42, 1500)], HELLO + _record(4000))
    talk.send(6_000, "c", RST | ACK, seq=end, ack=1501)
    talk.send(60_000, "s", PSH | ACK, seq=1501, ack=end, payload=bytes(1400))
    assert _outcome(talk, tmp_path) == "stalled"


def _turns(
    tmp_path: Path, content: bytes, slow: list[tuple[float, int]], fast: list[tuple[float, int]]
) -> list[Starved]:
    talk = Talk()
    for i in range(2):
        _answer(talk, fast, content, at=30_000 * i, port=40000 + i, name="park.example")
        end = _answer(talk, slow, content, at=30_000 * i + 9_000, port=41000 + i)
        talk.send(30_000 * i + 18_000, "c", RST | ACK, seq=end, ack=1 + slow[-1][1], port=41000 + i)
    return list(starved(talk.capture(tmp_path).streams))


FAST = [(41.0, 127), (42.0, 3000), (43.0, 6000), (44.0, 8132)]


def test_pauses_within_a_record_are_not_the_servers(tmp_path: Path) -> None:
    slow = [(41.0, 127), (42.0, 2000), (1_400.0, 3400), (3_800.0, 4800), (7_000.0, 6200)]
    found = _turns(tmp_path, HELLO + _record(8000), slow, FAST)
    assert [s.stream.name for s in found] == ["news.example"] * 2
    assert found[0].turns == 3


def test_a_server_that_writes_slowly_pauses_between_records(tmp_path: Path) -> None:
    content = HELLO + b"".join(_record(995) for _ in range(8))
    slow = [(41.0, 127)] + [(42.0 + 1_000 * i, 127 + 1000 * (i + 1)) for i in range(8)]
    assert _turns(tmp_path, content, slow, FAST) == []


def test_a_name_that_also_ran_free_does_not_trickle(tmp_path: Path) -> None:
    content = HELLO + _record(8000)
    slow = [(41.0, 127), (42.0, 2000), (1_400.0, 3400), (3_800.0, 4800), (7_000.0, 6200)]
    talk = Talk()
    _answer(talk, FAST, content, port=40000, name="park.example")
    _answer(talk, slow, content, at=9_000, port=41000)
    _answer(talk, FAST, content, at=20_000, port=42000)
    assert list(starved(talk.capture(tmp_path).streams)) == []


def test_where_every_name_trickles_none_is_held_back(tmp_path: Path) -> None:
    slow = [(41.0, 127), (42.0, 2000), (1_400.0, 3400), (3_800.0, 4800), (7_000.0, 6200)]
    assert _turns(tmp_path, HELLO + _record(8000), slow, slow) == []
