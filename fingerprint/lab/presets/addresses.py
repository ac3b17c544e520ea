"""Censors of addresses and ports, and hosts and firewalls that look like them."""

from __future__ import annotations

from fingerprint.lab.boxes.dropping import AddressBlackHole
from fingerprint.lab.boxes.forbidding import HOST, Forbid, LoseWayBack, Minded, ResetSyn, Swallow
from fingerprint.lab.preset import Preset
from fingerprint.lab.presets.parts import NEAR
from fingerprint.lab.world import SERVER_A, SERVER_B, Path, Servers, router

_ADDRESSES, _HTTPS = frozenset(SERVER_A), 443
_BESIDE_THE_SERVERS = Path(at=4, before_s=0.022, behind_s=0.003)
# RFC 1122 section 2.3.2.1 and Linux: three requests for the link address, one a second, before a host is missed.
_ARP_S = 3.0
# A router's own packets leave it with their whole TTL; what the box sends in its name crosses it once more.
_FROM_THE_ROUTER_ITSELF = 65


def _beside(number: int) -> tuple[str, str]:
    """Another address of router ``number``: a kernel takes no packet that comes in with one of its own."""
    v4, v6 = router(number)
    return v4.rsplit(".", 1)[0] + ".9", v6.rsplit(":", 1)[0] + ":9"


PRESETS = (
    Preset(
        name="ip-blackhole",
        says="Nothing goes to the addresses of the minded name.",
        source="common practice of providers",
        boxes=lambda _: (AddressBlackHole(addresses=_ADDRESSES),),
    ),
    Preset(
        name="port-drop",
        says="What goes to port 443 of the minded name's addresses is dropped; port 80 is left alone.",
        source="common practice of providers",
        boxes=lambda _: (Swallow(minded=Minded(addresses=_ADDRESSES, port=_HTTPS)),),
    ),
    Preset(
        name="ip-prohibited",
        says="A router refuses to carry what goes to the addresses, and says 'administratively prohibited'.",
        source="RFC 1812 section 5.2.7.1; iptables' REJECT on routers",
        boxes=lambda _: (Forbid(minded=Minded(addresses=_ADDRESSES), senders=_beside(2)),),
    ),
    Preset(
        name="port-reset",
        says="Each SYN to port 443 of the addresses draws a RST+ACK in the server's name.",
        source="made for the laboratory",
        boxes=lambda _: (ResetSyn(minded=Minded(addresses=_ADDRESSES, port=_HTTPS)),),
        on_path=True,
    ),
    Preset(
        name="way-back-drop",
        says="What the addresses send is dropped on its way to the client; SYNs arrive there.",
        source="made for the laboratory",
        boxes=lambda _: (LoseWayBack(addresses=_ADDRESSES),),
    ),
    Preset(
        name="server-down",
        kind="innocent",
        says="The machine of the minded name is off.",
        source="made for the laboratory",
        boxes=lambda _: (AddressBlackHole(addresses=_ADDRESSES),),
        path=_BESIDE_THE_SERVERS,
    ),
    Preset(
        name="server-firewall",
        kind="innocent",
        says="The firewall before the server drops port 443 and passes port 80.",
        source="made for the laboratory",
        boxes=lambda _: (Swallow(minded=Minded(addresses=_ADDRESSES, port=_HTTPS)),),
        path=_BESIDE_THE_SERVERS,
    ),
    Preset(
        name="server-port-closed",
        kind="innocent",
        says="Nobody listens on port 443 of the minded name's server, which refuses it; port 80 is served.",
        source="RFC 9293 section 3.10.7.1",
        boxes=lambda _: (),
        servers=Servers(closed=frozenset({_HTTPS})),
    ),
    Preset(
        name="host-unreachable",
        kind="innocent",
        says="Nobody is at the addresses; their last router says so after three seconds.",
        source="RFC 1812 section 5.2.7.1",
        boxes=lambda _: (Forbid(minded=Minded(addresses=_ADDRESSES), senders=_beside(4), codes=HOST, after_s=_ARP_S),),
        path=_BESIDE_THE_SERVERS,
    ),
    Preset(
        name="site-outage",
        kind="innocent",
        says="Nothing comes to either web server any more, as when a site loses its routes.",
        source="made for the laboratory",
        boxes=lambda _: (AddressBlackHole(addresses=frozenset((*SERVER_A, *SERVER_B))),),
    ),
    Preset(
        name="gateway-prohibits",
        kind="innocent",
        says="The office's own gateway refuses the addresses, and says so.",
        source="made for the laboratory",
        boxes=lambda _: (Forbid(minded=Minded(addresses=_ADDRESSES), senders=_beside(1), ttl=_FROM_THE_ROUTER_ITSELF),),
        path=NEAR,
    ),
)
