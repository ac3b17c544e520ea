"""Flows with a FIN or a TLS alert before their sender's first other payload, found for a whole recording at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from captures.columns import Mark
from captures.recording import Recording
from fingerprint.conversations.segments import FIN, RST, SYN


def spotted(recording: Recording) -> frozenset[int]:
    """Flows in which a side that was asked something closed, or sent an alert, before it said anything else.

    Candidates only: file order stands for time, and which side asked is left to the one who looks.
    """
    c = recording.columns
    tcp = np.flatnonzero((c.protocol == 6) & (c.flow >= 0))
    if not len(tcp):
        return frozenset()
    side: NDArray[np.int64] = c.flow[tcp].astype(np.int64) * 2 + c.direction[tcp]
    flags, marks = c.tcp_flags[tcp], c.mark[tcp]
    spoken = (c.payload_bytes[tcp] > 0) & ((flags & (SYN | RST)) == 0)
    closes = ((flags & FIN) != 0) & ~spoken
    alert = spoken & (marks == int(Mark.TLS_ALERT))
    first_word = _first(side, spoken)
    first_close = _first(side, closes | alert)
    out = set()
    for key, at in first_close.items():
        said = first_word.get(key)
        if said is None or said >= at:
            out.add(key)
    # A side that merely closes while nobody has spoken is an empty connection, not an answer to a request.
    return frozenset(key // 2 for key in out if key ^ 1 in first_word)


def _first(side: NDArray[np.int64], mask: NDArray[np.bool_]) -> dict[int, int]:
    """Key of flow and direction → position of its first packet in the mask."""
    at = np.flatnonzero(mask)
    keys, index = np.unique(side[at], return_index=True)
    return dict(zip(keys.tolist(), at[index].tolist(), strict=True))
