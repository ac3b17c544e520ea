"""Openings: each outcome from packets, and its nearest neighbour told apart."""

from __future__ import annotations

from pathlib import Path

import pytest

from fingerprint.conversations.openings import opening
from tests.conversations.resets_talk import ACK, FIN, PSH, RST, SYN, Talk, hello

NAME = "news.example"


def _unanswered(t: Talk) -> None:
    t.send(0, "c", SYN, seq=0).send(1000, "c", SYN, seq=0)


def _refused(t: Talk) -> None:
    t.send(0, "c", SYN, seq=0).send(40, "s", RST | ACK, seq=0, ack=1)


def _half_open(t: Talk) -> None:
    t.handshake()


def _answered(t: Talk) -> None:
    end = t.asked()
    t.send(83, "s", PSH | ACK, seq=1, ack=end, payload=b"\x16\x03\x03\0\x01\x02")


def _alert(t: Talk) -> None:
    end = t.asked()
    t.send(83, "s", PSH | ACK, seq=1, ack=end, payload=bytes.fromhex("15030300020228"))


def _unacknowledged(t: Talk) -> None:
    t.asked()
    for at in (300, 900, 2100):
        t.send(at, "c", PSH | ACK, seq=1, ack=1, payload=hello(NAME))


def _part(t: Talk) -> None:
    t.handshake()
    whole = hello(NAME)
    t.send(42, "c", PSH | ACK, seq=1, ack=1, payload=whole[:30])
    t.send(42.1, "c", PSH | ACK, seq=31, ack=1, payload=whole[30:])
    t.send(83, "s", ACK, seq=1, ack=31)
    t.send(400, "c", PSH | ACK, seq=31, ack=1, payload=whole[30:])
    t.send(1600, "c", PSH | ACK, seq=31, ack=1, payload=whole[30:])


def _silent(t: Talk) -> None:
    end = t.asked()
    t.send(83, "s", ACK, seq=1, ack=end)
    t.send(9000, "c", ACK, seq=end, ack=1)


def _reset(t: Talk) -> None:
    end = t.asked()
    t.send(50, "s", RST | ACK, seq=1, ack=end)


def _closed(t: Talk) -> None:
    end = t.asked()
    t.send(83, "s", FIN | ACK, seq=1, ack=end)


def _abandoned(t: Talk) -> None:
    end = t.asked()
    t.send(120, "c", RST | ACK, seq=end, ack=1)
    t.send(83, "s", ACK, seq=1, ack=end)


def _unseen(t: Talk) -> None:
    t.send(0, "c", PSH | ACK, seq=1, ack=1, payload=hello(NAME))


@pytest.mark.parametrize(
    ("outcome", "talk"),
    [
        ("unanswered", _unanswered), ("refused", _refused), ("half-open", _half_open), ("answered", _answered),
        ("alert", _alert), ("unacknowledged", _unacknowledged), ("part-acknowledged", _part), ("silent", _silent),
        ("reset", _reset), ("closed", _closed), ("abandoned", _abandoned), ("unseen", _unseen),
    ],
)  # fmt: skip
def test_each_outcome_is_told_from_its_packets(outcome: str, talk: object, tmp_path: Path) -> None:
    t = Talk()
    talk(t)  # type: ignore[operator]
    (stream,) = t.capture(tmp_path).streams
    assert opening(stream).outcome == outcome


@pytest.mark.parametrize(("silent_s", "outcome"), [(0.3, "unfinished"), (1.5, "unacknowledged")])
def test_a_recording_that_ends_too_soon_shows_no_silence(silent_s: float, outcome: str, tmp_path: Path) -> None:
    t = Talk()
    t.asked()
    t.works(42 + 1000 * silent_s - 84, port=41000)
    (first, _) = t.capture(tmp_path).streams
    assert opening(first).outcome == outcome


@pytest.mark.parametrize("repeated", [True, False])
def test_what_was_sent_again_was_due_however_soon_the_recording_ends(repeated: bool, tmp_path: Path) -> None:
    t = Talk().send(0, "c", SYN, seq=0)
    if repeated:
        t.send(400, "c", SYN, seq=0)
    t.works(500, port=41000)
    (first, _) = t.capture(tmp_path).streams
    assert opening(first).outcome == ("unanswered" if repeated else "unfinished")


def test_copies_of_the_hello_are_counted_with_the_first(tmp_path: Path) -> None:
    t = Talk()
    _unacknowledged(t)
    first = opening(t.capture(tmp_path).streams[0])
    assert (first.copies, round(first.span_s, 2)) == (4, 2.06)


def test_a_server_that_speaks_without_the_hello_is_a_sign_of_life(tmp_path: Path) -> None:
    t = Talk()
    _unacknowledged(t)
    t.send(3000, "s", ACK, seq=1, ack=1)
    first = opening(t.capture(tmp_path).streams[0])
    assert len(first.signs_of_life) == 1


def test_an_answer_after_the_reset_leaves_the_reset_as_outcome(tmp_path: Path) -> None:
    t = Talk()
    end = t.asked()
    t.send(50, "s", RST | ACK, seq=1, ack=end)
    t.send(83, "s", PSH | ACK, seq=1, ack=end, payload=b"\x16\x03\x03\0\x01\x02")
    assert opening(t.capture(tmp_path).streams[0]).outcome == "reset"
