"""The marks that a limiter left on a transfer: how its drops lie, and the bucket that fits them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fingerprint.conversations import token_bucket
from fingerprint.conversations.token_bucket import Bucket
from fingerprint.conversations.transfer_passage import Passage, joined

# Timestamps cost 12 bytes a segment (RFC 7323), the headers 40; limiters count packets with headers.
HEADERS_BYTES, STAMPED_HEADERS_BYTES = 40, 52


@dataclass(frozen=True, slots=True, kw_only=True)
class Limiter:
    """What tells a token bucket from chance, and its rate and burst either way."""

    unevenness: float | None  # of short slopes between drops: interquartile range over median; None with too few
    dispersion: float | None  # of what passed between drops, 1 for chance; None with too few drops
    policer: Bucket | None
    shaper: Bucket | None


def limiter(
    passage: Passage, *, rtt_s: float, windows_bytes_s: NDArray[np.float64], seed: np.random.Generator
) -> Limiter:
    """The marks on what passed. ``rtt_s``: drops within half of it are one event; windows: steady goodput."""
    data, spans = passage.data, passage.spans
    headers = STAMPED_HEADERS_BYTES if data.tsval.any() else HEADERS_BYTES
    middle_bytes = float(np.median(data.payload_bytes))
    wire = np.where(passage.passed_bytes > 0, passage.passed_bytes + headers, 0)
    drops = passage.dropped_bytes > 0
    share = token_bucket.lost_share(passage.passed_bytes, passage.dropped_bytes)
    segment_bytes = middle_bytes + headers
    pace_bytes_s = float(wire.sum()) / passage.busy_s
    least_s = 0.5 * rtt_s
    telling_s = max(least_s, token_bucket.packets_to_tell(share) * (1 - share) * segment_bytes / pace_bytes_s)
    long = token_bucket.slopes_between_drops(data.time_s, wire, drops, spans=spans, least_s=telling_s)
    slopes = token_bucket.slopes_between_drops(data.time_s, wire, drops, spans=spans, least_s=least_s)
    growth = 1 + headers / max(1.0, middle_bytes)
    first_s, first_bytes = joined(passage.when_s, (passage.new_bytes * growth).astype(np.int64), spans[:1])
    return Limiter(
        unevenness=token_bucket.unevenness(slopes),
        dispersion=token_bucket.dispersion(long, share=share, segment_bytes=segment_bytes),
        policer=token_bucket.policer(data.time_s, wire, slopes=slopes, until_s=spans[0].end_s, seed=seed),
        shaper=token_bucket.shaper(first_s, first_bytes, windows_bytes_s=windows_bytes_s * growth, seed=seed),
    )
