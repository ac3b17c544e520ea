"""First words: each fate of a client's first packet, and how likely failures fall together by chance."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from fingerprint.conversations.first_words import chance, first_words
from tests.conversations.resets_talk import ACK, FIN, PSH, RST, Talk

WORDS = bytes(range(128, 168))
END = 1 + len(WORDS)


def _asked(t: Talk) -> Talk:
    return t.handshake().send(42, "c", PSH | ACK, seq=1, ack=1, payload=WORDS)


def _answered(t: Talk) -> None:
    _asked(t).send(83, "s", PSH | ACK, seq=1, ack=END, payload=b"well")


def _taken(t: Talk) -> None:
    _asked(t).send(83, "s", ACK, seq=1, ack=END)


def _closed(t: Talk) -> None:
    _asked(t).send(83, "s", FIN | ACK, seq=1, ack=END)


def _reset(t: Talk) -> None:
    _asked(t).send(83, "s", RST | ACK, seq=1, ack=END)


def _greeted_and_reset(t: Talk) -> None:
    t.handshake().send(41, "s", PSH | ACK, seq=1, ack=1, payload=b"SSH-2.0-x\r\n")
    t.send(42, "c", PSH | ACK, seq=1, ack=12, payload=WORDS).send(83, "s", RST | ACK, seq=12, ack=END)


def _unheard(t: Talk) -> None:
    _asked(t)
    for at in (300, 900, 2100):
        t.send(at, "c", PSH | ACK, seq=1, ack=1, payload=WORDS)


def _greeted_and_unheard(t: Talk) -> None:
    t.handshake().send(41, "s", PSH | ACK, seq=1, ack=1, payload=b"SSH-2.0-x\r\n")
    for at in (42, 300, 900, 2100):
        t.send(at, "c", PSH | ACK, seq=1, ack=12, payload=WORDS)


def _deaf(t: Talk) -> None:
    _taken(t)
    for at in (200, 600, 1400, 3000):
        t.send(at, "c", FIN | ACK, seq=END, ack=1)


def _sent_once(t: Talk) -> None:
    _asked(t)


def _left_first(t: Talk) -> None:
    _taken(t)
    t.send(200, "c", FIN | ACK, seq=END, ack=1).send(240, "s", RST | ACK, seq=1, ack=END + 1)


@pytest.mark.parametrize(
    ("happens", "outcome"),
    [
        (_answered, "answered"),
        (_taken, "taken"),
        (_closed, "closed"),
        (_reset, "reset"),
        (_greeted_and_reset, "reset"),
        (_unheard, "unheard"),
        (_greeted_and_unheard, "unheard"),
        (_deaf, "deaf"),
        (_sent_once, "abandoned"),
        (_left_first, "taken"),
    ],
)
def test_what_became_of_the_first_words(happens: Callable[[Talk], None], outcome: str, tmp_path: Path) -> None:
    talk = Talk()
    happens(talk)
    (stream,) = talk.capture(tmp_path).streams
    words = first_words(stream)
    assert words is not None
    assert (words.outcome, words.payload, words.kind) == (outcome, WORDS, "unknown")


def test_failures_among_what_is_alike_by_chance() -> None:
    assert chance(2, 2, 2) == pytest.approx(1 / 6)
    assert chance(2, 2, 3) == pytest.approx(1 / 10)
    assert chance(4, 12, 12) < 0.05
    assert chance(0, 3, 3) == 1.0
