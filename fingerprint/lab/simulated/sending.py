"""The sender's half of TCP: what is in flight, what was lost, how much may go.

NewReno (RFC 6582) for the window, selective acknowledgements (RFC 2018) and time-ordered loss detection as Linux has it
(RFC 8985), time-outs of RFC 6298 with Linux's minimum. Numbers count from 0 at the SYN.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

# RFC 6298 section 2: one second before the first sample; Linux lowers the minimum to 200 ms.
FIRST_RTO_S, MIN_RTO_S, MOST_RTO_S = 1.0, 0.2, 120.0
# RFC 6928: the initial window in segments.
_INITIAL_SEGMENTS = 10


@dataclass(slots=True)
class Sent:
    """A segment in flight."""

    start: int
    end: int
    sent_ns: int
    again: bool = False
    sacked: bool = False
    lost: bool = False


@dataclass(slots=True)
class Flight:
    """Segments between the oldest unacknowledged byte and the newest sent, and the window that bounds them."""

    mss_bytes: int
    segments: deque[Sent] = field(default_factory=deque)
    una: int = 0
    pipe_bytes: int = 0
    cwnd_bytes: int = 0
    ssthresh_bytes: int = 1 << 30
    recover: int = -1
    srtt_s: float = 0.0
    rttvar_s: float = 0.0
    backoff: int = 0
    lost_count: int = 0
    probed: bool = False  # since the last progress
    _newest: tuple[int, int] = (-1, -1)  # (sent at, end) of what was sent last among all that arrived
    _highest_sacked: int = 0

    def __post_init__(self) -> None:
        """The initial window."""
        self.cwnd_bytes = _INITIAL_SEGMENTS * self.mss_bytes

    @property
    def rto_s(self) -> float:
        """Until the next time-out, backed off."""
        base_s = FIRST_RTO_S if not self.srtt_s else self.srtt_s + max(MIN_RTO_S, 4 * self.rttvar_s)
        return float(min(MOST_RTO_S, base_s * 2**self.backoff))

    @property
    def probe_s(self) -> float | None:
        """Until the tail is asked after (RFC 8985 section 7), None if the time-out has to do."""
        if self.probed or self.backoff or self.recover >= 0 or not self.srtt_s or len(self.segments) < 2:
            return None
        wait_s = max(0.01, 2 * self.srtt_s)
        return wait_s if wait_s < self.rto_s else None

    def probe(self, now_ns: int) -> Sent:
        """The last segment leaves once more."""
        last = self.segments[-1]
        last.again, last.sent_ns = True, now_ns
        return last

    def sample(self, rtt_s: float) -> None:
        """RFC 6298 section 2."""
        if not self.srtt_s:
            self.srtt_s, self.rttvar_s = rtt_s, rtt_s / 2
        else:
            self.rttvar_s = 0.75 * self.rttvar_s + 0.25 * abs(self.srtt_s - rtt_s)
            self.srtt_s = 0.875 * self.srtt_s + 0.125 * rtt_s

    def sent(self, start: int, end: int, now_ns: int) -> None:
        """A new segment left."""
        self.segments.append(Sent(start, end, now_ns))
        self.pipe_bytes += end - start

    def next_lost(self) -> Sent | None:
        """The oldest segment that is taken for lost and not yet repeated."""
        if not self.lost_count:
            return None
        return next((s for s in self.segments if s.lost), None)

    def repeated(self, segment: Sent, now_ns: int) -> None:
        """It left again."""
        self.lost_count -= 1
        segment.lost, segment.again, segment.sent_ns = False, True, now_ns
        self.pipe_bytes += segment.end - segment.start

    def acknowledged(self, ack: int, blocks: Sequence[tuple[int, int]], now_ns: int) -> float | None:
        """Take in an acknowledgement; a round trip if a segment that was sent once tells one."""
        rtt_s = None
        newly = max(0, ack - self.una)
        while self.segments and self.segments[0].end <= ack:
            first = self.segments.popleft()
            rtt_s = self._delivered(first, now_ns) or rtt_s
        self.una = max(self.una, ack)
        for start, end in blocks:
            self._highest_sacked = max(self._highest_sacked, end)
            for segment in self.segments:
                if segment.start >= end:
                    break
                if not segment.sacked and start <= segment.start and segment.end <= end:
                    rtt_s = self._delivered(segment, now_ns) or rtt_s
                    segment.sacked = True
        if newly:
            self.backoff = 0
            self.probed = False
            self._grow(newly)
        return rtt_s

    def _delivered(self, segment: Sent, now_ns: int) -> float | None:
        if segment.sacked:
            return None
        if segment.lost:
            segment.lost = False
            self.lost_count -= 1
        else:
            self.pipe_bytes -= segment.end - segment.start
        self._newest = max(self._newest, (segment.sent_ns, segment.end))
        return None if segment.again else (now_ns - segment.sent_ns) / 1e9

    def _grow(self, newly_bytes: int) -> None:
        if self.recover >= 0:
            if self.una < self.recover:
                if self.cwnd_bytes < self.ssthresh_bytes:  # slow start again after a time-out
                    self.cwnd_bytes += min(newly_bytes, self.mss_bytes)
                return
            self.recover = -1
        if self.cwnd_bytes < self.ssthresh_bytes:
            self.cwnd_bytes += newly_bytes
        else:
            self.cwnd_bytes += max(1, self.mss_bytes * newly_bytes // self.cwnd_bytes)

    def find_losses(self, now_ns: int, newest: int) -> float | None:
        """Mark what was sent well before something that has arrived. Seconds until to look again, None if need not."""
        if self._highest_sacked <= self.una and self.recover < 0:
            return None
        window_ns = int(self.srtt_s / 4 * 1e9)
        wait_ns: int | None = None
        found = False
        for segment in self.segments:
            if segment.sacked or segment.lost or (segment.sent_ns, segment.end) >= self._newest:
                continue
            due_ns = segment.sent_ns + int(self.srtt_s * 1e9) + window_ns
            if due_ns <= now_ns:
                segment.lost, found = True, True
                self.lost_count += 1
                self.pipe_bytes -= segment.end - segment.start
            else:
                wait_ns = due_ns - now_ns if wait_ns is None else min(wait_ns, due_ns - now_ns)
        if found and self.recover < 0:
            self.ssthresh_bytes = self.cwnd_bytes = max(self.cwnd_bytes // 2, 2 * self.mss_bytes)
            self.recover = newest
        return None if wait_ns is None else wait_ns / 1e9

    def timed_out(self, newest: int) -> None:
        """RFC 5681 section 3.1 and RFC 6298 section 5: everything is lost, begin again with one segment."""
        for segment in self.segments:
            if not segment.sacked and not segment.lost:
                segment.lost = True
                self.lost_count += 1
                self.pipe_bytes -= segment.end - segment.start
        if not self.backoff:
            self.ssthresh_bytes = max(self.cwnd_bytes // 2, 2 * self.mss_bytes)
        self.cwnd_bytes, self.recover = self.mss_bytes, newest
        self.backoff += 1
