"""One conversation of any protocol, as far as a picture of it needs: its packets, its two sides, and how to find it.

A TCP connection, a DNS transaction, a QUIC connection and a UDP flow are the same thing here, and so is the flow of a
packet that belongs to none of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from captures.recording import Recording
from fingerprint.capture import Capture
from fingerprint.conversations.dns.lookups import Lookup
from fingerprint.conversations.quic.flows import QuicFlow
from fingerprint.conversations.segments import Endpoint
from fingerprint.conversations.streams import Stream, address_text
from fingerprint.technique import Cited

# A filter by numbers stays readable with so many stretches of them; beyond, the first and last number must do.
MOST_STRETCHES = 40
PROTOCOLS = {6: "tcp", 17: "udp"}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Talk:
    """A conversation. ``rows`` are in order of time, reports of routers about it included.

    ``flow_pkts`` are the packets of each flow of the recording, shape (flows,).
    """

    recording: Recording
    flow: int
    rows: NDArray[np.int64]
    client: Endpoint
    server: Endpoint
    client_is_a: bool
    flow_pkts: NDArray[np.int64]
    name: str | None
    kind: str  # stream, lookup, quic, datagrams, flow
    dns_id: int | None = None
    answered: bool = False  # the other side said something; a resolver, an address

    @property
    def capture(self) -> int:
        """Index of the file."""
        return self.recording.index

    @property
    def first_ns(self) -> int:
        """Time of its first packet."""
        return int(self.recording.columns.time_ns[self.rows[0]])

    @property
    def key(self) -> tuple[int, int, int]:
        """What tells it from every other: file, flow, first packet."""
        return self.capture, self.flow, int(self.rows[0]) + 1

    def from_client(self, row: int) -> bool:
        """Whether the client's side sent it; what routers report comes from the other side."""
        c = self.recording.columns
        return int(c.flow[row]) == self.flow and (int(c.direction[row]) == 0) == self.client_is_a

    @property
    def display_filter(self) -> str:
        """Wireshark's words for exactly these packets; the client's address is never in them.

        By the server's address and both ports where no other conversation of the file has them; where ports were used
        again, or another client chose the same, by packet numbers as well.
        """
        protocol = PROTOCOLS.get(int(self.recording.flows.protocol[self.flow]), "tcp")
        family = "ipv6" if ":" in self.server.address else "ip"
        words = [f"{family}.addr == {self.server.address}"]
        words += [f"{protocol}.port == {port}" for port in dict.fromkeys((self.server.port, self.client.port))]
        if self.dns_id is not None:
            words.append(f"dns.id == 0x{self.dns_id:04x}")
        if self._alike_pkts > int((self.recording.columns.flow[self.rows] == self.flow).sum()):
            words.append(f"frame.number in {{{_stretches(self.rows + 1)}}}")
        return " && ".join(words)

    @property
    def _alike_pkts(self) -> int:
        """Packets of every flow between the server's address and any other, with the same two ports."""
        f = self.recording.flows
        server, far = (f.address_b, f.address_a) if self.client_is_a else (f.address_a, f.address_b)
        mine = server[self.flow]
        ports = {self.client.port, self.server.port}
        same = np.isin(f.port_a, list(ports)) & np.isin(f.port_b, list(ports)) & (f.protocol == f.protocol[self.flow])
        same &= (server == mine).all(axis=1) | (far == mine).all(axis=1)
        return int(self.flow_pkts[same].sum())


def _stretches(numbers: NDArray[np.int64]) -> str:
    """``3, 5..9``: packet numbers as Wireshark's set, or from the first to the last where there are too many gaps."""
    rising = np.unique(numbers)
    ends = np.flatnonzero(np.diff(rising) > 1)
    if len(ends) + 1 > MOST_STRETCHES:
        return f"{int(rising[0])}..{int(rising[-1])}"
    starts = [int(rising[0]), *rising[ends + 1].tolist()]
    stops = [*rising[ends].tolist(), int(rising[-1])]
    return ", ".join(str(a) if a == b else f"{a}..{b}" for a, b in zip(starts, stops, strict=True))


class Talks:
    """The conversations of a capture, found by a packet; made into pictures only where somebody asks."""

    def __init__(self, capture: Capture) -> None:
        """Nothing is looked at yet."""
        self.capture = capture
        self._recordings = {r.index: r for r in capture.recordings}
        self._pkts: dict[int, NDArray[np.int64]] = {}

    def of(self, cited: Cited) -> Talk | None:
        """The conversation that a packet belongs to, or that it reports about; None for a packet of no flow."""
        recording = self._recordings.get(cited.capture)
        if recording is None:
            return None
        row = cited.number - 1
        flow, row = self._reported.get(cited, (int(recording.columns.flow[row]), row))
        if flow < 0:
            return None
        for stream in self._streams.get((cited.capture, flow), ()):
            if row in stream.rows:
                return self.of_stream(stream)
        for lookup in self._lookups.get((cited.capture, flow), ()):
            if any(p.number == row + 1 for p in lookup.packets):
                return self.of_lookup(lookup)
        quic = self._quic.get((cited.capture, flow))
        return self.of_quic(quic) if quic else self._of_flow(recording, flow)

    def _flow_pkts(self, recording: Recording) -> NDArray[np.int64]:
        if recording.index not in self._pkts:
            flow = recording.columns.flow
            self._pkts[recording.index] = np.bincount(flow[flow >= 0], minlength=len(recording.flows))
        return self._pkts[recording.index]

    def of_stream(self, s: Stream) -> Talk:
        """A TCP connection."""
        return Talk(
            recording=s.recording, flow=s.flow, rows=self._with_reports(s.recording, s.flow, s.rows), client=s.client,
            server=s.server, client_is_a=s.client_is_a,
            flow_pkts=self._flow_pkts(s.recording), name=s.name, kind="stream", answered=s.answered,
        )  # fmt: skip

    def of_lookup(self, lookup: Lookup) -> Talk:
        """A DNS transaction; over TCP the whole connection that it was made on."""
        if lookup.protocol == "tcp":
            for stream in self._streams.get((lookup.capture, lookup.flow), ()):
                return self.of_stream(stream)
        recording = self._recordings[lookup.capture]
        rows = np.array([p.number - 1 for p in lookup.packets], np.int64)
        asked = (lookup.queries or lookup.answers)[0].head
        first_way = int(recording.columns.direction[rows[0]])
        return Talk(
            recording=recording, flow=lookup.flow, rows=self._with_reports(recording, lookup.flow, rows),
            client=lookup.client, server=lookup.resolver, client_is_a=(first_way == 0) == bool(lookup.queries),
            flow_pkts=self._flow_pkts(recording),
            name=lookup.name or None, kind="lookup", dns_id=asked.id, answered=bool(lookup.addresses),
        )  # fmt: skip

    def of_quic(self, q: QuicFlow) -> Talk:
        """A QUIC connection."""
        return Talk(
            recording=q.recording, flow=q.flow, rows=self._with_reports(q.recording, q.flow, q.rows), client=q.client,
            server=q.server, client_is_a=q.client_is_a,
            flow_pkts=self._flow_pkts(q.recording), name=q.name, kind="quic", answered=q.answered,
        )  # fmt: skip

    def _of_flow(self, recording: Recording, flow: int) -> Talk:
        """A flow that nothing else is known of; whoever sent its first packet counts as the client."""
        f, c = recording.flows, recording.columns
        rows, family = np.flatnonzero(c.flow == flow), int(f.family[flow])
        return Talk(
            recording=recording, flow=flow, rows=self._with_reports(recording, flow, rows), client_is_a=True,
            flow_pkts=self._flow_pkts(recording),
            client=Endpoint(address_text(f.address_a[flow].tobytes(), family), int(f.port_a[flow])),
            server=Endpoint(address_text(f.address_b[flow].tobytes(), family), int(f.port_b[flow])),
            name=None, kind="flow", answered=bool((c.direction[rows] == 1).any()),
        )  # fmt: skip

    def _with_reports(self, recording: Recording, flow: int, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """The rows and those of reports about them, in order of time."""
        reports = self._reports.get((recording.index, flow), ())
        mine = [number - 1 for number, quoted in reports if quoted in rows]
        every = np.concatenate((rows, np.array(mine, np.int64))) if mine else rows
        order: NDArray[np.int64] = every[np.argsort(recording.columns.time_ns[every], kind="stable")]
        return order

    @cached_property
    def _streams(self) -> dict[tuple[int, int], list[Stream]]:
        out: dict[tuple[int, int], list[Stream]] = {}
        for stream in (*self.capture.streams, *(a.stream for a in self.capture.armed)):
            out.setdefault((stream.capture, stream.flow), []).append(stream)
        return out

    @cached_property
    def _lookups(self) -> dict[tuple[int, int], list[Lookup]]:
        out: dict[tuple[int, int], list[Lookup]] = {}
        for lookup in self.capture.lookups:
            out.setdefault((lookup.capture, lookup.flow), []).append(lookup)
        return out

    @cached_property
    def _quic(self) -> dict[tuple[int, int], QuicFlow]:
        return {(q.capture, q.flow): q for q in self.capture.quic}

    def _told(self) -> Iterator[tuple[Cited, int, int]]:
        """Every report of a router or host: itself, the flow and the row that it is about."""
        for refusal in self.capture.unreachables:
            yield Cited(refusal.capture, refusal.number), refusal.flow, refusal.row
        for death in self.capture.expired:
            yield Cited(death.capture, death.number), death.flow, death.row

    @cached_property
    def _reported(self) -> dict[Cited, tuple[int, int]]:
        return {cited: (flow, row) for cited, flow, row in self._told()}

    @cached_property
    def _reports(self) -> dict[tuple[int, int], Sequence[tuple[int, int]]]:
        out: dict[tuple[int, int], list[tuple[int, int]]] = {}
        for cited, flow, row in self._told():
            out.setdefault((cited.capture, flow), []).append((cited.number, row))
        return dict(out)
