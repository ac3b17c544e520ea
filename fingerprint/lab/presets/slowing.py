"""Censors that slow down."""

from __future__ import annotations

from fingerprint.lab.boxes.slowing import Freeze, Policer, Shaper
from fingerprint.lab.preset import Preset
from fingerprint.lab.presets.parts import NEAR, TSPU, marks

PRESETS = (
    Preset(
        name="tspu-sni-3",
        says="TSPU SNI-III of 2022: marked flows are policed to 600–700 bytes a second.",
        source=TSPU,
        boxes=lambda _: (Policer(rate_bps=5200.0, burst_bytes=6_000, marks=marks()),),
    ),
    Preset(
        name="russia-2021",
        says="Russia, spring of 2021: 130–150 kbit/s both ways by policing, for names that contain a string.",
        source="Xue et al., IMC 2021: read there",
        boxes=lambda _: (Policer(rate_bps=140_000.0, burst_bytes=17_500, marks=marks("substring")),),
        path=NEAR,
    ),
    Preset(
        name="turkey-throttling",
        says="Turkey in crises: minded names are slowed over TCP, QUIC is left alone.",
        source="public reports: read there; the rate is that of Russia, none was published",
        boxes=lambda _: (Policer(rate_bps=150_000.0, burst_bytes=18_750, both_ways=False, marks=marks()),),
    ),
    Preset(
        name="sni-shaper",
        says="Marked flows wait in a queue that drains at 400 kbit/s.",
        source="made for the laboratory",
        boxes=lambda _: (Shaper(rate_bps=400_000.0, queue_bytes=48_000, marks=marks()),),
    ),
    Preset(
        name="freeze-16k",
        says="After about 16 KB toward the client a marked flow freezes, without a reset.",
        source="net4people/bbs#490: read there",
        boxes=lambda _: (Freeze(cap_bytes=16_384, marks=marks()),),
    ),
)
