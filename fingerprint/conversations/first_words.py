"""The first bytes that a client says on a TCP connection, and what becomes of them, whoever speaks first.

`fingerprint.conversations.openings` takes a server's banner for the answer; here only what follows the client's own
first data packet counts. Outcomes:

answered        the server said something after it had received them
taken           they were acknowledged, and nothing more was said
closed          the server closed (FIN) after they were sent, in good order
reset           a RST in the server's name came after they were sent, before anything else that it said
unheard         no acknowledgement ever covered them
deaf            they were acknowledged, and what the client said afterwards never was
abandoned       the client left, or the capture ended, before anything could be told
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import comb

from fingerprint.conversations.segments import ACK, FIN, RST, SYN, Segment
from fingerprint.conversations.streams import Stream
from fingerprint.messages.first_payload import first_payload

# RFC 6298: copies leave after one, three, seven initial timeouts; the fourth sending is not lost by chance.
COPIES, SPAN_S = 4, 2.0
# The same for what follows them: a FIN and its repetitions.
DEAF_COPIES, DEAF_S = 3, 1.5
PASSED = frozenset({"answered", "taken", "closed"})


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstWords:
    """The first data packet of a client and its fate."""

    stream: Stream
    payload: bytes  # of that packet alone: what a filter of first packets reads
    kind: str  # see `fingerprint.messages.first_payload`
    sent: tuple[Segment, ...]  # every sending of it
    acknowledged: Segment | None  # by the server
    heard_before: Segment | None  # what the server had said by itself
    answer: Segment | None  # the server's first payload afterwards
    ending: Segment | None  # the server's FIN or RST afterwards, unless the client had left before
    unheard: tuple[Segment, ...]  # later segments of the client that nothing acknowledges
    met: bool  # the handshake was captured and complete
    outcome: str

    @property
    def size_bytes(self) -> int:
        """Of the packet."""
        return self.sent[0].payload_bytes

    @property
    def lost_bytes(self) -> int:
        """Size of the largest packet that was not received."""
        return max((s.payload_bytes for s in self.unheard), default=0) if self.acknowledged else self.size_bytes

    @property
    def span_s(self) -> float:
        """From the first sending to the last."""
        return (self.sent[-1].time_ns - self.sent[0].time_ns) / 1e9

    @property
    def deaf_s(self) -> float:
        """From the first to the last of what went unheard afterwards."""
        return (self.unheard[-1].time_ns - self.unheard[0].time_ns) / 1e9 if self.unheard else 0.0

    @property
    def passed(self) -> bool:
        """The server received them, and nothing cut the connection for it."""
        return self.outcome in PASSED


def first_words(stream: Stream) -> FirstWords | None:
    """What a stream's client said first; None where it said nothing, or its first packet was not captured."""
    head = stream.head
    said = [s for s in head if s.from_client and s.payload_bytes and not s.flags & (SYN | RST)]
    if not said or said[0].seq != 1:
        return None
    first = said[0]
    sent = tuple(s for s in said if s.seq <= first.seq < s.end)
    server = [s for s in head if not s.from_client and s.time_ns >= first.time_ns]
    acknowledged = next((s for s in server if s.flags & ACK and not s.flags & RST and s.ack >= first.end), None)
    answer = next((s for s in server if s.payload_bytes and not s.flags & (SYN | RST) and s.ack >= first.end), None)
    left = next(
        (s.time_ns for s in head if s.from_client and s.flags & (FIN | RST) and s.time_ns > first.time_ns), None
    )
    ending = next((s for s in server if s.flags & (FIN | RST) and (left is None or s.time_ns < left)), None)
    covered = max((s.ack for s in server if s.flags & ACK and not s.flags & RST), default=0)
    unheard = tuple(
        s
        for s in head
        if s.from_client
        and s.time_ns > first.time_ns
        and not s.flags & (SYN | RST)
        and s.seq >= first.end
        and s.end + bool(s.flags & FIN) > max(covered, s.seq)
    )
    syn_ack = next((s for s in head if not s.from_client and s.flags & SYN and s.flags & ACK), None)
    payload = stream.recording.payload(first.row)
    words = FirstWords(
        stream=stream,
        payload=payload,
        kind=first_payload(payload, over="tcp"),
        sent=sent,
        acknowledged=acknowledged,
        heard_before=next(
            (s for s in head if not s.from_client and s.payload_bytes and s.time_ns < first.time_ns), None
        ),
        answer=answer,
        ending=ending,
        unheard=unheard,
        met=syn_ack is not None,
        outcome="",
    )
    return _told(words)


def _told(w: FirstWords) -> FirstWords:
    if w.ending is not None and w.ending.flags & RST and (w.answer is None or w.ending.time_ns < w.answer.time_ns):
        return replace(w, outcome="reset")
    if w.acknowledged is None:
        enough = len(w.sent) >= COPIES and w.span_s >= SPAN_S
        return replace(w, outcome="unheard" if enough else "abandoned")
    if len(w.unheard) >= DEAF_COPIES and w.deaf_s >= DEAF_S:
        return replace(w, outcome="deaf")
    if w.answer is not None:
        return replace(w, outcome="answered")
    return replace(w, outcome="closed" if w.ending is not None else "taken")


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """One client, one address, one port: all the first words that were tried there, in order of time."""

    client: str
    address: str
    port: int
    tried: tuple[FirstWords, ...]


def spots(streams: Iterable[Stream]) -> tuple[Spot, ...]:
    """Places where some client's first words that are neither TLS nor HTTP may have failed."""
    at: dict[tuple[int, str, str, int], list[Stream]] = {}
    for s in streams:
        if s.request_row >= 0 and s.request_ttl_hops is None:
            at.setdefault((s.capture, s.client.address, s.server.address, s.server.port), []).append(s)
    return tuple(
        Spot(client=client, address=address, port=port, tried=tuple(w for s in here if (w := first_words(s))))
        for (_, client, address, port), here in at.items()
        if any(s.protocol == "tcp" and _may_have_failed(s) for s in here)
    )


def _may_have_failed(s: Stream) -> bool:
    """From the summary: the server never finished in good order, or something cut the connection."""
    return bool(s.server_flags & RST) or not s.server_flags & FIN


def chance(failed: int, alike: int, others: int) -> float:
    """How likely it is that all of ``failed`` failures fall among the ``alike`` first, and none among ``others``.

    If failures hit connections blindly: one over the ways to choose them, as in Fisher's exact test.
    """
    return comb(alike, failed) / comb(alike + others, failed) if failed else 1.0


def in_turn(failed: Sequence[FirstWords], passed: Sequence[FirstWords], streams: Iterable[Stream]) -> bool:
    """Whether the host was seen alive after the first failure as well as before it, on any port."""
    first_ns = failed[0].sent[0].time_ns
    before = any(w.sent[0].time_ns < first_ns for w in passed)
    after = any(w.sent[0].time_ns > first_ns for w in passed) or any(
        s.answer_row >= 0 and s.first_ns > first_ns for s in streams
    )
    return before and after
