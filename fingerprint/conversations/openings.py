"""How a connection's first exchange went: set up, first request, and what came back.

An `Opening` is facts only. Its `outcome` names what was seen at the capture point, not why:

unanswered        SYN sent, nothing came back
refused           RST in answer to the SYN
half-open         SYN-ACK came, the client sent no request
answered          the server's payload arrived (an alert is `alert`, not an answer)
alert             the first thing the server said is a TLS alert
stalled           the answer began, and then the server's side went deaf and dumb before the exchange was through
unacknowledged    the request was sent and no acknowledgement covers it
part-acknowledged some of the request's segments are covered, the rest never
silent            the request is acknowledged, no payload follows
reset             RST in the server's name before any of its payload
closed            FIN in the server's name before any of its payload
abandoned         the client closed or reset before any answer
unfinished        the recording ended before an acknowledgement, or the next copy of what was sent, was due
cut               the answer began and the connection ended before the exchange was through (told by the verdict)
unseen            the direction from the server was not captured, or the stream begins in its middle
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

from captures.columns import Mark
from fingerprint.conversations.segments import ACK, FIN, RST, SYN, Segment
from fingerprint.conversations.streams import Stream
from fingerprint.messages.tls import Record, records


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """Facts about a stream's first exchange. Times are nanoseconds since the epoch."""

    stream: Stream
    outcome: str
    syn: Segment | None
    syn_ack: Segment | None
    request: tuple[Segment, ...]  # the client's first flight: each distinct segment once
    repeats: tuple[Segment, ...]  # later copies of them
    answer: Segment | None  # the server's first payload
    ending: Segment | None  # the RST or FIN that decided the outcome
    covered: int  # highest acknowledgement from the server, relative; RSTs excluded
    signs_of_life: tuple[
        Segment, ...
    ]  # server segments after a copy of the request whose acknowledgement leaves it out
    offers: tuple[Segment, ...]  # SYN-ACKs repeated after the request: the server has not taken the connection up
    unheard: tuple[Segment, ...]  # what the client sent after the request and nobody acknowledged, copies included
    stalled_s: float  # silence of a server that had begun to answer; 0.0 where it did not stall
    waited_s: float  # from the last copy of the request to the end of the recording, or to the client's own end

    @property
    def request_bytes(self) -> int:
        """Size of the first flight."""
        return sum(s.payload_bytes for s in self.request)

    @property
    def request_end(self) -> int:
        """Relative sequence number after the first flight."""
        return max((s.end for s in self.request), default=1)

    @property
    def copies(self) -> int:
        """How often the first uncovered segment of the request was sent."""
        open_ = [s for s in self.request if s.end > self.covered]
        return 1 + sum(s.seq == open_[0].seq for s in self.repeats) if open_ else 0

    @property
    def deaf_s(self) -> float:
        """From the first to the last of what went unheard."""
        return (self.unheard[-1].time_ns - self.unheard[0].time_ns) / 1e9 if self.unheard else 0.0

    @property
    def span_s(self) -> float:
        """From the first sending of the request to its last repetition."""
        if not self.request or not self.repeats:
            return 0.0
        return (self.repeats[-1].time_ns - self.request[0].time_ns) / 1e9


def opening(stream: Stream) -> Opening:
    """The first exchange of a stream."""
    head = stream.head
    syn = next((s for s in head if s.from_client and s.flags & SYN and not s.flags & ACK), None)
    syn_ack = next((s for s in head if not s.from_client and s.flags & SYN and s.flags & ACK), None)
    answer = next((s for s in head if not s.from_client and s.payload_bytes and not s.flags & (SYN | RST)), None)
    until = answer.time_ns if answer else None
    request: list[Segment] = []
    repeats: list[Segment] = []
    for s in head:
        if not s.from_client or not s.payload_bytes or s.flags & (SYN | RST):
            continue
        if until is not None and s.time_ns > until:
            break
        again = any(r.seq <= s.seq < r.end for r in request)
        (repeats if again else request).append(s)
    covered = max((s.ack for s in head if not s.from_client and s.flags & ACK and not s.flags & RST), default=0)
    end = max((s.end for s in request), default=1)
    asked_ns = request[0].time_ns if request else None
    life = tuple(
        s
        for s in head
        if not s.from_client
        and not s.flags & (RST | SYN)
        and asked_ns is not None
        and s.time_ns > asked_ns
        and s.flags & ACK
        and s.ack < end
    )
    offers = tuple(
        s for s in head if asked_ns is not None and s.time_ns > asked_ns and not s.from_client and s.flags & SYN
    )
    ending = _ending(head, answer, asked_ns)
    outcome = _outcome(head, syn, syn_ack, tuple(request), answer, ending, covered)
    unheard = _unheard(head, end, covered)
    stalled_s = 0.0
    if outcome == "answered" and asked_ns is not None and may_have_stalled(stream):
        stalled_s = _stalled_s(stream, head, asked_ns)
        outcome = "stalled" if stalled_s else outcome
    last_ns = repeats[-1].time_ns if repeats else (request[-1].time_ns if request else stream.last_ns)
    gave_up = next((s.time_ns for s in head if s.from_client and s.flags & (FIN | RST) and s.time_ns >= last_ns), None)
    if outcome in _SILENCES and _cut_short(stream, head, request[0] if request else syn):
        outcome = "unfinished"
    return Opening(
        stream=stream,
        outcome=outcome,
        syn=syn,
        syn_ack=syn_ack,
        request=tuple(request),
        repeats=tuple(repeats),
        answer=answer,
        ending=ending,
        covered=covered,
        signs_of_life=life,
        offers=offers,
        unheard=unheard,
        stalled_s=stalled_s,
        waited_s=max(0.0, ((gave_up or stream.end_ns) - last_ns) / 1e9),
    )


# Less than this of an answer is its beginning: net4people/bbs#490 counts caps of transfers from 15 kB on, and Xue et
# al. (IMC 2022) five to eight packets of both directions.
BEGUN_BYTES = 8_000
BEGUN_PKTS = 60
# RFC 6298: from the third sending on more than half a second of back-off has passed, with the smallest timer in use.
STALLED_COPIES = 3
# So long nothing came, and several times as long as all that had gone before: a slow answer goes on in between.
STALLED_S = 1.2
STALLED_RATIO = 4.0


def may_have_stalled(stream: Stream) -> bool:
    """Whether the summary of an answered stream allows that it stalled: short, never closed, with a long silence."""
    if stream.server_flags & (FIN | RST) or len(stream.rows) > BEGUN_PKTS or stream.server_bytes > 2 * BEGUN_BYTES:
        return False
    if stream.answer_row < 0 or stream.request_row < 0:
        return False
    times = stream.recording.columns.time_ns[stream.rows[stream.rows >= stream.request_row]]
    return bool(max(np.diff(times).max(initial=0), stream.end_ns - times[-1]) >= STALLED_S * 1e9)


def _stalled_s(stream: Stream, head: tuple[Segment, ...], asked_ns: int) -> float:
    """How long the server's side was silent after it had begun to answer, 0.0 where the exchange did not stall.

    The client says the same again and is not heard; or the answer stopped within a TLS record, whose length it had
    announced. What comes after the client has left belongs to nothing.
    """
    left_ns = next((s.time_ns for s in head if s.from_client and s.flags & (FIN | RST)), stream.end_ns)
    said = [s for s in head if not s.from_client and s.time_ns <= left_ns]
    if not said:
        return 0.0  # a clock that steps may put the client's leaving before everything
    last_ns = max(s.time_ns for s in said)
    silent_s = (left_ns - last_ns) / 1e9
    if silent_s < max(STALLED_S, STALLED_RATIO * (last_ns - asked_ns) / 1e9) or any(s.flags & FIN for s in said):
        return 0.0
    covered = max((s.ack for s in said if s.flags & ACK), default=0)
    after = [
        s for s in head if s.from_client and s.payload_bytes and last_ns < s.time_ns <= left_ns and s.end > covered
    ]
    repeated = (
        len(after) >= STALLED_COPIES and len({s.seq for s in after}) < len(after) and not _after_rest(after, head)
    )
    got = {s.seq: s.payload_bytes for s in said if s.payload_bytes and not s.flags & SYN}
    whole = sum(got.values()) == max((s.end - 1 for s in said), default=0)
    return silent_s if repeated or not whole or _within_record(stream, sum(got.values())) else 0.0


def _after_rest(after: list[Segment], head: tuple[Segment, ...]) -> bool:
    """Whether what went unheard begins with a new word after both sides had rested: the exchange before it was over.

    What forgets a connection at rest (a NAT, RFC 5382 section 5; a host that is gone meanwhile) loses just that.
    """
    first = after[0]
    before = [s for s in head if s.time_ns < first.time_ns]
    rested_s = (first.time_ns - max(s.time_ns for s in before if not s.is_reset)) / 1e9 if before else 0.0
    return rested_s >= STALLED_S and not any(s.from_client and s.payload_bytes and s.end > first.seq for s in before)


def _within_record(stream: Stream, size_bytes: int) -> bool:
    """Whether that much of the server's stream ends before the TLS record it had begun (RFC 8446 section 5.1)."""
    if stream.protocol != "tls" or size_bytes > BEGUN_BYTES:
        return False
    last = next(iter(deque(records(stream.first_bytes(from_client=False)[:size_bytes]), maxlen=1)), None)
    return isinstance(last, Record) and not last.complete


def _ending(head: tuple[Segment, ...], answer: Segment | None, asked_ns: int | None) -> Segment | None:
    """The server's first RST or FIN after the request (or after the SYN), if no payload came before it."""
    for s in head:
        if s is answer and not s.flags & FIN:
            return None
        if not s.from_client and s.flags & (RST | FIN) and (asked_ns is None or s.time_ns >= asked_ns):
            return s
    return None


def _unheard(head: tuple[Segment, ...], request_end: int, covered: int) -> tuple[Segment, ...]:
    """Client segments beyond the request (data, FIN) that no acknowledgement covers. RFC 9293: a live host's would."""
    return tuple(
        s
        for s in head
        if s.from_client
        and not s.flags & (SYN | RST)
        and s.seq >= request_end
        and s.end + bool(s.flags & FIN) > max(covered, request_end)
    )


def _outcome(
    head: tuple[Segment, ...],
    syn: Segment | None,
    syn_ack: Segment | None,
    request: tuple[Segment, ...],
    answer: Segment | None,
    ending: Segment | None,
    covered: int,
) -> str:
    """Which of the outcomes of the module's list."""
    server_seen = any(not s.from_client for s in head)
    if ending is not None and ending.flags & RST and not request:
        return "refused" if syn_ack is None else "reset"
    if not request:
        if answer is not None:
            return "answered"
        if syn is not None and not server_seen:
            return "unanswered"
        return "half-open" if syn_ack is not None else "unseen"
    if answer is not None and not (ending is not None and ending.time_ns < answer.time_ns):
        return "alert" if answer.mark == Mark.TLS_ALERT else "answered"
    if ending is not None:
        return "reset" if ending.flags & RST else "closed"
    if not server_seen:
        return "unseen"
    end = max(s.end for s in request)
    if covered >= end:
        outcome = "silent"
    elif covered > request[0].seq:
        outcome = "part-acknowledged"
    else:
        outcome = "unacknowledged"
    asked_ns = request[-1].time_ns
    left = next((s for s in head if s.from_client and s.flags & (FIN | RST) and s.time_ns >= asked_ns), None)
    if left is not None and (left.time_ns - asked_ns) / 1e9 < PATIENCE_S and not _repeated(head, request):
        return "abandoned"
    return outcome


# RFC 6298 section 2.1 and 5.5: the first retransmission is due after one second at most on a fresh connection with
# RTT samples below it; a client that leaves sooner has not waited for the answer.
PATIENCE_S = 1.0
# Outcomes of what would be sent again. An answer may take its time: who waits for one says how long it was waited for.
_SILENCES = frozenset({"unanswered", "unacknowledged", "part-acknowledged"})


def _cut_short(stream: Stream, head: tuple[Segment, ...], asked: Segment | None) -> bool:
    """Whether the recording ended so soon after the request, or the SYN, that its silence is no silence yet."""
    if asked is None or (stream.end_ns - asked.time_ns) / 1e9 >= PATIENCE_S:
        return False
    same = (asked.seq, asked.payload_bytes, asked.flags & SYN)
    return sum(s.from_client and (s.seq, s.payload_bytes, s.flags & SYN) == same for s in head) == 1


def _repeated(head: tuple[Segment, ...], request: tuple[Segment, ...]) -> bool:
    return sum(s.from_client and s.payload_bytes > 0 and s.seq == request[0].seq for s in head) > 1
