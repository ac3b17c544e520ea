"""Segments that push nothing, in the server's name and with the IP ID of the client's own packet.

A host sets PSH on data (RFC 9293 section 3.9.1.2) and counts its own IP IDs: whoever sends these made them from what
passed by. Iran's filter sends one before it drops the flow.
"""

from __future__ import annotations

import numpy as np

from captures.recording import Recording
from fingerprint.conversations.segments import ACK, FIN, PSH, RST, SYN, Segment
from fingerprint.conversations.streams import Stream

# The client's last packets among which the one is that was copied.
COPIED_PKTS = 3


def spotted(recording: Recording) -> frozenset[int]:
    """Flows with a segment that pushes nothing, and has an IP ID."""
    c = recording.columns
    pushes = (c.protocol == 6) & ((c.tcp_flags & (FIN | SYN | RST | PSH | ACK)) == (PSH | ACK))
    return frozenset(c.flow[np.flatnonzero(pushes & (c.payload_bytes == 0) & (c.ip_id != 0))].tolist())


def empty_pushes(stream: Stream) -> tuple[tuple[Segment, Segment], ...]:
    """(the client's packet, the push made of it), for each push in the server's name."""
    out, asked, own = [], list[Segment](), set[int]()
    for s in stream.head:
        if s.from_client:
            asked.append(s)
        elif s.flags & (FIN | SYN | RST | PSH | ACK) == (PSH | ACK) and not s.payload_bytes:
            model = next((a for a in reversed(asked[-COPIED_PKTS:]) if a.ip_id == s.ip_id != 0), None)
            if model is not None and s.ip_id not in own:
                out.append((model, s))
        else:
            own.add(s.ip_id)
    return tuple(out)
