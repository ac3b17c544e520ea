"""Whether an ending came sooner than its named sender could have known the reason.

A true answer needs a round trip. The clock starts at the packet that, on the honest reading, set the sender off, and
where several readings are possible the one that leaves the sender the most time is taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fingerprint.conversations.resets.endings import Ending
from fingerprint.conversations.segments import ACK, FIN, RST, SYN, Segment

# Forged resets came at 0.13-0.5 of the round trip, true ones at 0.96-1.02, wherever both were measured.
SOONER_RATIO = 0.7
# With this many samples the smallest is the distance, and what is sooner by several times their spread is too soon even
# where the injector's own distance is most of the way. True resets were never below 0.96, but a firewall that stands a
# hop or two before its servers answers for them from 0.9 of the way on.
WELL_SAMPLED = 6
CLEARLY_SOONER_RATIO = 0.85
SPREADS = 4.0
# A gap below this is scheduling noise of the capture point, not distance.
LEAST_GAP_S = 0.003
# Two smallest samples further apart than this say that the smallest is not yet the distance.
AGREEING_RATIO = 2.0
# A sleeping radio, a stateful device on a connection's first packet, or a proxy that asks its backend first delay a
# SYN-ACK and nothing after it. Where handshakes are all that is known, three of four must lie this near the smallest.
STEADY_RATIO = 1.05
STEADY_S = 0.003
# True resets: one round trip, plus what the application needs to make up its mind.
HONEST_RATIO = (0.85, 1.5)
HONEST_THINKING_S = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Delay:
    """Time from the packet that may have caused an ending to the ending, beside the smallest round trip known."""

    cause: Segment
    elapsed_s: float
    rtt_s: float
    samples: int
    agreeing: bool  # a second sample supports the smallest
    spread_s: float  # from the smallest sample to the median
    tick_s: float = 0.0  # resolution of the capture's clock

    @property
    def ratio(self) -> float:
        """Elapsed time in round trips."""
        return self.elapsed_s / self.rtt_s

    @property
    def sooner(self) -> bool:
        """Sooner than the named sender could."""
        gap_s = self.rtt_s - self.elapsed_s
        well_known = self.samples >= WELL_SAMPLED and self.ratio < CLEARLY_SOONER_RATIO
        return gap_s >= max(LEAST_GAP_S, 2 * self.tick_s) and (
            self.ratio < SOONER_RATIO or (well_known and gap_s >= SPREADS * self.spread_s)
        )

    @property
    def honest(self) -> bool:
        """When a sender's own reset is due."""
        low, high = HONEST_RATIO
        return low <= self.ratio <= high or (self.ratio > high and self.elapsed_s - self.rtt_s < HONEST_THINKING_S)


def delay(
    ending: Ending, rtt_samples_s: Sequence[float], handshakes_s: Sequence[float] = (), tick_s: float = 0.0
) -> Delay | None:
    """The delay of an ending; None where no cause was captured or no round trip to the sender is known.

    ``handshakes_s`` are those of the samples that come from a SYN and its SYN-ACK and may be too long; ``tick_s`` is
    the resolution of the clock: two times that differ by one tick may be the same.
    """
    cause = cause_of(ending)
    if cause is None:
        return None
    elapsed_s = (ending.segment.time_ns - cause.time_ns) / 1e9
    # A forged segment that acknowledged the request is itself among the samples: it must not vouch for itself.
    samples = sorted(s for s in rtt_samples_s if s > 0 and abs(s - elapsed_s) > 1e-6)
    if not samples:
        return None
    agreeing = len(samples) > 1 and samples[1] <= samples[0] * AGREEING_RATIO and _distance(samples, handshakes_s)
    spread_s = samples[len(samples) // 2] - samples[0]
    return Delay(
        cause=cause,
        elapsed_s=elapsed_s,
        rtt_s=samples[0],
        samples=len(samples),
        agreeing=agreeing,
        spread_s=spread_s,
        tick_s=tick_s,
    )


def _distance(samples_s: Sequence[float], handshakes_s: Sequence[float]) -> bool:
    """Whether the smallest sample is the way to the sender, and not what setting up a connection takes."""
    opened = set(handshakes_s)
    if any(s not in opened and s <= samples_s[0] * AGREEING_RATIO for s in samples_s):
        return True
    usual_s = samples_s[3 * len(samples_s) // 4]
    return usual_s <= max(samples_s[0] * STEADY_RATIO, samples_s[0] + STEADY_S)


def cause_of(ending: Ending) -> Segment | None:
    """The opposite packet that the ending proves to have been received, in its first copy.

    An ending that acknowledges no payload proves nothing of the kind: it may answer the handshake.
    """
    end = ending.segment
    earlier = [s for s in ending.opposite if s.time_ns < end.time_ns and not s.flags & RST]
    if ending.stage == "syn":
        return next((s for s in earlier if s.flags & SYN), None)
    if end.flags & ACK and end.ack > 1:
        return next((s for s in earlier if s.end + bool(s.flags & FIN) >= end.ack > s.seq), None)
    return ending.opening.first_word_to(to_client=end.from_client) or next(iter(earlier), None)
