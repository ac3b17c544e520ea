"""What lowers the conclusions that a capture can carry. Facts and rules; each issue has a stable id.

dropped        the recorder says that it lost packets
snaplen        frames were cut: names and payloads may be missing
one-sided      connections of which only one direction was captured
mid-flow       connections that began before the capture
offload        frames larger than any MTU: segmentation offload hides real segments and their times
clock          time steps back between two packets of one interface
duplicates     the same frames were captured twice
host-resets    the host's own kernel resets connections that another program opened (user-space handshakes)
short          the capture ends too soon after requests for silence to mean anything
unreadable     packets whose headers do not parse

A script adds what the packets do not show. It lowers nothing, for it is a claim:

capture-all    the recorder was asked to keep foreign traffic too
partial        the run was cut short
run-clock      the host's clock was set back in mid-run

Nor does what is said of the vantage:

vantage-clock  the servers' dates contradict the clock's offset that was given

Nor does a table of AS numbers:

networks-date  it is from another month than the capture
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from captures.columns import State
from captures.recording import Recording
from fingerprint.conversations.segments import ACK, RST, SYN
from fingerprint.conversations.streams import Stream
from fingerprint.script import Script
from fingerprint.technique import Cited, Quality

# IEEE 802.3 jumbo frames end near 9,000 bytes; whatever is longer was put together by the host.
LARGEST_FRAME_BYTES = 9216
# The usual Ethernet MTU; payloads above it on plain Ethernet come from offload as well, if there are many.
ETHERNET_PAYLOAD_BYTES = 1500
# Several receive queues of one interface exchange packets by less than this; more is a clock that was set.
STEP_BACK_NS = 10_000_000
# The greatest common divisor of a few hundred times is the tick; of fewer than a dozen steps it may be chance.
TICKING_PKTS = 500
LEAST_STEPS = 12
# A copy made by the capture follows within this time: two interfaces of a host, or a mirror port.
COPY_WITHIN_NS = 2_000_000
# Share of packets that must be copies before the capture as a whole is called doubled.
COPIED_SHARE = 0.05
# RFC 6298 section 5: the first retransmission timer is one second at least; silence shorter than three says nothing.
SHORT_S = 3.0


def quality(recording: Recording, streams: Sequence[Stream]) -> tuple[Quality, ...]:
    """All issues of a recording, in the order of the list above."""
    mine = [s for s in streams if s.capture == recording.index]
    found = (
        _dropped(recording),
        _snaplen(recording),
        _one_sided(recording, mine),
        _mid_flow(recording, mine),
        _offload(recording),
        _clock(recording),
        _duplicates(recording),
        _host_resets(recording, mine),
        _short(recording, mine),
        _unreadable(recording),
    )
    return tuple(q for q in found if q is not None)


def of_script(script: Script) -> tuple[Quality, ...]:
    """What a run says of itself that a reader must know."""
    found = []
    if script.capture_all:
        found.append(Quality(issue="capture-all", detail="the run recorded all traffic of its host, not only its own"))
    if script.partial:
        found.append(Quality(issue="partial", detail=f"the run was cut short: {script.partial}"))
    begun = [step.from_ns for step in sorted(script.steps, key=lambda step: step.number)]
    back_ns = max((a - b for a, b in pairwise(begun)), default=0)
    if back_ns > STEP_BACK_NS:
        found.append(
            Quality(issue="run-clock", detail=f"the host's clock went back by {back_ns / 1e9:.3f} s in mid-run")
        )
    return tuple(found)


def _rows(recording: Recording, rows: object, issue: str, detail: str) -> Quality | None:
    """An issue that cites the first few of its packets; None without any."""
    numbers = [int(r) for r in np.asarray(rows)[:5]]
    if not numbers:
        return None
    return Quality(issue=issue, detail=detail, packets=tuple(Cited(recording.index, n + 1) for n in numbers))


def _dropped(recording: Recording) -> Quality | None:
    lost = sum(i.dropped_pkts or 0 for i in recording.interfaces)
    return Quality(issue="dropped", detail=f"the recorder lost {lost} packets") if lost else None


def _snaplen(recording: Recording) -> Quality | None:
    cut = np.flatnonzero(recording.columns.state & State.CUT)
    return _rows(recording, cut, "snaplen", f"{len(cut)} of {len(recording.columns)} frames are cut short")


def _one_sided(recording: Recording, streams: Sequence[Stream]) -> Quality | None:
    sided = [s for s in streams if (s.client_flags == 0) != (s.server_flags == 0) and len(s.rows) >= 3]
    rows = [s.rows[0] for s in sided if (not s.server_flags and s.client_bytes) or not s.client_flags]
    return _rows(recording, rows, "one-sided", f"{len(rows)} of {len(streams)} connections show one direction only")


def _mid_flow(recording: Recording, streams: Sequence[Stream]) -> Quality | None:
    rows = [s.rows[0] for s in streams if not (s.client_flags | s.server_flags) & SYN]
    return _rows(recording, rows, "mid-flow", f"{len(rows)} of {len(streams)} connections began before the capture")


def _offload(recording: Recording) -> Quality | None:
    c = recording.columns
    large = np.flatnonzero(
        (c.wire_bytes > LARGEST_FRAME_BYTES) | ((c.protocol == 6) & (c.payload_bytes > ETHERNET_PAYLOAD_BYTES))
    )
    return _rows(recording, large, "offload", f"{len(large)} frames are larger than a packet on the wire can be")


def _clock(recording: Recording) -> Quality | None:
    """Packets that are stamped earlier than the one before them on their interface, beyond what queues exchange."""
    c = recording.columns
    if len(c.time_ns) < 2 or np.diff(c.time_ns).min() >= -STEP_BACK_NS:
        return None
    order = np.argsort(c.interface, kind="stable")
    steps = (np.diff(c.time_ns[order]) < -STEP_BACK_NS) & (np.diff(c.interface[order]) == 0)
    back = np.sort(order[1:][steps])
    return _rows(
        recording, back, "clock", f"time steps back by more than {STEP_BACK_NS / 1e6:.0f} ms {len(back)} times"
    )


def tick_s(recording: Recording) -> float:
    """The resolution of the clock in seconds, from the times themselves; 0 where there are too few to tell."""
    steps = np.diff(recording.columns.time_ns[:TICKING_PKTS])
    return float(np.gcd.reduce(steps)) / 1e9 if np.count_nonzero(steps) >= LEAST_STEPS else 0.0


def _duplicates(recording: Recording) -> Quality | None:
    """Neighbouring packets of a flow that are the same packet: equal id, numbers, flags and size, within 2 ms."""
    c = recording.columns
    rows = np.flatnonzero((c.flow >= 0) & ((c.ip_id != 0) | (c.tsval != 0)))
    if len(rows) < 2:
        return None
    order = rows[np.lexsort((rows, c.direction[rows], c.flow[rows]))]
    a, b = order[:-1], order[1:]
    same = np.abs(c.time_ns[b] - c.time_ns[a]) <= COPY_WITHIN_NS
    for column in (c.flow, c.direction, c.ip_id, c.seq, c.ack, c.tcp_flags, c.payload_bytes, c.tsval):
        same &= column[a] == column[b]
    copies = np.sort(b[same & (c.protocol[b] == 6)])
    if len(copies) < COPIED_SHARE * len(rows):
        return None
    return _rows(recording, copies, "duplicates", f"{len(copies)} packets were captured twice")


def _host_resets(recording: Recording, streams: Sequence[Stream]) -> Quality | None:
    """The client's side answers a SYN-ACK with a bare reset although another packet of it goes on."""
    rows = []
    for s in streams:
        if not s.client_flags & RST or not s.server_flags & SYN or not s.client_bytes:
            continue
        answered = next((x for x in s.segments if not x.from_client and x.flags & SYN and x.flags & ACK), None)
        first = next((x for x in s.from_client if answered and x.time_ns >= answered.time_ns), None)
        if first is not None and first.flags & RST:
            rows.append(first.row)
    return _rows(
        recording, rows, "host-resets", f"the client's own host resets {len(rows)} connections that it then uses"
    )


def _short(recording: Recording, streams: Sequence[Stream]) -> Quality | None:
    end = recording.ended_ns
    rows = [s.rows[-1] for s in streams if s.client_bytes and not s.server_bytes and end - s.last_ns < SHORT_S * 1e9]
    rows = [r for r in rows if not recording.columns.tcp_flags[r] & RST]
    return _rows(
        recording, rows, "short", f"the capture ends within {SHORT_S:.0f} s of {len(rows)} unanswered requests"
    )


def _unreadable(recording: Recording) -> Quality | None:
    bad = np.flatnonzero(recording.columns.state & State.MALFORMED)
    return _rows(recording, bad, "unreadable", f"{len(bad)} packets have headers that do not parse")
