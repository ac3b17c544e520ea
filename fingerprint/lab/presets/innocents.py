"""Innocents that look like censors."""

from __future__ import annotations

from fingerprint.lab.boxes.captive_portal import CaptivePortal
from fingerprint.lab.boxes.dropping import SizeLimit
from fingerprint.lab.boxes.load_balancer import LoadBalancer
from fingerprint.lab.boxes.slowing import CrossTraffic
from fingerprint.lab.boxes.syn_proxy import SynProxy
from fingerprint.lab.preset import Preset
from fingerprint.lab.presets.parts import NEAR
from fingerprint.lab.world import MINDED, Path, Servers

_BESIDE_THE_SERVERS = Path(at=4, before_s=0.022, behind_s=0.003)

PRESETS = (
    Preset(
        name="none",
        kind="innocent",
        says="Nothing stands on the way.",
        source="made for the laboratory",
        boxes=lambda _: (),
    ),
    Preset(
        name="loss",
        kind="innocent",
        says="Two packets of a hundred are lost, both ways.",
        source="made for the laboratory",
        boxes=lambda _: (),
        path=Path(loss_ratio=0.02),
    ),
    Preset(
        name="reordering",
        kind="innocent",
        says="Five packets of a hundred are held back for 4 ms.",
        source="made for the laboratory",
        boxes=lambda _: (),
        path=Path(reorder_ratio=0.05),
    ),
    Preset(
        name="slow-link",
        kind="innocent",
        says="The line carries 1.5 Mbit/s.",
        source="made for the laboratory",
        boxes=lambda _: (),
        path=Path(rate_bps=1_500_000.0),
    ),
    Preset(
        name="shared-congestion",
        kind="innocent",
        says="Other people's bursts fill the line, for every name alike.",
        source="made for the laboratory",
        boxes=lambda _: (CrossTraffic(),),
    ),
    Preset(
        name="server-reset",
        kind="innocent",
        says="The server resets every ClientHello itself.",
        source="made for the laboratory",
        boxes=lambda _: (),
        servers=Servers(resets=frozenset({"*"})),
    ),
    Preset(
        name="server-reset-name",
        kind="innocent",
        says="The server itself resets one name: a pair on its address cannot tell that from a censor in the path.",
        source="made for the laboratory",
        boxes=lambda _: (),
        servers=Servers(resets=frozenset({MINDED})),
    ),
    Preset(
        name="load-balancer",
        kind="innocent",
        says="TTL and IP ID of the server's side vary from packet to packet.",
        source="public captures: 59 against 232 on one service",
        boxes=lambda _: (LoadBalancer(),),
        path=_BESIDE_THE_SERVERS,
    ),
    Preset(
        name="syn-proxy",
        kind="innocent",
        says="The SYN is answered before the server, with TTL 251; data come with the server's.",
        source="public captures: 251 against 60 on one service",
        boxes=lambda _: (SynProxy(),),
        path=_BESIDE_THE_SERVERS,
    ),
    Preset(
        name="server-limit",
        kind="innocent",
        says="The server itself limits one name to 400 kbit/s.",
        source="made for the laboratory",
        boxes=lambda _: (),
        servers=Servers(limits_bps={MINDED: 400_000.0}),
    ),
    Preset(
        name="captive-portal",
        kind="innocent",
        says="A café's portal answers for everybody.",
        source="made for the laboratory",
        boxes=lambda _: (CaptivePortal(),),
        path=NEAR,
    ),
    Preset(
        name="pmtu-black-hole",
        kind="innocent",
        says="Packets of more than 1,400 bytes vanish without ICMP.",
        source="RFC 2923 section 2.1",
        boxes=lambda _: (SizeLimit(),),
    ),
    Preset(
        name="lame-zone",
        kind="innocent",
        says="The servers of the name's own zone do not answer the resolvers.",
        source="RFC 1912 section 2.8",
        boxes=lambda _: (),
        servers=Servers(lame=frozenset({MINDED})),
    ),
)
