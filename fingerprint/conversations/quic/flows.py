"""QUIC connections: who asked for which name over UDP, and whether anything came back.

The Initials are opened only when somebody asks for the name; their keys follow from the packets themselves.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from captures.columns import Mark
from captures.recording import Recording
from fingerprint.conversations.segments import Endpoint
from fingerprint.conversations.streams import address_text
from fingerprint.messages.quic import QuicOpening, read_initials

# RFC 9000 section 14.1: a client pads the datagram of its first Initial to 1200 bytes at least.
FIRST_DATAGRAM_BYTES = 1200
# A hello with post-quantum keys takes two datagrams; a Retry or a repetition doubles that.
OPENED_DATAGRAMS = 6
# The hello alone, where only its name is asked for.
FLIGHT_DATAGRAMS = 3
# RFC 9000 section 8.1: a server answers with up to three times what it got; a mere close fits one small datagram.
ANSWERED_DATAGRAMS, ANSWERED_BYTES = 2, 1000
# RFC 9000 section 17: the IANA port on which HTTP/3 servers listen.
HTTPS = 443
# RFC 9000 section 17.2: the form bit of a long header. One with version 0 (Version Negotiation) has no mark of its own.
LONG_HEADER = 0x80
# More datagrams than any opening needs, repeats with growing pauses included.
HEAD_DATAGRAMS = 48


class Datagram(NamedTuple):
    """One UDP datagram of a connection."""

    capture: int
    number: int
    time_ns: int
    from_client: bool
    payload_bytes: int
    long: bool  # begins with a QUIC long header of a version other than 0
    ttl_hops: int
    ip_id: int
    traffic_class: int

    @property
    def row(self) -> int:
        """The row of the recording."""
        return self.number - 1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class QuicFlow:
    """One QUIC connection, as far as a 4-tuple tells connections apart."""

    recording: Recording
    flow: int
    rows: NDArray[np.int64]  # in order of the file
    client: Endpoint
    server: Endpoint
    client_is_a: bool
    client_bytes: int
    server_bytes: int
    server_datagrams: int
    first_ns: int
    last_ns: int
    end_ns: int  # of the recording
    _named: list[str | None] = field(default_factory=list)
    _opened: list[QuicOpening] = field(default_factory=list)
    _head: list[tuple[Datagram, ...]] = field(default_factory=list)
    _long: list[tuple[Datagram, ...]] = field(default_factory=list)

    @property
    def capture(self) -> int:
        """Index of the file."""
        return self.recording.index

    @property
    def trial(self) -> str:
        """What tells this connection from its repeats."""
        return f"{self.capture}:{self.flow}:{int(self.rows[0]) + 1}"

    @property
    def endpoint(self) -> str:
        """The server's side as a report writes it."""
        return f"{self.server}/udp"

    @property
    def opening(self) -> QuicOpening:
        """What the Initials show."""
        if not self._opened:
            self._opened.append(read_initials(self._datagrams(to_server=True), self._datagrams(to_server=False)))
        return self._opened[0]

    @property
    def name(self) -> str | None:
        """The SNI of the client's first flight; None where no Initial could be opened."""
        if not self._named:
            self._named.append(read_initials(self._datagrams(to_server=True, at_most=FLIGHT_DATAGRAMS), ()).sni or None)
        return self._named[0]

    @property
    def answered(self) -> bool:
        """More came back than a refusal."""
        return self.server_datagrams >= ANSWERED_DATAGRAMS and self.server_bytes >= ANSWERED_BYTES

    @property
    def head(self) -> tuple[Datagram, ...]:
        """The first datagrams of both directions, in order of time."""
        if not self._head:
            self._head.append(tuple(self._made(self.rows[:HEAD_DATAGRAMS])))
        return self._head[0]

    @property
    def listened_s(self) -> float:
        """Seconds between the last datagram and the end of its recording."""
        return max(0, self.end_ns - self.last_ns) / 1e9

    def _made(self, rows: NDArray[np.int64]) -> Iterator[Datagram]:
        c, index = self.recording.columns, self.recording.index
        columns = (c.time_ns, c.direction, c.payload_bytes, c.mark, c.ttl, c.ip_id, c.dscp)
        for row, time_ns, way, size, mark, ttl, ip_id, dscp in zip(
            rows.tolist(), *(column[rows].tolist() for column in columns), strict=True
        ):
            from_client = (way == 0) == self.client_is_a
            yield Datagram(index, row + 1, time_ns, from_client, size, mark == Mark.QUIC_LONG, ttl, ip_id, dscp)

    def _datagrams(self, *, to_server: bool, at_most: int = OPENED_DATAGRAMS) -> list[bytes]:
        return [raw for _, raw in self.long_datagrams(to_server=to_server, at_most=at_most)]

    def long_datagrams(self, *, to_server: bool, at_most: int = OPENED_DATAGRAMS) -> tuple[tuple[Datagram, bytes], ...]:
        """The first datagrams of one side that begin with a long header, Version Negotiations included."""
        mine = (d for d in self.long_head if d.from_client == to_server)
        return tuple((d, self.recording.payload(d.row)) for d in islice(mine, at_most))

    @property
    def long_head(self) -> tuple[Datagram, ...]:
        """Those of the first datagrams that begin with a long header, a server's Version Negotiations included."""
        if not self._long:
            self._long.append(tuple(d for d in self.head if d.long or (not d.from_client and self._negotiates(d))))
        return self._long[0]

    def _negotiates(self, d: Datagram) -> bool:
        raw = self.recording.payload(d.row)
        return bool(raw) and bool(raw[0] & LONG_HEADER)


def quic_flows(recording: Recording) -> tuple[QuicFlow, ...]:
    """Every UDP flow in which some client's first long-header datagram has the size of an Initial's."""
    return tuple(_flows(recording))


def _flows(recording: Recording) -> Iterator[QuicFlow]:
    c, f = recording.columns, recording.flows
    long = (c.mark == int(Mark.QUIC_LONG)) & (c.flow >= 0)
    began = np.unique(c.flow[long & (c.payload_bytes >= FIRST_DATAGRAM_BYTES)])
    if not len(began):
        return
    wanted = np.zeros(len(f), bool)
    wanted[began] = True
    rows = np.flatnonzero((c.protocol == 17) & (c.flow >= 0))
    rows = rows[wanted[c.flow[rows]]]
    order = rows[np.argsort(c.flow[rows], kind="stable")]
    starts = np.flatnonzero(np.concatenate(([True], c.flow[order[1:]] != c.flow[order[:-1]])))
    end_ns = recording.ended_ns
    for start, end in zip(starts.tolist(), [*starts[1:].tolist(), len(order)], strict=True):
        mine = order[start:end]
        number, family = int(c.flow[mine[0]]), int(f.family[c.flow[mine[0]]])
        a = Endpoint(address_text(f.address_a[number].tobytes(), family), int(f.port_a[number]))
        b = Endpoint(address_text(f.address_b[number].tobytes(), family), int(f.port_b[number]))
        # The first sender is the client, unless the capture began late and only the port can tell.
        client_is_a = not (a.port == HTTPS and b.port != HTTPS)
        from_client = (c.direction[mine] == 0) == client_is_a
        sizes = c.payload_bytes[mine].astype(np.int64)
        yield QuicFlow(
            recording=recording,
            flow=number,
            rows=mine,
            client=a if client_is_a else b,
            server=b if client_is_a else a,
            client_is_a=client_is_a,
            client_bytes=int(sizes[from_client].sum()),
            server_bytes=int(sizes[~from_client].sum()),
            server_datagrams=int((~from_client).sum()),
            first_ns=int(c.time_ns[mine[0]]),
            last_ns=int(c.time_ns[mine[-1]]),
            end_ns=end_ns,
        )
