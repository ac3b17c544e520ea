"""TCP connections: who opened them, every segment of both directions, and the arrays behind them.

A stream is what lies between two SYNs of one 4-tuple. The flow summaries are made for all flows at once with numpy,
so that a technique pays for a stream only when it looks at one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from socket import AF_INET, AF_INET6, inet_ntop

import numpy as np
from numpy.typing import NDArray

from captures.columns import Mark
from captures.recording import Recording
from fingerprint.conversations.segments import ACK, FIN, RST, SYN, Endpoint, Segment, Series, segments, unwrap
from fingerprint.messages.tls import ClientHello, client_hello

__all__ = ["Endpoint", "Segment", "Series", "Stream", "streams"]

# IANA service names: ports where a server listens, used only where neither a SYN nor a payload tells.
WELL_KNOWN_BELOW = 1024
# RFC 793's MSL of two minutes: longer silence before a new SYN means a new use of the ports even with equal numbers.
REUSE_SILENCE_NS = 120 * 10**9

# More segments than any opening needs: a hello of five segments, each sent eight times, and what answers them.
HEAD_PKTS = 120
# Tuples of segments that are kept: several for each of the last hundred streams looked at.
SHELVED = 400

_REQUESTS = (int(Mark.TLS_HELLO), int(Mark.HTTP_REQUEST))


class Shelf:
    """The segments of the streams looked at last; a large capture is looked at stream by stream, not all at once."""

    __slots__ = ("_kept",)

    def __init__(self) -> None:
        self._kept: dict[tuple[int, str], tuple[Segment, ...]] = {}

    def of(self, row: int, what: str, make: Callable[[], tuple[Segment, ...]]) -> tuple[Segment, ...]:
        """What was kept under the stream's first row, or made now."""
        key = (row, what)
        kept = self._kept.pop(key, None)
        if kept is None:
            kept = make()
            if len(self._kept) >= SHELVED:
                del self._kept[next(iter(self._kept))]
        self._kept[key] = kept
        return kept


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stream:
    """One TCP connection. ``role_from`` says how the client was told: syn, synack, payload, port or first."""

    recording: Recording
    flow: int
    rows: NDArray[np.int64]  # rows of the recording, in time order
    client: Endpoint
    server: Endpoint
    client_is_a: bool
    role_from: str
    client_flags: int  # all TCP flags that the client's side ever showed, or-ed
    server_flags: int
    client_bytes: int  # sum of payloads, retransmissions included
    server_bytes: int
    request_row: int  # row of the client's first payload, -1 without any
    answer_row: int  # row of the first payload in the server's name, -1 without any
    cut_row: int  # row of the first FIN or RST in the server's name, -1 without any
    first_ns: int
    last_ns: int
    end_ns: int  # of the recording
    shelf: Shelf

    @property
    def capture(self) -> int:
        """Index of the file."""
        return self.recording.index

    @property
    def trial(self) -> str:
        """What tells this stream from its repeats."""
        return f"{self.capture}:{self.flow}:{int(self.rows[0]) + 1}"

    @property
    def endpoint(self) -> str:
        """The server's side as a report writes it."""
        return f"{self.server}/tcp"

    @property
    def segments(self) -> tuple[Segment, ...]:
        """Every segment of both directions, in time order."""
        return self.shelf.of(int(self.rows[0]), "all", lambda: self._made(self.rows))

    @property
    def head(self) -> tuple[Segment, ...]:
        """The first segments of both directions, enough for any opening."""
        if len(self.rows) <= HEAD_PKTS:
            return self.segments
        return self.shelf.of(int(self.rows[0]), "head", lambda: self._made(self.rows[:HEAD_PKTS]))

    @property
    def from_client(self) -> tuple[Segment, ...]:
        """The client's segments."""
        return self.shelf.of(int(self.rows[0]), "client", lambda: tuple(s for s in self.segments if s.from_client))

    @property
    def from_server(self) -> tuple[Segment, ...]:
        """The server's segments, and whatever claims to be one."""
        return self.shelf.of(int(self.rows[0]), "server", lambda: tuple(s for s in self.segments if not s.from_client))

    def _made(self, rows: NDArray[np.int64]) -> tuple[Segment, ...]:
        client_base, server_base = self._bases
        return segments(
            self.recording, rows, client_is_a=self.client_is_a, client_base=client_base, server_base=server_base
        )

    def _is_client(self) -> NDArray[np.bool_]:
        direction: NDArray[np.bool_] = self.recording.columns.direction[self.rows] == (0 if self.client_is_a else 1)
        return direction

    @property
    def _bases(self) -> tuple[int, int]:
        """The two initial sequence numbers, so that a SYN is 0; guessed where no SYN was captured."""
        c, sides = self.recording.columns, self._is_client()
        out = []
        for mine in (sides, ~sides):
            rows = self.rows[mine]
            flags = c.tcp_flags[rows]
            syns = rows[(flags & SYN) != 0]
            if len(syns):
                # A server may be answered by several SYN-ACKs; the one that the other side acknowledged counts.
                out.append(int(c.seq[syns[0]]) if len(syns) == 1 else self._acknowledged(syns, self.rows[~mine]))
                continue
            plain = rows[(flags & RST) == 0]
            if len(plain):
                out.append(int(c.seq[plain[0]]) - 1)
                continue
            others = self.rows[~mine]
            acks = others[(c.tcp_flags[others] & ACK) != 0]
            out.append(int(c.ack[acks[0]]) - 1 if len(acks) else (int(c.seq[rows[0]]) - 1 if len(rows) else 0))
        return out[0], out[1]

    def _acknowledged(self, syns: NDArray[np.int64], others: NDArray[np.int64]) -> int:
        c = self.recording.columns
        acks = set(c.ack[others[(c.tcp_flags[others] & (ACK | RST)) == ACK]].tolist())
        numbers = c.seq[syns].tolist()
        return int(next((n for n in numbers if (n + 1) % (1 << 32) in acks), numbers[0]))

    def series(self, *, from_client: bool) -> Series:
        """One direction as arrays."""
        c = self.recording.columns
        rows = self.rows[self._is_client() == from_client]
        mine, theirs = self._bases if from_client else self._bases[::-1]
        return Series(
            number=rows + 1,
            time_s=(c.time_ns[rows] - self.first_ns) / 1e9,
            seq=unwrap(c.seq[rows], mine),
            ack=unwrap(np.where(c.tcp_flags[rows] & ACK, c.ack[rows], np.uint32(theirs % 2**32)), theirs),
            payload_bytes=c.payload_bytes[rows].astype(np.int64),
            window=c.window[rows].astype(np.int64),
            tsval=c.tsval[rows].astype(np.int64),
            tsecr=c.tsecr[rows].astype(np.int64),
            flags=c.tcp_flags[rows].astype(np.int64),
        )

    def first_bytes(self, *, from_client: bool, limit_bytes: int = 65536) -> bytes:
        """The reassembled start of one direction, up to the first hole. The first copy of a byte wins."""
        out, held = b"", []
        for s in self.from_client if from_client else self.from_server:
            if not s.payload_bytes or s.flags & (SYN | RST):
                continue
            held.append(s)
            grew = True
            while grew and len(out) < limit_bytes:
                grew = False
                for h in held:
                    if h.seq - 1 <= len(out) < h.end - 1:
                        piece = self.recording.payload(h.row)[len(out) - (h.seq - 1) :]
                        if not piece:
                            return out
                        out, grew = out + piece, True
                        held = [x for x in held if x.end - 1 > len(out)]
                        break
            if len(out) >= limit_bytes:
                break
        return out[:limit_bytes]

    @property
    def request_mark(self) -> int:
        """The `Mark` of the client's first payload."""
        return int(self.recording.columns.mark[self.request_row]) if self.request_row >= 0 else 0

    @property
    def answered(self) -> bool:
        """The first thing in the server's name is payload and no TLS alert, told from the summary alone."""
        if self.answer_row < 0 or 0 <= self.cut_row < self.answer_row:
            return False
        return int(self.recording.columns.mark[self.answer_row]) != Mark.TLS_ALERT

    @property
    def name(self) -> str | None:
        """SNI or Host of the first request, printable; None where none was seen."""
        mark = self.request_mark
        if mark not in _REQUESTS:
            return None
        name = int(self.recording.columns.name[self.request_row])
        if name >= 0:
            return self.recording.names[name] or None
        return self.hello.sni if mark == Mark.TLS_HELLO and self.hello is not None else None

    @property
    def protocol(self) -> str:
        """tls, http or tcp, by the client's first payload."""
        return {int(Mark.TLS_HELLO): "tls", int(Mark.HTTP_REQUEST): "http"}.get(self.request_mark, "tcp")

    @property
    def hello(self) -> ClientHello | None:
        """The ClientHello, over as many segments as it took; None where the stream does not begin with one."""
        return client_hello(self.first_bytes(from_client=True, limit_bytes=16384))

    @property
    def server_rtt_s(self) -> float | None:
        """Capture point to server and back, from the handshake; None if a SYN or SYN-ACK was repeated or not seen."""
        syns = [s for s in self.segments if s.flags & SYN]
        first = [s for s in syns if s.from_client and not s.flags & ACK]
        second = [s for s in syns if not s.from_client and s.flags & ACK]
        if len(first) != 1 or len(second) != 1 or second[0].time_ns < first[0].time_ns:
            return None
        return (second[0].time_ns - first[0].time_ns) / 1e9

    @property
    def client_rtt_s(self) -> float | None:
        """Capture point to client and back, from SYN-ACK to the client's next segment; None if not to be had."""
        answers = [s for s in self.from_server if s.flags & SYN and s.flags & ACK]
        if len(answers) != 1:
            return None
        after = next(
            (s for s in self.from_client if s.time_ns >= answers[0].time_ns and not s.flags & (SYN | RST)), None
        )
        return (after.time_ns - answers[0].time_ns) / 1e9 if after else None

    @property
    def request_ttl_hops(self) -> int | None:
        """The TTL of the client's first payload where it is below its first packet's: a TTL-limited probe."""
        if self.request_row < 0:
            return None
        c = self.recording.columns
        way = c.direction[self.request_row]
        first = self.rows[0] if c.direction[self.rows[0]] == way else self.rows[c.direction[self.rows] == way][0]
        asked = int(c.ttl[self.request_row])
        return asked if asked < int(c.ttl[first]) else None


def address_text(raw: bytes, family: int) -> str:
    """An address of `Flows` as text."""
    return inet_ntop(AF_INET, raw[:4]) if family == 4 else inet_ntop(AF_INET6, raw)


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
    sides = []  # per side: flags, bytes, rows of the first payload and of the first FIN or RST
    for mine in (~from_b, from_b):
        or_ed = np.bitwise_or.reduceat(np.where(mine, flags, np.uint16(0)), bounds)
        summed = np.add.reduceat(np.where(mine, size, np.uint32(0)), bounds, dtype=np.int64)
        payloads = _first(order, mine & (size > 0) & ((flags & RST) == 0), bounds)
        cuts = _first(order, mine & ((flags & (FIN | RST)) != 0), bounds)
        sides.append(list(zip(or_ed.tolist(), summed.tolist(), payloads, cuts, strict=True)))
    ends_of = _endpoints(recording, numbers)
    end_ns, shelf = int(c.time_ns.max()), Shelf()
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
                request_row=client[2],
                answer_row=server[2],
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
    request = np.isin(marks, _REQUESTS)
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
