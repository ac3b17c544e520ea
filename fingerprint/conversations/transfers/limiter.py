"""The marks that a limiter left on a transfer: how its drops lie, and the bucket that fits them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from fingerprint.conversations.transfers import token_bucket
from fingerprint.conversations.transfers.bootstrap import seeded
from fingerprint.conversations.transfers.passage import Passage, joined
from fingerprint.conversations.transfers.token_bucket import Bucket, Slopes

# Timestamps cost 12 bytes a segment (RFC 7323), the headers 40; limiters count packets with headers.
HEADERS_BYTES, STAMPED_HEADERS_BYTES = 40, 52


@dataclass(frozen=True, kw_only=True)
class Limiter:
    """What tells a token bucket from chance, and the bucket's rate and burst; each made when asked for."""

    passage: Passage
    rtt_s: float  # drops within half of it are one event
    windows_bytes_s: NDArray[np.float64]  # steady goodput
    seed: tuple[str, int, int, bool]  # digest of the capture, and which direction of what

    @property
    def headers_bytes(self) -> int:
        """Of each segment."""
        return STAMPED_HEADERS_BYTES if self.passage.data.tsval.any() else HEADERS_BYTES

    @cached_property
    def middle_bytes(self) -> float:
        """Median payload of a segment."""
        return float(np.median(self.passage.data.payload_bytes))

    @cached_property
    def wire_bytes(self) -> NDArray[np.int64]:
        """What passed of each segment with its headers; 0 for what was lost whole."""
        passed = self.passage.passed_bytes
        return np.where(passed > 0, passed + self.headers_bytes, 0)

    @cached_property
    def slopes(self) -> Slopes:
        """Between drops at least half a round trip apart."""
        return self._slopes(0.5 * self.rtt_s)

    @cached_property
    def unevenness(self) -> float | None:
        """Of short slopes between drops: interquartile range over median; None with too few."""
        return token_bucket.unevenness(self.slopes)

    @cached_property
    def dispersion(self) -> float | None:
        """Of what passed between drops, 1 for chance; None with too few drops."""
        if not self.passage.dropped_bytes.any():
            return None
        share = token_bucket.lost_share(self.passage.passed_bytes, self.passage.dropped_bytes)
        segment_bytes = self.middle_bytes + self.headers_bytes
        pace_bytes_s = float(self.wire_bytes.sum()) / self.passage.busy_s
        telling_s = token_bucket.packets_to_tell(share) * (1 - share) * segment_bytes / pace_bytes_s
        long = self._slopes(max(0.5 * self.rtt_s, telling_s))
        return token_bucket.dispersion(long, share=share, segment_bytes=segment_bytes)

    @property
    def policer(self) -> Bucket | None:
        """The bucket of a policer; None with too few drops."""
        return self._buckets[0]

    @property
    def shaper(self) -> Bucket | None:
        """The bucket of a shaper; None without steady goodput."""
        return self._buckets[1]

    @cached_property
    def _buckets(self) -> tuple[Bucket | None, Bucket | None]:
        """Both, drawn from one generator in this order."""
        passage, generator = self.passage, seeded(*self.seed)
        # A handshake's pause comes before the burst is used up: then the first drop tells. A drop by another queue
        # may come too soon (validation set of Flach et al.: 56 of 100 kB, 25 of 2000 kB): then the first pause tells.
        dropped_s = passage.data.time_s[passage.dropped_bytes > 0]
        until_s = max(passage.spans[0].end_s, float(dropped_s[0]) if len(dropped_s) else 0.0)
        policer = token_bucket.policer(
            passage.data.time_s, self.wire_bytes, slopes=self.slopes, until_s=until_s, seed=generator
        )
        growth = 1 + self.headers_bytes / max(1.0, self.middle_bytes)
        new_bytes = (passage.new_bytes * growth).astype(np.int64)
        first_s, first_bytes = joined(passage.when_s, new_bytes, passage.spans[:1])
        windows = self.windows_bytes_s * growth
        return policer, token_bucket.shaper(first_s, first_bytes, windows_bytes_s=windows, seed=generator)

    def _slopes(self, least_s: float) -> Slopes:
        passage = self.passage
        return token_bucket.slopes_between_drops(
            passage.data.time_s, self.wire_bytes, passage.dropped_bytes > 0, spans=passage.spans, least_s=least_s
        )
