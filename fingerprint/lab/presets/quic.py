"""Censors of QUIC and of encrypted DNS, and networks that look like them."""

from __future__ import annotations

from fingerprint.lab.boxes.tspu import QuicDropper
from fingerprint.lab.preset import Preset
from fingerprint.lab.presets.parts import TSPU, flow

PRESETS = (
    Preset(
        name="tspu-quic",
        says="TSPU: QUIC version 1 in datagrams of 1,001 bytes and more silences the flow.",
        source=TSPU,
        boxes=lambda residual_s: (QuicDropper(residual=flow(residual_s)),),
        residual_s=420.0,
    ),
)
