"""DNS transactions: who asked which resolver for what, and every answer that claims to be its own.

A transaction is one (client, port, resolver, id, name, type). Repeated queries and answers stay in it, because how
often each came is what tells a race from a retransmission; a copy that the capture itself made (the same packet seen
at two interfaces) is marked with the number of its original. An answer that nobody was seen asking for makes a
transaction without queries, which is all that a one-sided capture has. Multicast DNS (RFC 6762) has no resolver and
is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import NamedTuple

import numpy as np

from captures.columns import Mark, State
from captures.recording import Recording
from fingerprint.conversations.dns.over_tcp import messages_over_tcp
from fingerprint.conversations.segments import Endpoint
from fingerprint.conversations.streams import address_text
from fingerprint.messages.dns import AddressRecord, DnsMessage, Head, addresses, head, parse

# RFC 6762 section 3: the port of multicast DNS.
MULTICAST_PORT = 5353
# glibc resolv.conf(5): RES_TIMEOUT 5 s doubled twice at most; a query with the same id, port and name later than this
# after the last one belongs to another transaction.
REUSE_AFTER_S = 20.0
# Copies made by a capture at two interfaces of one host, or by a switch's mirror port, lie well below this;
# zeek's dns-two-responses sample shows 0.03 ms.
COPY_WITHIN_S = 0.02
# Routers between two capture points of one host or one mirror: a copy may have lost this many hops.
COPY_HOPS = 2


class DnsPacket(NamedTuple):
    """One DNS message as it crossed the wire. Over TCP ``number`` is the packet that completed it."""

    capture: int
    number: int
    time_ns: int
    ttl_hops: int
    ip_id: int
    ip_flags: int  # 4 reserved, 2 DF, 1 MF
    traffic_class: int
    raw: bytes
    head: Head
    copy_of: int | None = None  # number of the packet that the capture recorded twice

    @property
    def message(self) -> DnsMessage | None:
        """The careful reading of its bytes."""
        return parse(self.raw)

    @property
    def addresses(self) -> tuple[AddressRecord, ...]:
        """The A and AAAA records of its answer section."""
        return addresses(self.raw)


@dataclass(frozen=True, kw_only=True)
class Lookup:
    """One DNS transaction. ``listened_s`` runs from the last query to the end of the capture or the id's next use."""

    capture: int
    flow: int
    client: Endpoint
    resolver: Endpoint
    protocol: str  # udp or tcp
    name: str  # lower case, no final dot; "." for the root, "" where no question could be read
    qtype: int
    qclass: int
    queries: tuple[DnsPacket, ...]
    answers: tuple[DnsPacket, ...]
    listened_s: float

    @property
    def first_ns(self) -> int:
        """Time of the first packet."""
        return min(p.time_ns for p in (*self.queries[:1], *self.answers[:1]))

    @property
    def last_ns(self) -> int:
        """Time of the last packet."""
        return max(p.time_ns for p in (*self.queries[-1:], *self.answers[-1:]))

    @cached_property
    def trial(self) -> str:
        """The words that a finding's subject uses to tell this transaction from its repeats."""
        first = min(p.number for p in (*self.queries[:1], *self.answers[:1]))
        return f"{self.capture}:{self.flow}:{first}"

    @cached_property
    def rtt_s(self) -> float | None:
        """From the first query to the first answer; None if one is missing or a repeated query makes it ambiguous."""
        if not self.queries or not self.answers:
            return None
        gap_ns = self.answers[0].time_ns - self.queries[0].time_ns
        if gap_ns < 0 or any(q.copy_of is None and q.time_ns <= self.answers[0].time_ns for q in self.queries[1:]):
            return None
        return gap_ns / 1e9

    @property
    def asked_times(self) -> int:
        """How many queries were sent, capture copies left out."""
        return sum(q.copy_of is None for q in self.queries)

    @cached_property
    def distinct_answers(self) -> tuple[DnsPacket, ...]:
        """The first of each answer that differs in its bytes, in order of arrival."""
        return tuple({answer.raw: answer for answer in reversed(self.answers)}.values())[::-1]

    @cached_property
    def addresses(self) -> tuple[str, ...]:
        """Every address that any of the answers gives, in order, each once."""
        return tuple(dict.fromkeys(record.address for answer in self.answers for record in answer.addresses))

    @property
    def packets(self) -> tuple[DnsPacket, ...]:
        """Queries, then answers."""
        return self.queries + self.answers


def lookups(recording: Recording) -> tuple[Lookup, ...]:
    """All DNS transactions of a recording, UDP and TCP, in order of their first packet."""
    end_ns = recording.ended_ns
    found = [
        *_gather(recording, _over_udp(recording), "udp", end_ns),
        *_gather(recording, _over_tcp(recording), "tcp", end_ns),
    ]
    return tuple(sorted(found, key=lambda lookup: (lookup.first_ns, lookup.packets[0].number)))


@dataclass(slots=True)
class _Open:
    """A transaction while its packets are being gathered."""

    flow: int
    client_is_a: bool
    head: Head
    queries: list[DnsPacket] = field(default_factory=list)
    answers: list[DnsPacket] = field(default_factory=list)
    reused_ns: int | None = None


Arrival = tuple[int, int, DnsPacket]  # flow, direction, message


def _over_udp(recording: Recording) -> Iterator[Arrival]:
    """Every DNS message over UDP, in order of the file."""
    c = recording.columns
    flows = recording.flows
    multicast = (flows.port_a == MULTICAST_PORT) | (flows.port_b == MULTICAST_PORT)
    wanted = (c.protocol == 17) & ((c.mark == Mark.DNS_QUERY) | (c.mark == Mark.DNS_ANSWER)) & (c.flow >= 0)
    rows = np.flatnonzero(wanted)
    rows = rows[~multicast[c.flow[rows]]]
    broken = (c.state[rows] & (State.FRAGMENT | State.TUNNEL | State.CUT)) != 0
    columns = (c.flow, c.direction, c.time_ns, c.ttl, c.ip_id, c.ip_flags, c.dscp)
    spans = (c.offset.astype(np.int64) + c.payload_offset, c.payload_bytes)
    read, index = recording.source.read, recording.index
    for row, odd, flow, direction, time_ns, ttl, ip_id, flags, dscp, offset, size in zip(
        rows.tolist(), broken.tolist(), *(column[rows].tolist() for column in (*columns, *spans)), strict=True
    ):
        raw = recording.payload(row) if odd else read(offset, size)
        first = head(raw)
        if first is not None:
            yield flow, direction, DnsPacket(index, row + 1, time_ns, ttl, ip_id, flags, dscp, raw, first)


def _over_tcp(recording: Recording) -> Iterator[Arrival]:
    """Every DNS message over TCP, in order of completion."""
    c = recording.columns
    arrivals = []
    for flow, direction, row, time_ns, raw in messages_over_tcp(recording):
        first = head(raw)
        if first is None:
            continue
        packet = DnsPacket(
            capture=recording.index,
            number=row + 1,
            time_ns=time_ns,
            ttl_hops=int(c.ttl[row]),
            ip_id=int(c.ip_id[row]),
            ip_flags=int(c.ip_flags[row]),
            traffic_class=int(c.dscp[row]),
            raw=raw,
            head=first,
        )
        arrivals.append((flow, direction, packet))
    yield from sorted(arrivals, key=lambda arrival: (arrival[2].time_ns, arrival[2].number))


def _gather(recording: Recording, arrivals: Iterable[Arrival], protocol: str, end_ns: int) -> Iterator[Lookup]:
    """Join queries and answers into transactions, in order of their first message."""
    everything: list[_Open] = []
    same_question: dict[tuple[int, int, bool, bytes], _Open] = {}
    last_asked: dict[tuple[int, int, bool], _Open] = {}
    for flow, direction, packet in arrivals:
        first = packet.head
        client_is_a = (direction == 0) != first.is_answer
        under = (flow, first.id, client_is_a)
        transaction = same_question.get((*under, first.key))
        if first.is_answer and not first.key:
            transaction = last_asked.get(under, transaction)
        if transaction is None or (not first.is_answer and _reused(transaction, packet)):
            before = last_asked.get(under)
            if before is not None and not first.is_answer:
                before.reused_ns = packet.time_ns
            transaction = same_question[*under, first.key] = _Open(flow, client_is_a, first)
            everything.append(transaction)
        if first.is_answer:
            side = transaction.answers
        else:
            side = transaction.queries
            last_asked[under] = transaction
        side.append(_marked(packet, side) if side else packet)
    ends = _ends(recording, (transaction.flow for transaction in everything))
    for transaction in everything:
        yield _closed(transaction, recording.index, ends[transaction.flow], protocol, end_ns)


def _reused(transaction: _Open, query: DnsPacket) -> bool:
    """Whether a query with the ports, id and question of an earlier transaction begins another one."""
    last = (transaction.queries or transaction.answers)[-1]
    return query.time_ns - last.time_ns > REUSE_AFTER_S * 1e9


def _marked(packet: DnsPacket, before: list[DnsPacket]) -> DnsPacket:
    """The packet, marked as a copy if an earlier one is the same packet seen again."""
    for earlier in reversed(before):
        if packet.time_ns - earlier.time_ns > COPY_WITHIN_S * 1e9:
            break
        if _same_packet(earlier, packet):
            return packet._replace(copy_of=earlier.copy_of or earlier.number)
    return packet


def _same_packet(earlier: DnsPacket, later: DnsPacket) -> bool:
    """Equal bytes and IP ID, and a TTL that differs by no more than the routers between two capture points."""
    if earlier.raw != later.raw or earlier.ip_id != later.ip_id or earlier.ip_flags != later.ip_flags:
        return False
    return abs(earlier.ttl_hops - later.ttl_hops) <= COPY_HOPS


def _closed(transaction: _Open, capture: int, ends: tuple[Endpoint, Endpoint], protocol: str, end_ns: int) -> Lookup:
    client, resolver = ends if transaction.client_is_a else ends[::-1]
    first = transaction.head
    since_ns = (transaction.queries or transaction.answers)[-1].time_ns
    until_ns = end_ns if transaction.reused_ns is None else transaction.reused_ns
    return Lookup(
        capture=capture,
        flow=transaction.flow,
        client=client,
        resolver=resolver,
        protocol=protocol,
        name=first.name or "",
        qtype=first.qtype or 0,
        qclass=first.qclass or 0,
        queries=tuple(transaction.queries),
        answers=tuple(transaction.answers),
        listened_s=max(until_ns - since_ns, 0) / 1e9,
    )


def _ends(recording: Recording, wanted: Iterable[int]) -> dict[int, tuple[Endpoint, Endpoint]]:
    """Flow → both its ends, the sender of its first packet first."""
    rows = sorted(set(wanted))
    flows, text = recording.flows, cache(address_text)
    a, b = flows.address_a[rows].tobytes(), flows.address_b[rows].tobytes()
    ports = (flows.family[rows].tolist(), flows.port_a[rows].tolist(), flows.port_b[rows].tolist())
    return {
        flow: (
            Endpoint(text(a[16 * i : 16 * i + 16], family), port_a),
            Endpoint(text(b[16 * i : 16 * i + 16], family), port_b),
        )
        for i, (flow, family, port_a, port_b) in enumerate(zip(rows, *ports, strict=True))
    }
