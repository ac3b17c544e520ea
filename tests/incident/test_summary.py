"""The summary on a terminal: words beside signs, no steering characters, no column that repeats another."""

from __future__ import annotations

import io

from fingerprint.incident import summary
from tests.incident.by_hand import account, incident, mechanism, rounds, target


def shown(found):
    out = io.StringIO()
    summary.write(found, out)
    return out.getvalue()


def test_every_cell_has_a_sign_and_a_word():
    slow = {"ways": [mechanism("tls.throttle.sni")], "reach": "degraded"}
    rows = {
        "a.test": "....bbbb",
        "b.test": "....bbbb",
        "c.test": "....dddd",
        "d.test": "........",
        "e.test": "????????",
    }
    text = shown(incident(rounds("Alpha", rows, **{"b.test": slow})))
    for word in ("✗ blocked", "~ slowed", "↓ down", "✓ works", "? cannot tell"):
        assert word in text


def test_vantages_that_read_alike_share_a_column_where_there_are_many():
    blocked = [rounds(f"B{n}", {"a.test": "....bbbb"}) for n in range(4)]
    fine = [rounds(f"F{n}", {"a.test": "........"}) for n in range(4)]
    text = shown(incident(*blocked, *fine))
    assert text.count("4 vantages:") == 2
    assert "4 vantages: B0, B1, B2, B3" in text
    few = shown(incident(*blocked[:2], *fine[:2]))
    assert "vantages:" not in few


def test_a_name_cannot_steer_the_terminal():
    hostile = target("\x1b[31mred\u202e.test", 0, "blocked", service="\x1b]0;title\x07", role="[bold]web[/x]")
    text = shown(incident([account("Al\x1bpha", [hostile])]))
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "[bold]web[/x]" in text


def test_where_the_stream_knows_no_signs_words_are_enough():
    out = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    summary.write(incident(rounds("Alpha", {"a.test": "....bbbb"})), out)
    out.flush()
    text = out.buffer.getvalue().decode("ascii")
    assert "x blocked" in text


def test_an_incident_of_nothing_is_shown_too():
    assert "Nobody can tell" in shown(incident([]))
