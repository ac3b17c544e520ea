"""Censors of requests in the clear, and servers and caches that look like them."""

from __future__ import annotations

from fingerprint.lab.boxes import gfw_resets, packetlogic
from fingerprint.lab.preset import Preset

PRESETS = (
    Preset(
        name="packetlogic-307",
        says="Sandvine PacketLogic: FIN+ACK carrying HTTP 307 for requests in the clear.",
        source="Citizen Lab, Bad Traffic, 2018: read there",
        boxes=lambda _: (packetlogic.PacketLogic(form="redirect"),),
        on_path=True,
    ),
    Preset(
        name="gfw-http-30x",
        says="Great Firewall of 2023: forged HTTP 301 and 302 in turn for requests in the clear.",
        source="net4people/bbs#285 and #295: read there",
        boxes=lambda _: (gfw_resets.redirects(),),
        on_path=True,
    ),
)
