"""Answers to requests in the clear, and what the packets say about who sent them.

Whoever forges an answer must speak in the server's name on the server's own connection. Five things give it away: other
bytes at the same place in the stream, a time that the server could not have kept, headers that the server uses nowhere
else, a server that has never had the request, and the same words for hosts that have nothing to do with each other.
None of them is a verdict: proxies, portals and load balancers do some of it too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from heapq import nsmallest

import numpy as np

from captures.columns import State
from fingerprint.capture import Capture
from fingerprint.conversations.handshake import handshake
from fingerprint.conversations.resets import headers as resets_headers
from fingerprint.conversations.resets import timing as resets_timing
from fingerprint.conversations.resets.endings import INITIAL_TTLS_HOPS, NEAR_S, Ending, without_twins
from fingerprint.conversations.resets.headers import SAME_SENDER_HOPS
from fingerprint.conversations.resets.timing import Delay
from fingerprint.conversations.segments import ACK, FIN, RST, SYN, Segment
from fingerprint.conversations.streams import Stream
from fingerprint.messages.http_page import LOOKED_AT_BYTES, Page, read_page

# A keep-alive repeats one byte, sometimes another one (RFC 9293 section 3.8.4); fewer bytes than these show no second
# answer, and fewer that differ may be damage.
LEAST_OVERLAP_BYTES, LEAST_DIFFERENT_BYTES = 16, 8
# Pairs of segments of one stream whose bytes are compared: repetitions are common, forgeries come first.
COMPARED = 64
# Other connections to the same place that tell how the server speaks, nearest in time first.
ASKED_STREAMS = 40
# So many packets after a handshake show a manner; the first alone may be a proxy's.
SETTLED_PKTS = 2


# What a home or an office puts between its hosts and its provider: an answer that crossed no more may be its own.
HOUSE_HOPS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How the server speaks after the handshakes of other connections to the same port, as one client sees it."""

    own: tuple[Segment, ...]  # its packets there, but for answers to the name in question
    answers: tuple[Segment, ...]  # the first payload for each of the other names


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer in the server's name. ``rivals`` are segments with other bytes at the same place in the stream."""

    stream: Stream
    request: tuple[Segment, ...]
    segments: tuple[Segment, ...]
    rivals: tuple[Segment, ...]
    page: Page
    other: Page | None  # what the rivals say
    fields: tuple[str, ...]  # of the IP and TCP headers, unlike the server's other packets
    settled: bool  # the server's manner is known from more than handshakes, and is that of its handshake
    shared: bool  # the server's answers to other names have the same headers
    delay: Delay | None
    resets: tuple[Segment, ...]  # in the same name and headers, right behind
    unaware: tuple[Segment, ...]  # the server's own later packets, none of which acknowledges the request

    @property
    def first(self) -> Segment:
        """The segment that the answer begins with."""
        return self.segments[0]

    @property
    def unlike(self) -> bool:
        """Another sender's packet, by its headers or its time: not the server's own, rewritten on the way."""
        return len(self.fields) >= 2 or bool(self.delay and self.delay.sooner)

    @property
    def nearby(self) -> bool:
        """It crossed so few routers, or took so little time, that the house may have answered."""
        hops = next(initial for initial in sorted(INITIAL_TTLS_HOPS) if initial >= self.first.ttl_hops)
        return hops - self.first.ttl_hops <= HOUSE_HOPS or bool(self.delay and self.delay.elapsed_s < NEAR_S)

    @property
    def closes(self) -> bool:
        """The segment that begins the answer ends the connection as well."""
        return bool(self.first.flags & FIN)


def worth_a_look(stream: Stream) -> bool:
    """Whether the columns alone allow that an answer is not the server's; most streams need no second look."""
    if stream.answer_row < 0 or stream.request_row < 0:
        return False
    c, answer = stream.recording.columns, stream.answer_row
    first = stream.rows[:8]
    flags = c.tcp_flags[first] & (SYN | ACK | RST)
    offers, asks = first[flags == SYN | ACK], first[flags == SYN]
    if bool(c.tcp_flags[answer] & FIN) or _overlaps(stream):
        return True
    if not len(offers):
        return False
    offer = offers[0]
    if abs(int(c.ttl[answer]) - int(c.ttl[offer])) > SAME_SENDER_HOPS or (c.ip_flags[answer] ^ c.ip_flags[offer]) & 2:
        return True
    if bool(c.state[offer] & State.TIMESTAMPS) and not c.state[answer] & State.TIMESTAMPS:
        return True
    elapsed_ns = int(c.time_ns[answer] - c.time_ns[stream.request_row])
    return bool(len(asks)) and elapsed_ns < int(c.time_ns[offer] - c.time_ns[asks[0]])


def _overlaps(stream: Stream) -> bool:
    """Whether the server's direction says something twice."""
    theirs = stream.series(from_client=False)
    said = (theirs.payload_bytes > 0) & ((theirs.flags & (SYN | RST)) == 0)
    seq, end = theirs.seq[said], (theirs.seq + theirs.payload_bytes)[said]
    return len(seq) > 1 and bool((seq[1:] < np.maximum.accumulate(end)[:-1]).any())


def answers(capture: Capture, stream: Stream, tick_s: float) -> Iterator[Answer]:
    """The doubtful answers of a stream: the forged one of two, or else the first if anything is odd about it."""
    said = [s for s in without_twins(stream.from_server) if s.payload_bytes and not s.flags & (SYN | RST)]
    if not said:
        return
    manner = _manner(capture, stream)
    two = _two_answers(stream, said)
    if two is None:
        yield _answer(capture, stream, said[0], (), manner, tick_s)
        return
    one, other = two
    both = [_answer(capture, stream, s, (r,), manner, tick_s) for s, r in ((one, other), (other, one))]
    yield max(both, key=lambda a: (len(a.fields), a.first is one))


def _two_answers(stream: Stream, said: Sequence[Segment]) -> tuple[Segment, Segment] | None:
    """The first two segments that put different bytes at one place of the stream."""
    compared = 0
    for i, later in enumerate(said):
        for earlier in said[:i]:
            start, end = max(earlier.seq, later.seq), min(earlier.end, later.end)
            if end - start < LEAST_OVERLAP_BYTES:
                continue
            compared += 1
            if compared > COMPARED:
                return None
            a, b = (stream.recording.payload(s.row)[start - s.seq : end - s.seq] for s in (earlier, later))
            if sum(x != y for x, y in zip(a, b, strict=False)) >= LEAST_DIFFERENT_BYTES:
                return earlier, later
    return None


def _answer(
    capture: Capture, stream: Stream, first: Segment, rivals: tuple[Segment, ...], manner: Manner, tick_s: float
) -> Answer:
    head = without_twins(stream.head)
    opening = handshake(head)
    asked = tuple(s for s in head if s.from_client and s.payload_bytes and s.time_ns <= first.time_ns)
    voice = [s for s in stream.from_server if s.payload_bytes and s.seq >= first.seq and _alike(s, first)]
    voice = voice if rivals else [s for s in stream.from_server if s.payload_bytes and s.seq >= first.seq]
    before = [s for s in head if not s.from_client and not s.is_reset and s.time_ns < first.time_ns]
    own = [s for s in before if not s.payload_bytes or s in rivals]
    ending = Ending(
        kind="answer",
        stage="request",
        segment=first,
        burst=(first,),
        resets=(),
        genuine=tuple(sorted({*own, *rivals, *manner.own}, key=lambda s: s.time_ns)),
        opposite=tuple(s for s in head if s.from_client),
        opening=opening,
        idle_s=0.0,
    )
    opened_s = capture.handshake_samples(stream.server.address)
    doubtful_s = () if capture.handshakes_tell else opened_s
    fields = resets_headers.contradictions(ending)
    settled = [s for s in manner.own if not s.flags & SYN]
    if "IP ID" not in fields and not first.ip_id and len(settled) >= SETTLED_PKTS and all(s.ip_id for s in settled):
        fields = (*fields, "IP ID")
    syn_ack = opening.syn_ack
    alike = [s for s in settled if syn_ack is not None and abs(s.ttl_hops - syn_ack.ttl_hops) <= SAME_SENDER_HOPS]
    return Answer(
        stream=stream,
        request=asked,
        segments=(first, *(s for s in voice if s is not first)),
        rivals=rivals,
        page=read_page(_joined(stream, first, voice)),
        other=read_page(stream.recording.payload(rivals[0].row)) if rivals else None,
        fields=fields,
        settled=2 * len(alike) > len(settled) and len(alike) >= SETTLED_PKTS,
        shared=2 * sum(_alike(s, first) for s in manner.answers) > len(manner.answers),
        delay=resets_timing.delay(ending, opened_s, doubtful_s, tick_s),
        resets=tuple(
            s for s in stream.from_server if s.is_reset and s.time_ns >= first.time_ns and not _same_hops(s, own)
        )[:4],
        unaware=tuple(_unaware(stream, first, asked, opened_s, syn_ack)),
    )


def _joined(stream: Stream, first: Segment, voice: Sequence[Segment]) -> bytes:
    """The beginning of what one voice says, from its first segment on to the first hole."""
    out = b""
    for s in sorted(voice, key=lambda s: (s.seq, s.time_ns)):
        at = s.seq - first.seq
        if at > len(out) or len(out) >= 2 * LOOKED_AT_BYTES:
            break
        out += stream.recording.payload(s.row)[len(out) - at :]
    return out or stream.recording.payload(first.row)


def _unaware(
    stream: Stream, first: Segment, asked: Sequence[Segment], opened_s: Sequence[float], syn_ack: Segment | None
) -> Iterator[Segment]:
    """The server's own packets, sent long after it should have had the request, whose acknowledgement leaves it out."""
    if not asked or not opened_s or syn_ack is None:
        return
    due_ns = asked[0].time_ns + int(2 * opened_s[0] * 1e9)
    later = [s for s in stream.head if not s.from_client and s.time_ns > max(due_ns, first.time_ns) and s.flags & ACK]
    if any(s.ack > asked[0].seq and not s.is_reset and not _alike(s, first) for s in later):
        return
    for s in later:
        if s.ack <= asked[0].seq and not s.flags & (SYN | RST) and not s.payload_bytes:
            yield s


def _manner(capture: Capture, stream: Stream) -> Manner:
    beside = [
        s
        for s in capture.streams_of(stream.server.address)
        if s is not stream and s.server == stream.server and s.client.address == stream.client.address
    ]
    own: list[Segment] = []
    found: list[Segment] = []
    for s in nsmallest(ASKED_STREAMS, beside, key=lambda s: (abs(s.first_ns - stream.first_ns), s.first_ns)):
        theirs = [x for x in s.head if not x.from_client and not x.flags & (SYN | RST)]
        spoken = next((i for i, x in enumerate(theirs) if x.payload_bytes), len(theirs))
        if s.name != stream.name and spoken < len(theirs):
            found.append(theirs[spoken])
        # What is said to the same name once it is answered may be the forger's again.
        own += theirs[: spoken if s.name == stream.name else spoken + 3]
    return Manner(own=tuple(own), answers=tuple(found))


def _alike(one: Segment, other: Segment) -> bool:
    """One host's headers, as far as two packets tell."""
    return (
        abs(one.ttl_hops - other.ttl_hops) <= SAME_SENDER_HOPS
        and not (one.ip_flags ^ other.ip_flags) & 2
        and one.has_timestamps == other.has_timestamps
    )


def _same_hops(s: Segment, known: Sequence[Segment]) -> bool:
    return not known or any(abs(s.ttl_hops - k.ttl_hops) <= SAME_SENDER_HOPS for k in known)
