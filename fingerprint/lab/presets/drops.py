"""Censors that let hellos, or what follows them, vanish."""

from __future__ import annotations

from fingerprint.lab.boxes import closing, iran
from fingerprint.lab.boxes.dropping import HelloDropper
from fingerprint.lab.boxes.tspu import Dropper, LateDropper, Rewriter
from fingerprint.lab.boxes.watching import Watch
from fingerprint.lab.preset import Preset
from fingerprint.lab.presets.parts import TSPU, flow

PRESETS = (
    Preset(
        name="iran-filter",
        says="Iran: an empty PSH+ACK to the client, then the flow is dropped for a minute.",
        source="Bock et al., FOCI 2020, and public captures: as told by others",
        boxes=lambda residual_s: (iran.Filter(residual=flow(residual_s)),),
        residual_s=60.0,
    ),
    Preset(
        name="tspu-sni-1",
        says="TSPU SNI-I: the server's answer loses its payload and becomes RST/ACK on the way.",
        source=TSPU,
        boxes=lambda residual_s: (Rewriter(residual=flow(residual_s)),),
        residual_s=75.0,
    ),
    Preset(
        name="tspu-sni-2",
        says="TSPU SNI-II: five to eight packets pass after the hello, then none does.",
        source=TSPU,
        boxes=lambda residual_s: (LateDropper(residual=flow(residual_s)),),
        residual_s=420.0,
    ),
    Preset(
        name="tspu-sni-4",
        says="TSPU SNI-IV: the hello and all that follows is dropped.",
        source=TSPU,
        boxes=lambda residual_s: (Dropper(residual=flow(residual_s)),),
        residual_s=40.0,
    ),
    Preset(
        name="kazakhstan-timeout",
        says="Kazakhstan: nothing comes after the ClientHello.",
        source="public measurements of 2019 to 2024: read there",
        boxes=lambda residual_s: (Dropper(residual=flow(residual_s), watch=Watch(reads=("sni",))),),
        residual_s=60.0,
    ),
    Preset(
        name="sni-drop",
        says="Each packet that carries the whole name is dropped; nothing is remembered.",
        source="made for the laboratory",
        boxes=lambda _: (HelloDropper(),),
    ),
    Preset(
        name="sni-alert",
        says="The hello is dropped and a TLS alert comes back in the server's name.",
        source="made for the laboratory",
        boxes=lambda _: (closing.AlertInjector(),),
    ),
)
