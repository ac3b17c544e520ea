"""Censors of QUIC and of encrypted DNS, and networks that look like them."""

from __future__ import annotations

from fingerprint.lab.boxes.dropping import HelloDropper
from fingerprint.lab.boxes.forbidding import Minded, ResetSyn, Swallow
from fingerprint.lab.boxes.quic_filters import CloseInjector, InitialDropper, InitialSilencer, SlowUdp, UdpPortDropper
from fingerprint.lab.boxes.residual import Residual
from fingerprint.lab.boxes.tspu import QuicDropper
from fingerprint.lab.boxes.watching import Watch
from fingerprint.lab.preset import Preset
from fingerprint.lab.presets.parts import NEAR, TSPU, flow, names
from fingerprint.lab.world import PUBLIC_RESOLVER, SERVER_A, SERVER_B, Path, Servers

# Beside the servers, behind the last router: what stands there is their owner's.
_AT_THE_SERVERS = Path(at=4, before_s=0.022, behind_s=0.003)
_HTTPS = 443
# A shortened window may not end between the repeats of one Initial.
_LEAST_SILENCE_S = 6.0
_DOT = Minded(addresses=frozenset(PUBLIC_RESOLVER), port=853)
_EVERYBODY = frozenset((*PUBLIC_RESOLVER, *SERVER_A, *SERVER_B))

PRESETS = (
    Preset(
        name="tspu-quic",
        says="TSPU: QUIC version 1 in datagrams of 1,001 bytes and more silences the flow.",
        source=TSPU,
        boxes=lambda residual_s: (QuicDropper(residual=flow(residual_s)),),
        residual_s=420.0,
    ),
    Preset(
        name="tspu-quic-sni",
        says="Russia since 2023: an Initial with a minded name is dropped, and its flow.",
        source="Heitmann et al., FOCI 2026: as told by others, not read",
        boxes=lambda residual_s: (InitialDropper(residual=flow(residual_s)),),
        residual_s=420.0,
    ),
    Preset(
        name="gfw-quic-sni",
        says="Great Firewall: a minded Initial passes; what the client then sends there is dropped for 180 s.",
        source="Zohaib et al., USENIX Security 2025: as told by others; here every Initial is seen",
        boxes=lambda residual_s: (
            InitialSilencer(residual=Residual(seconds=max(residual_s, _LEAST_SILENCE_S), one_way=True)),
        ),
        residual_s=180.0,
    ),
    Preset(
        name="quic-address-drop",
        says="UDP to port 443 of the minded name's addresses is dropped; TCP passes, and UDP to others.",
        source="Elmenhorst et al., IMC 2021, of UDP endpoint blocking in Iran",
        boxes=lambda _: (UdpPortDropper(port=_HTTPS, addresses=frozenset(SERVER_A)),),
    ),
    Preset(
        name="quic-close",
        says="A minded Initial is answered by a CONNECTION_CLOSE in the server's name.",
        source="RFC 9000 section 21.10, of what can be written; the box is made up",
        boxes=lambda _: (CloseInjector(),),
        on_path=True,
    ),
    Preset(
        name="no-quic-refused",
        says="The servers have no QUIC, and their kernels say so by ICMP.",
        source="RFC 1122 section 4.1.3.1",
        boxes=lambda _: (),
        kind="innocent",
        servers=Servers(quic=False),
    ),
    Preset(
        name="no-quic-silent",
        says="The servers' own firewall takes no UDP to port 443 and says nothing.",
        source="a common default",
        boxes=lambda _: (UdpPortDropper(port=_HTTPS),),
        kind="innocent",
        path=_AT_THE_SERVERS,
        servers=Servers(quic=False),
    ),
    Preset(
        name="quic-dropped-altogether",
        says="The office's own router drops all UDP to port 443, so that its proxy sees what passes; TCP is fine.",
        source="vendors of proxies advise it",
        boxes=lambda _: (UdpPortDropper(port=_HTTPS),),
        kind="innocent",
        path=NEAR,
    ),
    Preset(
        name="quic-lossy",
        says="Eight packets of a hundred are lost, both ways.",
        source="made for the laboratory",
        boxes=lambda _: (),
        kind="innocent",
        path=Path(loss_ratio=0.08),
    ),
    Preset(
        name="quic-slow",
        says="Whatever comes over UDP from port 443 takes 1.3 s more.",
        source="made for the laboratory",
        boxes=lambda _: (SlowUdp(port=_HTTPS, seconds=1.3),),
        kind="innocent",
    ),
    Preset(
        name="dot-port-drop",
        says="SYNs to port 853 of a resolver (lookup.test) vanish.",
        source="Basso, NDSS DNS Privacy Workshop 2021, of what is done; the box is made up",
        boxes=lambda _: (Swallow(minded=_DOT),),
    ),
    Preset(
        name="dot-port-reset",
        says="SYNs to port 853 of a resolver (lookup.test) are reset in its name.",
        source="Basso, NDSS DNS Privacy Workshop 2021, of what is done; the box is made up",
        boxes=lambda _: (ResetSyn(minded=_DOT),),
        on_path=True,
    ),
    Preset(
        name="doh-sni-drop",
        says="Hellos with the name of a resolver (lookup.test) are dropped.",
        source="Basso, NDSS DNS Privacy Workshop 2021, of what is done; the box is made up",
        boxes=lambda _: (HelloDropper(watch=Watch(names=names("lookup.test"), reads=("sni",), joins_segments=False)),),
    ),
    Preset(
        name="no-dot-refused",
        says="Nothing on the way; a server that does not offer DNS over TLS refuses port 853.",
        source="RFC 9293 section 3.10.7.1",
        boxes=lambda _: (),
        kind="innocent",
    ),
    Preset(
        name="no-dot-silent",
        says="The resolver's own firewall drops what comes to port 853.",
        source="a common default",
        boxes=lambda _: (Swallow(minded=_DOT),),
        kind="innocent",
        path=_AT_THE_SERVERS,
    ),
    Preset(
        name="dot-closed-by-office",
        says="The office's own router closes port 853, so that its own resolver is asked.",
        source="RFC 7858 section 3.1: a port of its own is easily closed",
        boxes=lambda _: (Swallow(minded=Minded(addresses=_EVERYBODY, port=853)),),
        kind="innocent",
        path=NEAR,
    ),
)
