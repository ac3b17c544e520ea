"""Each of the nineteen sequences from either end, and streams that are none of them."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from fingerprint.conversations.resets.sequences import SEQUENCES, SILENCE_S, sequence
from fingerprint.conversations.segments import Segment

FIN, SYN, RST, PSH, ACK = 0x01, 0x02, 0x04, 0x08, 0x10


def segment(at: int, who: str, flags: int, *, seq: int = 0, ack: int = 0, size: int = 0, raw_ack: int = 0) -> Segment:
    """A segment of a hand-made stream."""
    return Segment(0, at + 1, at * 10**6, who == "c", seq, ack, raw_ack, flags, 500, size, 50, 1, 2, 0, 0, 0, False, 0)


def stream(stage: str, resets: Sequence[tuple[int, int]], *, by: str) -> tuple[Segment, ...]:
    """A connection that came as far as ``stage`` and then met resets of (flags, acknowledgement) from ``by``."""
    out = [("c", SYN, 0, 0, 0)]
    if stage != "syn":
        out += [("s", SYN | ACK, 0, 1, 0), ("c", ACK, 1, 1, 0)]
    if stage in ("psh", "data"):
        out.append(("c", PSH | ACK, 1, 1, 300))
    if stage == "data":
        out += [("s", ACK, 1, 301, 0), ("c", PSH | ACK, 301, 1, 300)]
    made = [segment(i, who, f, seq=q, ack=a, size=n) for i, (who, f, q, a, n) in enumerate(out)]
    made += [segment(len(out) + i, by, f, seq=1, raw_ack=a) for i, (f, a) in enumerate(resets)]
    return tuple(made)


R, A = RST, RST | ACK
ENDS = {
    "SYN → ∅": ("syn", []),
    "SYN → RST": ("syn", [(R, 0)]),
    "SYN → RST+ACK": ("syn", [(A, 1)]),
    "SYN → RST;RST+ACK": ("syn", [(R, 0), (A, 1)]),
    "SYN;ACK → ∅": ("ack", []),
    "SYN;ACK → RST": ("ack", [(R, 0)]),
    "SYN;ACK → RST;RST": ("ack", [(R, 0), (R, 0)]),
    "SYN;ACK → RST+ACK": ("ack", [(A, 1)]),
    "SYN;ACK → RST+ACK;RST+ACK": ("ack", [(A, 1), (A, 1)]),
    "PSH → ∅": ("psh", []),
    "PSH → RST": ("psh", [(R, 0)]),
    "PSH → RST+ACK": ("psh", [(A, 1)]),
    "PSH → RST;RST+ACK": ("psh", [(R, 0), (A, 1), (A, 1)]),
    "PSH → RST+ACK;RST+ACK": ("psh", [(A, 1), (A, 1)]),
    "PSH → RST=RST": ("psh", [(R, 7), (R, 7)]),
    "PSH → RST≠RST": ("psh", [(R, 7), (R, 8)]),
    "PSH → RST;RST₀": ("psh", [(R, 7), (R, 0)]),
    "PSH;Data → RST": ("data", [(R, 0)]),
    "PSH;Data → RST+ACK": ("data", [(A, 1)]),
}


def test_the_table_has_the_studys_nineteen_rows() -> None:
    assert len(SEQUENCES) == 19
    assert set(ENDS) == set(SEQUENCES)
    assert all(row.doc for row in SEQUENCES.values())


@pytest.mark.parametrize("by", ["c", "s"])
@pytest.mark.parametrize("name", list(ENDS))
def test_each_sequence_is_named_from_either_end(name: str, by: str) -> None:
    stage, resets = ENDS[name]
    found = sequence(stream(stage, resets, by=by), resets_from_client=by == "c", listened_s=SILENCE_S)
    assert found is not None
    assert found[0] == name
    assert sum(s.is_reset for s in found[1]) == len(resets)


@pytest.mark.parametrize("stage", ["syn", "ack", "psh"])
def test_silence_counts_only_if_we_listened_long_enough(stage: str) -> None:
    assert sequence(stream(stage, [], by="c"), resets_from_client=True, listened_s=SILENCE_S - 0.1) is None


def test_a_connection_that_was_closed_first_is_none_of_them() -> None:
    closed = (*stream("psh", [], by="c"), segment(8, "c", FIN | ACK, seq=301, ack=1), segment(9, "c", RST, seq=302))
    assert sequence(closed, resets_from_client=True, listened_s=9) is None


def test_a_stream_that_begins_in_its_middle_is_none_of_them() -> None:
    assert sequence(stream("psh", [(R, 0)], by="s")[1:], resets_from_client=False, listened_s=9) is None


def test_an_answer_is_not_silence() -> None:
    answered = (*stream("psh", [], by="s"), segment(8, "s", PSH | ACK, seq=1, ack=301, size=900))
    assert sequence(answered, resets_from_client=False, listened_s=9) is None
    heard = (*answered, segment(9, "c", ACK, seq=301, ack=901))
    assert sequence(heard, resets_from_client=True, listened_s=9) is None
