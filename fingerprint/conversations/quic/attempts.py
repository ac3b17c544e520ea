"""What became of each QUIC connection that was tried: answered, left without a word, closed, or heard no more.

RFC 9000: a server that reads an Initial answers it, if only to close (section 10.2.3) or to name its versions (6.1).
Until it has heard from the client's address again it may send three times what it received (8.1), so an exchange that
stays below that never got beyond the client's first flight.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from fingerprint.conversations.path.expired import Expired
from fingerprint.conversations.path.unreachable import Unreachable
from fingerprint.conversations.quic.flows import FIRST_DATAGRAM_BYTES, OPENED_DATAGRAMS, Datagram, QuicFlow
from fingerprint.conversations.resets.endings import INITIAL_TTLS_HOPS
from fingerprint.conversations.streams import Stream
from fingerprint.messages.quic import Kind, QuicPacket, version_name

# Datagrams that leave together are one sending; RFC 9002 section 6.2.1: a repeat waits for a millisecond at least, and
# in practice for a round trip.
ONE_SENDING_S = 0.05
# RFC 9000 section 8.1.
AMPLIFIED = 3
# RFC 1812 section 5.3.1 and the systems' initial TTLs: what starts lower than any of these was meant to die early.
MOST_HOPS = 31

ANSWERED, UNANSWERED, CLOSED, NEGOTIATED, REFUSED, DEAF = (
    "answered", "unanswered", "closed", "negotiated", "refused", "deaf",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class QuicAttempt:
    """One connection that began in the capture. ``outcome`` is one of the words above."""

    flow: QuicFlow
    name: str | None
    version: str | None  # of the client's first packet, as people write it
    outcome: str
    initials: tuple[Datagram, ...]  # the client's, one for each sending, until something came back
    answer: Datagram | None  # the first datagram in the server's name
    packets: tuple[tuple[Datagram, QuicPacket], ...]  # in the server's name, with long headers
    unheard: tuple[Datagram, ...]  # of the client after the server's last word
    refusals: tuple[Unreachable, ...]  # ICMP about its Initials

    @property
    def place(self) -> tuple[str, str, int]:
        """Client and server of attempts that are compared."""
        return self.flow.client.address, self.flow.server.address, self.flow.server.port

    @property
    def trial(self) -> str:
        """What tells it from its repeats."""
        return self.flow.trial

    @property
    def first_ns(self) -> int:
        """When it began."""
        return self.flow.first_ns

    @property
    def passed(self) -> bool:
        """The server spoke QUIC and was heard."""
        return self.outcome in (ANSWERED, DEAF)

    @property
    def rtt_s(self) -> float | None:
        """From the one Initial to the server's hello; None where either was repeated or is missing."""
        hello = next((d for d, p in self.packets if p.crypto), None)
        if len(self.initials) != 1 or hello is None:
            return None
        return (hello.time_ns - self.initials[0].time_ns) / 1e9


def attempts(flows: Iterable[QuicFlow], refusals: Mapping[tuple[int, int], Sequence[Unreachable]]) -> list[QuicAttempt]:
    """Every connection whose first Initial was seen, in order of the capture. ``refusals`` by file and flow."""
    out = []
    for flow in flows:
        first = flow.head[0]
        if not first.from_client or not first.long or first.payload_bytes < FIRST_DATAGRAM_BYTES:
            continue
        out.append(_attempt(flow, tuple(refusals.get((flow.capture, flow.flow), ()))))
    return out


def _attempt(flow: QuicFlow, refusals: tuple[Unreachable, ...]) -> QuicAttempt:
    opening = flow.opening
    theirs = [d for d in flow.head if not d.from_client]
    answer = theirs[0] if theirs else None
    long = [d for d in flow.long_head if not d.from_client][:OPENED_DATAGRAMS]
    packets = tuple((long[p.datagram], p) for p in opening.packets if not p.from_client and p.datagram < len(long))
    left = {p.datagram for p in opening.packets if p.from_client and p.closes}
    mine = [d for d in flow.long_head if d.from_client]
    given_up = {mine[i].number for i in left if i < len(mine)}
    before = [d for d in mine if (answer is None or d.time_ns <= answer.time_ns) and d.number not in given_up]
    initials = [d for d in before if d.payload_bytes >= FIRST_DATAGRAM_BYTES]
    unheard = _unheard(flow, theirs)
    # A client that has gone away is reported to the server in the same words, about the server's datagrams.
    refused = tuple(r for r in refusals if r.client == flow.client)
    return QuicAttempt(
        flow=flow,
        name=flow.name,
        version=opening.version_name,
        outcome=_outcome(flow, theirs, packets, refused, unheard),
        initials=tuple(_sendings(initials)),
        answer=answer,
        packets=packets,
        unheard=unheard,
        refusals=refused,
    )


def _outcome(
    flow: QuicFlow,
    theirs: Sequence[Datagram],
    packets: Sequence[tuple[Datagram, QuicPacket]],
    refusals: Sequence[Unreachable],
    unheard: Sequence[Datagram],
) -> str:
    if not theirs:
        return REFUSED if refusals else UNANSWERED
    # A server's flight, a Retry, 1-RTT, or the words of a version that nobody here can read.
    spoke = [p for _, p in packets if p.crypto or p.kind in (Kind.HANDSHAKE, Kind.RETRY, Kind.UNKNOWN)]
    only_long = len({d.number for d, _ in packets}) == len(theirs)
    if only_long and not spoke and any(p.closes for _, p in packets):
        return CLOSED
    if only_long and not spoke and any(p.kind is Kind.VERSION_NEGOTIATION for _, p in packets):
        return NEGOTIATED
    return DEAF if len(unheard) > 1 and _one_flight(flow, theirs) else ANSWERED


def _one_flight(flow: QuicFlow, theirs: Sequence[Datagram]) -> bool:
    """All that came from the server answers the client's first flight, and nothing that followed it.

    Within a round trip of it, or repeated: what a server says to a heard client's second flight has short headers.
    """
    sent = [d for d in flow.head if d.from_client and d.time_ns <= theirs[0].time_ns]
    later = [d for d in flow.head if d.from_client and d.time_ns > theirs[0].time_ns]
    if not sent or not later or flow.server_datagrams != len(theirs):
        return False
    rtt_ns = theirs[0].time_ns - sent[-1].time_ns
    answers = [d for d in theirs if d.time_ns >= later[0].time_ns + rtt_ns // 2 and not d.long]
    heard = sum(d.payload_bytes for d in theirs)
    return not answers and heard <= AMPLIFIED * sum(d.payload_bytes for d in sent)


def _unheard(flow: QuicFlow, theirs: Sequence[Datagram]) -> tuple[Datagram, ...]:
    """What the client sent after the server's last word, if it is seen to the end."""
    if not theirs or len(flow.head) < len(flow.rows):
        return ()
    return tuple(_sendings([d for d in flow.head if d.from_client and d.time_ns > theirs[-1].time_ns]))


def _sendings(datagrams: Sequence[Datagram]) -> list[Datagram]:
    """The first of those that left together."""
    out: list[Datagram] = []
    for d in datagrams:
        if not out or (d.time_ns - out[-1].time_ns) / 1e9 >= ONE_SENDING_S:
            out.append(d)
    return out


def limited(flows: Sequence[QuicFlow], streams: Iterable[Stream]) -> frozenset[str]:
    """Trials of the flows whose Initials were sent to die on the way: their client sends others with a usual TTL.

    Such a TTL shows that the capture was taken beside the client, so that a smaller one was chosen.
    """
    first = [(f, f.head[0]) for f in flows if f.head[0].from_client]
    few = [f for f, d in first if d.ttl_hops <= MOST_HOPS]
    if not few:
        return frozenset()
    beside = {(f.capture, f.client.address) for f, d in first if d.ttl_hops in INITIAL_TTLS_HOPS}
    beside |= {
        (s.capture, s.client.address)
        for s in streams
        if s.role_from == "syn" and int(s.recording.columns.ttl[s.rows[0]]) in INITIAL_TTLS_HOPS
    }
    return frozenset(f.trial for f in few if (f.capture, f.client.address) in beside)


def offered(attempt: QuicAttempt) -> tuple[str, ...]:
    """The versions that a Version Negotiation of the attempt lists."""
    lists = [p.versions for _, p in attempt.packets if p.kind is Kind.VERSION_NEGOTIATION]
    return tuple(version_name(v) for v in lists[0]) if lists else ()


def died(attempt: QuicAttempt, reports: Mapping[tuple[int, int], Sequence[Expired]]) -> tuple[Expired, ...]:
    """What routers reported of its Initials."""
    rows = {d.row for d in attempt.flow.head if d.from_client}
    return tuple(e for e in reports.get((attempt.flow.capture, attempt.flow.flow), ()) if e.row in rows)
