"""A part of a recording: some of its packets put out of sight, all others under the numbers they had.

One mechanism for two uses: a long capture judged stretch by stretch, and conversations picked by a display filter. Rows
stay where they are, so a citation of a part is a citation of the file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from captures.columns import Mark
from captures.recording import Recording

# RFC 5382 REQ-5 and RFC 4787 REQ-5: translators forget an idle exchange after two minutes at the earliest; after as
# long a silence the same ports are another conversation.
SILENCE_NS = 120 * 10**9
# ICMP errors follow what they quote within seconds: RFC 4443 section 2.4 has no bound, a minute is far more than seen.
ICMP_LATE_NS = 60 * 10**9
# RFC 9293 section 3.1, and its number at IANA.
_SYN, _SYN_ACK, _TCP = 0x02, 0x12, 6


def only(recording: Recording, rows: NDArray[np.bool_]) -> Recording:
    """The recording with every packet out of sight that ``rows`` (one bool a packet) does not admit.

    Packets out of sight belong to no flow, have no layer, no size, no fault and the name of nobody. Shape, order, times
    and the end of the recording stay. Raises ValueError for an array of another length.
    """
    c = recording.columns
    if len(rows) != len(c):
        raise ValueError(f"{len(rows)} of {len(c)} packets are told about; tell about each")
    hidden = ~rows
    blank = {"flow": -1, "name": -1, "family": 0, "protocol": 0, "mark": int(Mark.NONE), "state": 0, "tcp_flags": 0}
    blank |= {"payload_bytes": 0, "icmp": 0, "ip_id": 0, "tsval": 0, "wire_bytes": 0}
    columns = {}
    for name, value in blank.items():
        column = getattr(c, name).copy()
        column[hidden] = value
        columns[name] = column
    fragments = {row: rest for row, rest in recording.fragments.items() if rows[row]}
    return replace(recording, columns=replace(c, **columns), fragments=fragments)


def conversations(recording: Recording) -> NDArray[np.int64]:
    """For each packet the row of the first packet of its conversation; -1 where it belongs to none.

    A conversation is what one 5-tuple exchanges without two minutes of silence; a TCP connection may be silent for
    longer, until the next SYN on its ports. Shape (packets,).
    """
    c = recording.columns
    out = np.full(len(c), -1, np.int64)
    mine = np.flatnonzero(c.flow >= 0)
    if not len(mine):
        return out
    order = mine[np.lexsort((mine, c.time_ns[mine], c.flow[mine]))]
    begins = np.ones(len(order), bool)
    same = c.flow[order[1:]] == c.flow[order[:-1]]
    silent = c.time_ns[order[1:]] - c.time_ns[order[:-1]] > SILENCE_NS
    opens = (c.protocol[order] != _TCP) | ((c.tcp_flags[order] & _SYN_ACK) == _SYN)
    begins[1:] = ~same | (silent & opens[1:])
    starts = order[begins]
    out[order] = starts[np.cumsum(begins) - 1]
    return out


def parts(recording: Recording, part_s: float) -> Iterator[tuple[Recording, int, int]]:
    """(part, from, until) in nanoseconds, ``part_s`` seconds each from the first packet on; empty ones are left out.

    A conversation belongs whole to the part in which it began, an ICMP error to every part that it may concern.
    """
    c, step_ns = recording.columns, round(part_s * 1e9)
    if step_ns <= 0:
        raise ValueError(f"parts of {part_s} s; want more than none")
    if not len(c):
        return
    began_row, alone = conversations(recording), c.flow < 0
    began_ns = np.where(alone, c.time_ns, c.time_ns[np.maximum(began_row, 0)])
    first_ns, last_ns = int(c.time_ns.min()), int(began_ns.max())
    for number in range((last_ns - first_ns) // step_ns + 1):
        from_ns = first_ns + number * step_ns
        until_ns = from_ns + step_ns
        late_ns = np.where(alone, ICMP_LATE_NS, 0)
        rows = (began_ns >= from_ns) & (began_ns < until_ns + late_ns)
        if (rows & ~alone).any():
            yield only(recording, rows), from_ns, until_ns
