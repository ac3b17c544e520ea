"""Censors of other protocols by port or first payload, and firewalls that look like them."""

from __future__ import annotations

from fingerprint.lab.preset import Preset

PRESETS: tuple[Preset, ...] = ()
