"""Censors inside TLS: certificates, ECH, fingerprints; and products that look like them."""

from __future__ import annotations

from fingerprint.lab.boxes.interception import Interceptor
from fingerprint.lab.preset import Preset

PRESETS = (
    Preset(
        name="kazakhstan-mitm",
        says="Kazakhstan: a minded hello is answered with a certificate of the state's own root.",
        source="public measurements of 2019 to 2024: read there",
        boxes=lambda _: (Interceptor(),),
    ),
)
