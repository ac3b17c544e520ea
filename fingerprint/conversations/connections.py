"""Connections cut out of a recording: which rows belong together, and which end is the client's.

The summaries are made for all flows at once with numpy, so that a capture of many flows costs a few sweeps of arrays.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from captures.columns import Mark
from captures.recording import Recording
from fingerprint.conversations.segments import ACK, FIN, RST, SYN, Endpoint
from fingerprint.conversations.streams import REQUESTS, Shelf, Stream, address_text, firsts

# IANA service names: ports where a server listens, used only where neither a SYN nor a payload tells.
WELL_KNOWN_BELOW = 1024
# RFC 793's MSL of two minutes: longer silence before a new SYN means a new use of the ports even with equal numbers.
REUSE_SILENCE_NS = 120 * 10**9


def time_order(times: NDArray[np.int64], rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Rows of one flow by time where packets merely overtook each other; file order across a clock step."""
    steps = np.diff(times[rows])
    if not len(steps) or steps.min() >= 0 or steps.min() < -(10**9):
        return rows
    return rows[np.argsort(times[rows], kind="stable")]


def streams(recording: Recording) -> tuple[Stream, ...]:
    """Every TCP connection of a recording, in order of first packet."""
    c = recording.columns
    tcp = np.flatnonzero((c.flow >= 0) & (c.protocol == 6))
    if not len(tcp):
        return ()
    order = tcp[np.argsort(c.flow[tcp], kind="stable")]
    bounds = _bounds(recording, order)
    ends = np.append(bounds[1:], len(order))
    numbers = c.flow[order[bounds]]
    from_b = c.direction[order].astype(bool)
    flags, size = c.tcp_flags[order], c.payload_bytes[order]
    sides = []  # per side: flags, bytes, the first payload, and the row of the first FIN or RST
    for mine in (~from_b, from_b):
        or_ed = np.bitwise_or.reduceat(np.where(mine, flags, np.uint16(0)), bounds)
        summed = np.add.reduceat(np.where(mine, size, np.uint32(0)), bounds, dtype=np.int64)
        payloads = _first(order, mine & (size > 0) & ((flags & RST) == 0), bounds)
        cuts = _first(order, mine & ((flags & (FIN | RST)) != 0), bounds)
        sides.append(list(zip(or_ed.tolist(), summed.tolist(), firsts(recording, payloads), cuts, strict=True)))
    ends_of = _endpoints(recording, numbers)
    end_ns, shelf = recording.ended_ns, Shelf()
    first_ns, last_ns = c.time_ns[order[bounds]].tolist(), c.time_ns[order[ends - 1]].tolist()
    out = []
    for i, (start, end, number, role, (a, b)) in enumerate(
        zip(bounds.tolist(), ends.tolist(), numbers.tolist(), _roles(recording, order, bounds), ends_of, strict=True)
    ):
        client_is_a, role_from = role or _role_by_port(a, b)
        client, server = (sides[0][i], sides[1][i]) if client_is_a else (sides[1][i], sides[0][i])
        out.append(
            Stream(
                recording=recording,
                flow=number,
                rows=order[start:end],
                client=a if client_is_a else b,
                server=b if client_is_a else a,
                client_is_a=client_is_a,
                role_from=role_from,
                client_flags=client[0],
                server_flags=server[0],
                client_bytes=client[1],
                server_bytes=server[1],
                request=client[2],
                answer=server[2],
                cut_row=server[3],
                first_ns=first_ns[i],
                last_ns=last_ns[i],
                end_ns=end_ns,
                shelf=shelf,
            )
        )
    return tuple(out[i] for i in np.argsort(order[bounds], kind="stable").tolist())


def _bounds(recording: Recording, order: NDArray[np.int64]) -> NDArray[np.int64]:
    """Where in ``order`` each stream begins. Sorts overtaken packets of a flow in place, by time."""
    c = recording.columns
    flow = c.flow[order]
    starts = np.flatnonzero(np.concatenate(([True], flow[1:] != flow[:-1])))
    ends = np.append(starts[1:], len(order))
    if not bool((np.diff(c.time_ns) >= 0).all()):
        for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
            order[start:end] = time_order(c.time_ns, order[start:end])
    # Flows with more than one opening SYN need a look; all others are one stream each.
    opening = (c.tcp_flags[order] & (SYN | ACK | RST)) == SYN
    several = np.flatnonzero(np.add.reduceat(opening, starts, dtype=np.int64) > 1).tolist()
    cuts = [cut for i in several for cut in _reuses(recording, order, int(starts[i]), int(ends[i]))]
    return np.sort(np.concatenate((starts, np.array(cuts, np.int64)))) if cuts else starts


def _endpoints(recording: Recording, numbers: NDArray[np.int32]) -> list[tuple[Endpoint, Endpoint]]:
    """Both ends of the numbered flows, the sender of the first packet first."""
    f = recording.flows
    texts: dict[bytes, str] = {}
    out = []
    for family, a, b, port_a, port_b in zip(
        f.family[numbers].tolist(),
        map(bytes, f.address_a[numbers]),
        map(bytes, f.address_b[numbers]),
        f.port_a[numbers].tolist(),
        f.port_b[numbers].tolist(),
        strict=True,
    ):
        sides = (a, b) if family == 6 else (a[:4], b[:4])
        for raw in sides:
            if raw not in texts:
                texts[raw] = address_text(raw, family)
        out.append((Endpoint(texts[sides[0]], port_a), Endpoint(texts[sides[1]], port_b)))
    return out


def _reuses(recording: Recording, order: NDArray[np.int64], start: int, end: int) -> list[int]:
    """Positions where a new connection begins on the same ports: an opening SYN with another number, or much later."""
    c = recording.columns
    cuts: list[int] = []
    current: tuple[int, int] | None = None  # (direction, seq) of the SYN in force
    last_ns = 0
    for i in range(start, end):
        row = order[i]
        if (int(c.tcp_flags[row]) & (SYN | ACK | RST)) == SYN:
            seen = (int(c.direction[row]), int(c.seq[row]))
            again = seen != current or int(c.time_ns[row]) - last_ns > REUSE_SILENCE_NS
            # Simultaneous open (RFC 9293 section 3.5) is one connection with a SYN from either side.
            if i > start and again and (current is None or seen[0] == current[0]):
                cuts.append(i)
            if current is None or seen[0] == current[0]:
                current = seen
        last_ns = int(c.time_ns[row])
    return cuts


def _first(order: NDArray[np.int64], wanted: NDArray[np.bool_], bounds: NDArray[np.int64]) -> list[int]:
    """Per stream the row of the first packet that is wanted; -1 without any."""
    beyond = len(order)
    first = np.minimum.reduceat(np.where(wanted, np.arange(beyond), beyond), bounds)
    # A stream without one finds the next stream's, or none at all.
    found = first < np.append(bounds[1:], beyond)
    out: list[int] = np.where(found, order[np.minimum(first, beyond - 1)], -1).tolist()
    return out


def _roles(recording: Recording, order: NDArray[np.int64], bounds: NDArray[np.int64]) -> list[tuple[bool, str] | None]:
    """Per stream whether `a` is the client and how that is known; None where only ports are left to ask."""
    c = recording.columns
    flags, marks = c.tcp_flags[order], c.mark[order]
    from_a = c.direction[order] == 0
    syn = (flags & (SYN | ACK | RST)) == SYN
    synack = (flags & (SYN | ACK | RST)) == (SYN | ACK)
    request = np.isin(marks, REQUESTS)
    response = marks == int(Mark.HTTP_RESPONSE)
    out: list[tuple[bool, str] | None] = [None] * len(bounds)
    for says_a, says_b, how in (
        ((request & from_a) | (response & ~from_a), (request & ~from_a) | (response & from_a), "payload"),
        (synack & ~from_a, synack & from_a, "synack"),
        (syn & from_a, syn & ~from_a, "syn"),
    ):
        for_a = np.logical_or.reduceat(says_a, bounds)
        for_b = np.logical_or.reduceat(says_b, bounds)
        for i in np.flatnonzero(for_a ^ for_b).tolist():
            out[i] = (bool(for_a[i]), how)
    return out


def _role_by_port(a: Endpoint, b: Endpoint) -> tuple[bool, str]:
    """Whether `a` is the client, by ports alone."""
    if (a.port < WELL_KNOWN_BELOW) != (b.port < WELL_KNOWN_BELOW):
        return b.port < WELL_KNOWN_BELOW, "port"
    return True, "first"
