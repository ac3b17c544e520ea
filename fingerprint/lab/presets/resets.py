"""Censors that answer a hello with forged ends of the connection."""

from __future__ import annotations

from fingerprint.lab.boxes import airtel, closing, gfw_resets, packetlogic, turkmenistan
from fingerprint.lab.preset import Preset
from fingerprint.lab.presets.parts import gfw
from fingerprint.lab.world import Path

_SP25 = "gfw-report, sp25-regional data of IEEE S&P 2025: read there"

PRESETS = (
    Preset(
        name="gfw-rst-i",
        says="Great Firewall, type I: one bare reset to both ends after a minded name.",
        source=f"{_SP25}, n = 77,892",
        boxes=gfw(gfw_resets.type_i),
        on_path=True,
        residual_s=180.0,
    ),
    Preset(
        name="gfw-rst-ii",
        says="Great Firewall, type II: three identical RST+ACK to both ends.",
        source=f"{_SP25}, n = 309,333; that window less TTL is constant was derived from one public capture",
        boxes=gfw(gfw_resets.type_ii),
        on_path=True,
        residual_s=180.0,
    ),
    Preset(
        name="gfw-rst-iii",
        says="Great Firewall, type III: one RST+ACK with TTL 248 to both ends.",
        source=f"{_SP25}, n = 4,366",
        boxes=gfw(gfw_resets.type_iii),
        on_path=True,
        residual_s=180.0,
    ),
    Preset(
        name="gfw-rst",
        says="Great Firewall, types I and II on one flow: a bare reset, then three RST+ACK with one IP ID.",
        source=f"{_SP25}; bursts of both in public captures",
        boxes=gfw(gfw_resets.one_then_three),
        on_path=True,
        residual_s=180.0,
    ),
    Preset(
        name="henan",
        says="Firewall of Henan: one RST+ACK with ten bytes of payload to the client, if TCP carries no options.",
        source=f"{_SP25}, 36,475 of 36,478",
        boxes=lambda _: (gfw_resets.henan(),),
        on_path=True,
        path=Path(timestamps=False),
    ),
    Preset(
        name="gfw-aug-2025",
        says="Great Firewall on 20 August 2025: three RST+ACK for every SYN and SYN-ACK of port 443.",
        source="gfw.report, August 2025: read there",
        boxes=lambda _: (gfw_resets.EverySyn(),),
        on_path=True,
    ),
    Preset(
        name="turkmenistan-rst",
        says="Turkmenistan: RST without ACK, window 0, IP ID 30000, initial TTL 128, on all ports and both ways.",
        source="breakerspace, WWW 2023: read there",
        boxes=lambda residual_s: (turkmenistan.resets(residual_s),),
        on_path=True,
        residual_s=30.0,
    ),
    Preset(
        name="airtel",
        says="Airtel: RST+ACK with IP ID 242 and window 16, TTL 2 to 5 above the client's.",
        source="lhmerino/censorship-detection: read there, seen at servers",
        boxes=lambda _: (airtel.resets(),),
        on_path=True,
    ),
    Preset(
        name="packetlogic",
        says="Sandvine PacketLogic: RST+ACK with IP ID 13330 and the server's own TTL.",
        source="Citizen Lab, Bad Traffic, 2018: read there",
        boxes=lambda _: (packetlogic.PacketLogic(),),
        on_path=True,
    ),
    Preset(
        name="sni-fin",
        says="A FIN+ACK to both ends after a minded ClientHello; no known device.",
        source="made for the laboratory",
        boxes=lambda _: (closing.fins(),),
        on_path=True,
    ),
)
