"""A server that completes handshakes and takes up none of the connections: its queue of them is full.

Linux completes handshakes for a program that has stopped accepting, and acknowledges what comes, until the queue is
full; the connections that were being set up at that moment look complete to the client and are never heard, and the
SYNs after them are dropped (tcp(7), tcp_abort_on_overflow). One name, one address, hellos without acknowledgement: by
that alone a censor who drops them looks the same. He does not let one of them be acknowledged, though, and what he
drops does not all begin in one burst.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from fingerprint.conversations.openings import Opening
from fingerprint.conversations.segments import SYN
from fingerprint.conversations.streams import Stream

# RFC 6298 section 2.1: what begins within the first time-out meets one and the same moment of the server.
BURST_S = 1.0
# As for controls: what lies further apart may be another state of the server.
BESIDE_S = 60.0


def full_queue(failed: Sequence[Opening], beside: Iterable[Stream]) -> bool:
    """Whether a full queue explains the unheard requests to one place.

    Nobody is answered there in the whole capture; and one of the requests was acknowledged and its connection lived on
    without an answer, or all of them began in one burst, beside SYNs that nobody answered.
    """
    unheard = [o for o in failed if o.outcome == "unacknowledged"]
    if not unheard:
        return False
    client, server = unheard[0].stream.client.address, unheard[0].stream.server
    here = [s for s in beside if s.client.address == client and s.server == server]
    if any(s.server_bytes for s in here):
        return False
    if any(o.outcome == "silent" and not o.unheard for o in failed):
        return True
    begun = [o.stream.first_ns for o in unheard]
    burst = len(begun) > 1 and max(begun) - min(begun) <= BURST_S * 1e9
    return burst and any(
        not s.server_flags and s.client_flags == SYN and abs(s.first_ns - begun[0]) <= BESIDE_S * 1e9 for s in here
    )
