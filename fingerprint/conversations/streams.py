"""TCP connections: who opened them, every segment of both directions, and the arrays behind them.

A stream is what lies between two SYNs of one 4-tuple. The flow summaries are made for all flows at once with numpy,
so that a technique pays for a stream only when it looks at one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from socket import AF_INET, AF_INET6, inet_ntop
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from captures.columns import Mark
from captures.recording import Recording
from fingerprint.conversations.segments import ACK, RST, SYN, Endpoint, Segment, Series, segments, unwrap
from fingerprint.messages.http import HttpRequest, HttpResponse, read_request, read_response
from fingerprint.messages.tls import ClientHello, ServerSide, client_hello, tls_server_side

__all__ = ["Endpoint", "Segment", "Series", "Stream"]


# More segments than any opening needs: a hello of five segments, each sent eight times, and what answers them.
HEAD_PKTS = 120
# Tuples of segments that are kept: several for each of the last hundred streams looked at.
SHELVED = 400
# Payloads that only a client sends, and that name the target.
PROTOCOLS = {int(Mark.TLS_HELLO): "tls", int(Mark.HTTP_REQUEST): "http"}
REQUESTS = tuple(PROTOCOLS)


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


class First(NamedTuple):
    """The first payload of a side, and what that packet alone shows."""

    row: int  # -1 without any
    mark: int  # its `Mark`
    name: str | None  # SNI or Host of a request that is whole in it


def firsts(recording: Recording, rows: Sequence[int]) -> list[First]:
    """What the packets in these rows show, -1 standing for none."""
    c, at = recording.columns, np.array(rows)
    marks = np.where(at < 0, 0, c.mark[at])
    names = np.where(np.isin(marks, REQUESTS), c.name[at], -1)
    named = [recording.names[name] if name >= 0 else None for name in names.tolist()]
    return list(map(First, rows, marks.tolist(), named))


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
    request: First  # payload of the client
    answer: First  # payload in the server's name
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

    def _is_client(self, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
        direction: NDArray[np.bool_] = self.recording.columns.direction[rows] == (0 if self.client_is_a else 1)
        return direction

    @property
    def _bases(self) -> tuple[int, int]:
        """The two initial sequence numbers, so that a SYN is 0; guessed where no SYN was captured."""
        c = self.recording.columns
        rows = self.rows[:HEAD_PKTS]
        sides = self._is_client(rows)
        flags = c.tcp_flags[rows]
        out = []
        for mine in (sides, ~sides):
            syns = rows[mine & ((flags & SYN) != 0)]
            plain = rows[mine & ((flags & RST) == 0)]
            acks = rows[~mine & ((flags & ACK) != 0)]
            if len(syns):
                # A server may be answered by several SYN-ACKs; the one that the other side acknowledged counts.
                out.append(int(c.seq[syns[0]]) if len(syns) == 1 else self._acknowledged(syns, rows[~mine]))
            elif len(plain):
                out.append(int(c.seq[plain[0]]) - 1)
            elif len(acks):
                out.append(int(c.ack[acks[0]]) - 1)
            else:
                out.append(int(c.seq[rows[mine][0]]) - 1 if mine.any() else 0)
        return out[0], out[1]

    def _acknowledged(self, syns: NDArray[np.int64], others: NDArray[np.int64]) -> int:
        c = self.recording.columns
        acks = set(c.ack[others[(c.tcp_flags[others] & (ACK | RST)) == ACK]].tolist())
        numbers = c.seq[syns].tolist()
        return int(next((n for n in numbers if (n + 1) % (1 << 32) in acks), numbers[0]))

    def series(self, *, from_client: bool) -> Series:
        """One direction as arrays."""
        c = self.recording.columns
        rows = self.rows[self._is_client(self.rows) == from_client]
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
    def request_row(self) -> int:
        """Row of the client's first payload, -1 without any."""
        return self.request.row

    @property
    def request_mark(self) -> int:
        """The `Mark` of the client's first payload."""
        return self.request.mark

    @property
    def answer_row(self) -> int:
        """Row of the first payload in the server's name, -1 without any."""
        return self.answer.row

    @property
    def answered(self) -> bool:
        """The first thing in the server's name is payload and no TLS alert, told from the summary alone."""
        row, mark, _ = self.answer
        return row >= 0 and not 0 <= self.cut_row < row and mark != Mark.TLS_ALERT

    @property
    def name(self) -> str | None:
        """SNI or Host of the first request, printable; None where none was seen."""
        _, mark, name = self.request
        if name is not None or mark not in REQUESTS:
            return name or None
        if mark == Mark.TLS_HELLO:
            return self.hello.sni if self.hello is not None else None
        # A head that its first segment holds whole has no Host; a cut one may have it farther on.
        cut = b"\r\n\r\n" not in self.recording.payload(self.request_row)
        request = self.http_request if cut else None
        return request.host if request is not None and request.complete else None

    @property
    def request_unread(self) -> bool:
        """A request was sent that names somebody, or may, and the capture does not show whom."""
        if self.name is not None or self.request_mark not in REQUESTS:
            return False
        if self.request_mark == Mark.TLS_HELLO:
            return self.hello is None or not self.hello.complete
        return self.http_request is None or not self.http_request.complete

    @property
    def protocol(self) -> str:
        """tls, http or tcp, by the client's first payload."""
        return PROTOCOLS.get(self.request.mark, "tcp")

    @property
    def hello(self) -> ClientHello | None:
        """The ClientHello, over as many segments as it took; None where the stream does not begin with one."""
        if self.request_row >= 0:
            alone = client_hello(self.recording.payload(self.request_row))
            if alone is not None and alone.complete:
                return alone
        return client_hello(self.first_bytes(from_client=True, limit_bytes=16384))

    @property
    def tls_answer(self) -> ServerSide:
        """The server's ServerHello, certificates where they are visible, and plain alerts, as captured."""
        return tls_server_side(self.first_bytes(from_client=False))

    @property
    def http_request(self) -> HttpRequest | None:
        """The head of the first HTTP request; None where the stream does not begin with one."""
        return read_request(self.first_bytes(from_client=True))

    @property
    def http_response(self) -> HttpResponse | None:
        """The head of the first HTTP response; None where the server does not begin with one."""
        return read_response(self.first_bytes(from_client=False))

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
