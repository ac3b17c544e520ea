"""UDP flows other than DNS and QUIC: who spoke first, how often, and whether anything came back.

A flow is one 5-tuple. Whatever an address is asked on UDP it may ignore, so silence alone is no failure; what speaks
beside it is gathered in `fingerprint.conversations.udp.places`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from ipaddress import ip_address

import numpy as np
from numpy.typing import NDArray

from captures.columns import Mark
from captures.recording import Recording
from fingerprint.conversations.segments import Endpoint
from fingerprint.conversations.streams import address_text
from fingerprint.messages.first_payload import first_payload

# Ports of services that speak to the whole link or that other techniques read: DNS, DHCP, mDNS, LLMNR, NetBIOS, SSDP.
NOT_OURS = frozenset({53, 67, 68, 137, 138, 546, 547, 1900, 5353, 5355})
# Hosts begin with a TTL of 32, 64, 128 or 255 (the lowest is long out of use); what is below that by so many hops that
# no path explains it was sent to die on the way, as traceroute does.
SENT_TO_DIE_HOPS = 30
# Of a flow's client, that many first datagrams are looked at.
LOOKED_AT = 12


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Datagram:
    """One datagram of a flow."""

    capture: int
    number: int
    time_ns: int
    from_client: bool
    payload_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DatagramFlow:
    """One UDP flow; the client is who spoke first, unless the ports say that the capture began in the middle."""

    recording: Recording
    flow: int
    rows: NDArray[np.int64]  # in order of the file
    client: Endpoint
    server: Endpoint
    client_is_a: bool
    client_bytes: int
    server_bytes: int
    client_datagrams: int
    server_datagrams: int
    first_ns: int
    last_ns: int
    last_heard_ns: int  # of the server's last datagram, 0 without any
    ended_ns: int  # of the recording
    ttl_hops: int  # of the client's first datagram
    _first: list[bytes] = field(default_factory=list)

    @property
    def capture(self) -> int:
        """Index of the file."""
        return self.recording.index

    @property
    def trial(self) -> str:
        """What tells this flow from its repeats."""
        return f"{self.capture}:{self.flow}:{int(self.rows[0]) + 1}"

    @property
    def endpoint(self) -> str:
        """The server's side as a report writes it."""
        return f"{self.server}/udp"

    @property
    def answered(self) -> bool:
        """Something came back, whatever it was."""
        return self.server_datagrams > 0

    @property
    def sent_to_die(self) -> bool:
        """The client's datagrams were not meant to arrive."""
        return 0 < self.ttl_hops <= SENT_TO_DIE_HOPS

    @property
    def payload(self) -> bytes:
        """The client's first payload."""
        if not self._first:
            row = next(iter(self._rows(from_client=True)), None)
            self._first.append(b"" if row is None else self.recording.payload(int(row)))
        return self._first[0]

    @property
    def kind(self) -> str:
        """What the first payload is (`fingerprint.messages.first_payload`)."""
        return first_payload(self.payload, over="udp")

    @property
    def span_s(self) -> float:
        """From the client's first datagram to its last."""
        times = self.recording.columns.time_ns[self._rows(from_client=True)]
        return float(times[-1] - times[0]) / 1e9 if len(times) > 1 else 0.0

    @property
    def waited_s(self) -> float:
        """From the client's last datagram to the end of the recording."""
        times = self.recording.columns.time_ns[self._rows(from_client=True)]
        return max(0.0, float(self.ended_ns - times[-1]) / 1e9) if len(times) else 0.0

    @property
    def ended_silence_s(self) -> float:
        """How long the client went on sending after the server's last word; 0.0 where it never spoke."""
        return max(0.0, (self.last_ns - self.last_heard_ns) / 1e9) if self.last_heard_ns else 0.0

    def datagrams(self, *, from_client: bool, at_most: int = LOOKED_AT) -> tuple[Datagram, ...]:
        """The first datagrams of one side."""
        c = self.recording.columns
        return tuple(
            Datagram(
                capture=self.capture,
                number=row + 1,
                time_ns=int(c.time_ns[row]),
                from_client=from_client,
                payload_bytes=int(c.payload_bytes[row]),
            )
            for row in self._rows(from_client=from_client)[:at_most].tolist()
        )

    def _rows(self, *, from_client: bool) -> NDArray[np.int64]:
        mine = (self.recording.columns.direction[self.rows] == 0) == (self.client_is_a == from_client)
        rows: NDArray[np.int64] = self.rows[mine]
        return rows


def datagram_flows(recording: Recording, *, without: Collection[int] = ()) -> tuple[DatagramFlow, ...]:
    """Every UDP flow between two hosts but those of DNS, of the link's own services, and ``without`` (QUIC's)."""
    return tuple(_flows(recording, frozenset(without)))


def _flows(recording: Recording, without: frozenset[int]) -> Iterator[DatagramFlow]:
    c, f = recording.columns, recording.flows
    rows = np.flatnonzero((c.protocol == 17) & (c.flow >= 0))
    if not len(rows):
        return
    ports = sorted(NOT_OURS)
    wanted = ~(np.isin(f.port_a, ports) | np.isin(f.port_b, ports))
    wanted[[flow for flow in without if flow < len(f)]] = False
    wanted[np.unique(c.flow[rows[np.isin(c.mark[rows], (int(Mark.DNS_QUERY), int(Mark.DNS_ANSWER)))]])] = False
    rows = rows[wanted[c.flow[rows]]]
    if not len(rows):
        return
    ended_ns = recording.ended_ns
    order = rows[np.argsort(c.flow[rows], kind="stable")]
    starts = np.flatnonzero(np.concatenate(([True], c.flow[order[1:]] != c.flow[order[:-1]])))
    for start, end in zip(starts.tolist(), [*starts[1:].tolist(), len(order)], strict=True):
        mine = order[start:end]
        number, family = int(c.flow[mine[0]]), int(f.family[c.flow[mine[0]]])
        texts = [address_text(side[number].tobytes(), family) for side in (f.address_a, f.address_b)]
        if any(_is_everybody(text) for text in texts):
            continue
        a, b = Endpoint(texts[0], int(f.port_a[number])), Endpoint(texts[1], int(f.port_b[number]))
        client_is_a = not _serves(a.port, b.port)
        from_client = (c.direction[mine] == 0) == client_is_a
        sizes = c.payload_bytes[mine].astype(np.int64)
        times = c.time_ns[mine]
        yield DatagramFlow(
            recording=recording,
            flow=number,
            rows=mine,
            client=a if client_is_a else b,
            server=b if client_is_a else a,
            client_is_a=client_is_a,
            client_bytes=int(sizes[from_client].sum()),
            server_bytes=int(sizes[~from_client].sum()),
            client_datagrams=int(from_client.sum()),
            server_datagrams=int((~from_client).sum()),
            first_ns=int(times[0]),
            last_ns=int(times[-1]),
            last_heard_ns=int(times[~from_client][-1]) if (~from_client).any() else 0,
            ended_ns=ended_ns,
            ttl_hops=int(c.ttl[mine[from_client][0]]) if from_client.any() else 0,
        )


def _serves(first: int, other: int) -> bool:
    """Whether the first sender is the server: RFC 6335, section 6: services register below 49152, most below 1024."""
    return first < 1024 <= other


def _is_everybody(address: str) -> bool:
    """Multicast and broadcast have no far end."""
    parsed = ip_address(address)
    return parsed.is_multicast or parsed.is_unspecified or address == "255.255.255.255"
