"""A part of a recording keeps every packet's number, and every conversation whole."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import captures
from captures.part import conversations, only, parts
from fingerprint.capture import Capture

SAMPLE = Path(captures.__file__).parent / "samples" / "sni_forged_reset"


@pytest.fixture(scope="module")
def recording():
    return captures.read(next(SAMPLE.glob("capture.*")))


def test_packets_out_of_sight_take_no_part_and_the_others_keep_their_numbers(recording):
    streams = Capture(recordings=(recording,)).streams
    chosen = streams[1]
    rows = np.zeros(len(recording.columns), bool)
    rows[chosen.rows] = True
    left = Capture(recordings=(only(recording, rows),)).streams
    assert [[s.number for s in x.segments] for x in left] == [[s.number for s in chosen.segments]]
    assert left[0].name == chosen.name


def test_the_end_of_listening_is_the_whole_recordings(recording):
    assert only(recording, np.zeros(len(recording.columns), bool)).ended_ns == recording.ended_ns


def test_parts_hold_every_conversation_once_and_whole(recording):
    whole = Capture(recordings=(recording,)).streams
    span_s = (int(recording.columns.time_ns.max()) - int(recording.columns.time_ns.min())) / 1e9
    made = list(parts(recording, span_s / 5))
    assert len(made) > 1
    found = [tuple(s.rows) for part, _, _ in made for s in Capture(recordings=(part,)).streams]
    assert sorted(found) == sorted(tuple(s.rows) for s in whole)
    for part, from_ns, until_ns in made:
        for stream in Capture(recordings=(part,)).streams:
            assert from_ns <= stream.first_ns < until_ns


def test_a_conversation_begins_anew_after_two_minutes_of_silence(recording):
    began = conversations(recording)
    flow = recording.columns.flow
    mine = np.flatnonzero(flow == flow[flow >= 0][0])
    assert len(set(began[mine].tolist())) == 1
    assert (began[flow < 0] == -1).all()


def test_an_array_of_another_length_is_refused(recording):
    with pytest.raises(ValueError, match="tell about each"):
        only(recording, np.zeros(3, bool))
