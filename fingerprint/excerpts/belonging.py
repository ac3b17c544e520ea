"""Which packets of a recording belong together: conversations, the answers that led to them, the errors about them."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from captures.part import conversations
from captures.recording import Recording
from fingerprint.capture import Capture
from fingerprint.conversations.path.quotations import about
from fingerprint.conversations.streams import address_text

Rows = NDArray[np.bool_]


def whole(recording: Recording, numbers: Iterable[int]) -> Rows:
    """One bool a packet: the conversations of the packets with these numbers, whole; what has none, by itself.

    An ICMP error stands for the conversation that it quotes. Raises IndexError for a packet that does not exist.
    """
    starts, out = conversations(recording), np.zeros(len(recording.columns), bool)
    rows = np.fromiter((n - 1 for n in numbers), np.int64)
    out[rows] = True
    quoted = [row for error, row in about(recording) if out[error]]
    wanted = starts[np.concatenate((rows, np.asarray(quoted, np.int64)))]
    return out | (np.isin(starts, wanted[wanted >= 0]) & (starts >= 0))


def with_belongings(recording: Recording, rows: Rows) -> Rows:
    """The rows, the lookups that named their servers or asked for their names, and the ICMP errors about them."""
    out = rows.copy()
    capture = Capture(recordings=(recording,))
    addresses, names = servers(recording, rows), asked_for(capture, rows)
    starts = conversations(recording)
    named = [
        starts[lookup.packets[0].number - 1]
        for lookup in capture.lookups
        if lookup.name in names or addresses.intersection(lookup.addresses)
    ]
    out |= np.isin(starts, np.asarray(named, np.int64)) & (starts >= 0)
    errors = [error for error, row in about(recording) if out[row]]
    out[errors] = True
    return with_fragments(recording, out)


def with_fragments(recording: Recording, rows: Rows) -> Rows:
    """The rows, and the later fragments of every datagram among them."""
    out = rows.copy()
    for first, rest in recording.fragments.items():
        if rows[first]:
            out[list(rest)] = True
    return out


def servers(recording: Recording, rows: Rows) -> set[str]:
    """The addresses that conversations among the rows went to, and came from."""
    c, f = recording.columns, recording.flows
    flows = np.unique(c.flow[rows & (c.flow >= 0)]).tolist()
    return {
        address_text(side[flow].tobytes(), int(f.family[flow])) for flow in flows for side in (f.address_a, f.address_b)
    }


def asked_for(capture: Capture, rows: Rows) -> set[str]:
    """The names that conversations among the rows asked for: SNI, Host and QNAME."""
    streams = {s.name for s in capture.streams if rows[s.rows[0]]}
    quic = {q.name for q in capture.quic if rows[q.rows[0]]}
    asked = {x.name for x in capture.lookups if rows[x.packets[0].number - 1]}
    return {name for name in streams | quic | asked if name}
