"""Which later fragments belong to which first one."""

from __future__ import annotations

import numpy as np

from captures.columns import Columns, State
from captures.decode import network_of_frame
from captures.recording import Source

# RFC 791 section 3.2 and RFC 8200 section 4.5: fragments are given up after at most two minutes and one respectively.
_PATIENCE_NS = 120_000_000_000

_Key = tuple[bytes, bytes, int, int]


def later_fragments(columns: Columns, source: Source) -> dict[int, tuple[int, ...]]:
    """For the first row of each fragmented datagram, the rows of its later fragments, in order of offset.

    Fragments are few, so their frames are read again. A copy of a fragment is listed once.
    """
    rows = np.flatnonzero((columns.state & State.FRAGMENT != 0) & (columns.family != 0))
    first: dict[_Key, int] = {}
    later: dict[_Key, list[tuple[int, int]]] = {}
    found: dict[int, tuple[int, ...]] = {}
    last_ns: dict[_Key, int] = {}
    for row in rows.tolist():
        frame = source.read(int(columns.offset[row]), int(columns.captured_bytes[row]))
        family, offset = int(columns.family[row]), int(columns.l3_offset[row])
        network = network_of_frame(frame, offset, family, int(columns.wire_bytes[row]))
        if network is None or not network.state & State.FRAGMENT:
            continue
        key = (network.source, network.destination, network.protocol, network.fragment_id)
        time_ns = int(columns.time_ns[row])
        starts_anew = key in last_ns and abs(time_ns - last_ns[key]) > _PATIENCE_NS
        if starts_anew or (key in first and network.fragment_offset == 0):
            _close(found, first.pop(key, None), later.pop(key, []))
        last_ns[key] = time_ns
        if network.fragment_offset == 0:
            first[key] = row
        else:
            later.setdefault(key, []).append((network.fragment_offset, row))
    for key, row in first.items():
        _close(found, row, later.get(key, []))
    return dict(sorted(found.items()))


def _close(found: dict[int, tuple[int, ...]], first: int | None, later: list[tuple[int, int]]) -> None:
    if first is None or not later:
        return
    by_offset: dict[int, int] = {}
    for offset, row in later:
        by_offset.setdefault(offset, row)
    found[first] = tuple(by_offset[offset] for offset in sorted(by_offset))
