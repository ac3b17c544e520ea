"""Censors of other protocols by port or first payload, and firewalls that look like them."""

from __future__ import annotations

from fingerprint.lab.boxes import iran
from fingerprint.lab.boxes.payload_filters import (
    DatagramDropper,
    FirstBytesDropper,
    FirstBytesResetter,
    is_openvpn,
    is_openvpn_over_tcp,
    is_ssh,
    is_stun,
    is_wireguard,
    looks_encrypted,
)
from fingerprint.lab.boxes.residual import Residual
from fingerprint.lab.boxes.watching import Watch
from fingerprint.lab.preset import Preset
from fingerprint.lab.presets.parts import flow, names
from fingerprint.lab.world import Path

# Beside the servers, behind the last router: what stands there is their owner's.
_AT_THE_SERVERS = Path(at=4)

PRESETS = (
    Preset(
        name="gfw-fully-encrypted",
        says="China 2021-23: what begins with bytes that look fully encrypted is dropped, and its port for 180 s.",
        source="Wu et al., USENIX Security 2023; here every such connection is taken, in the field one in four",
        boxes=lambda residual_s: (
            FirstBytesDropper(cuts=looks_encrypted, residual=Residual(seconds=residual_s, one_way=True)),
        ),
        residual_s=180.0,
    ),
    Preset(
        name="iran-protocol-filter",
        says="Iran 2020: on ports 53, 80 and 443 what begins like neither DNS, HTTP nor TLS is dropped.",
        source="Bock et al., FOCI 2020",
        boxes=lambda residual_s: (iran.Filter(residual=flow(residual_s), watch=Watch(names=names("nobody.example"))),),
        residual_s=60.0,
    ),
    Preset(
        name="ssh-drop",
        says="A client's SSH banner is dropped, and the flow with it.",
        source="Aryan et al., FOCI 2013, of SSH in Iran; the box is made up",
        boxes=lambda residual_s: (FirstBytesDropper(cuts=is_ssh, residual=flow(residual_s)),),
        residual_s=60.0,
    ),
    Preset(
        name="openvpn-tcp-reset",
        says="OpenVPN's first packet over TCP brings a reset to both ends.",
        source="Xue et al., USENIX Security 2022, of what can be told by it; the box is made up",
        boxes=lambda _: (FirstBytesResetter(cuts=is_openvpn_over_tcp),),
        on_path=True,
    ),
    Preset(
        name="openvpn-udp-drop",
        says="OpenVPN's first packet over UDP is dropped.",
        source="Xue et al., USENIX Security 2022, of what can be told by it; the box is made up",
        boxes=lambda _: (DatagramDropper(cuts=is_openvpn),),
    ),
    Preset(
        name="wireguard-drop",
        says="Handshake initiations of WireGuard are dropped.",
        source="wireguard.com/protocol, of what can be told by it; the box is made up",
        boxes=lambda _: (DatagramDropper(cuts=is_wireguard),),
    ),
    Preset(
        name="stun-drop",
        says="STUN is dropped by the cookie of RFC 8489, whatever the port.",
        source="RFC 8489 section 5, of what can be told by it; the box is made up",
        boxes=lambda _: (DatagramDropper(cuts=is_stun),),
    ),
    Preset(
        name="zoom-ports",
        says="UDP ports 8801 to 8810 are dropped, whatever the address.",
        source="Zoom support, article 201362683, of the ports; the box is made up",
        boxes=lambda _: (DatagramDropper(ports=frozenset(range(8801, 8811))),),
    ),
    Preset(
        name="no-filter-of-payloads",
        says="Nothing on the way; servers hang up on what they cannot read, and refuse closed ports.",
        source="RFC 1122 section 3.2.2.1; RFC 4253 section 4.2",
        boxes=lambda _: (),
        kind="innocent",
    ),
    Preset(
        name="udp-firewall",
        says="The servers' own firewall takes no UDP at all and says nothing.",
        source="a common default",
        boxes=lambda _: (DatagramDropper(),),
        kind="innocent",
        path=_AT_THE_SERVERS,
    ),
    Preset(
        name="vpn-without-a-key",
        says="VPN servers that are silent to whom they do not know.",
        source="wireguard.com: no answer without a key; OpenVPN manual, tls-auth",
        boxes=lambda _: (DatagramDropper(ports=frozenset({1194, 51820})),),
        kind="innocent",
        path=_AT_THE_SERVERS,
    ),
)
