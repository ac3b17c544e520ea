"""Censors of addresses and ports, and hosts and firewalls that look like them."""

from __future__ import annotations

from fingerprint.lab.boxes.dropping import AddressBlackHole
from fingerprint.lab.preset import Preset
from fingerprint.lab.world import SERVER_A

PRESETS = (
    Preset(
        name="ip-blackhole",
        says="Nothing goes to the addresses of the minded name.",
        source="common practice of providers",
        boxes=lambda _: (AddressBlackHole(addresses=frozenset(SERVER_A)),),
    ),
)
