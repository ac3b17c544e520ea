"""QUIC connections: who asked for which name over UDP, and whether anything came back.

The Initials are opened only when somebody asks for the name; their keys follow from the packets themselves.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

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
    _named: list[str | None] = field(default_factory=list)
    _opened: list[QuicOpening] = field(default_factory=list)

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

    def _datagrams(self, *, to_server: bool, at_most: int = OPENED_DATAGRAMS) -> list[bytes]:
        c = self.recording.columns
        mine = (c.direction[self.rows] == 0) == (self.client_is_a == to_server)
        rows = self.rows[mine & (c.mark[self.rows] == int(Mark.QUIC_LONG))][:at_most]
        return [self.recording.payload(int(row)) for row in rows]


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
        )
