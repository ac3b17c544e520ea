"""Censors of requests in the clear, and servers, caches and filters that look like them."""

from __future__ import annotations

from fingerprint.lab.boxes import gfw_resets, packetlogic, plain_requests
from fingerprint.lab.boxes.plain_requests import Words
from fingerprint.lab.boxes.tspu import Dropper
from fingerprint.lab.boxes.watching import Watch
from fingerprint.lab.preset import Preset
from fingerprint.lab.presets.parts import NEAR, flow
from fingerprint.lab.world import MINDED, Path, Servers

# The path that the laboratory's runs ask for.
_PATH = b"/large"
_BESIDE_THE_SERVERS = Path(at=4, before_s=0.0245, behind_s=0.0005)
_MADE = "made for the laboratory"

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
    Preset(
        name="http-page",
        says="A page of refusal with FIN, and a RST behind it, before the server's own answer.",
        source="after CenTrace's public captures (Sundara Raman et al., CoNEXT 2022); no known device",
        boxes=lambda _: (plain_requests.pages(),),
        on_path=True,
    ),
    Preset(
        name="http-page-in-path",
        says="The request goes no further, and a page of refusal comes back in the server's name.",
        source=_MADE,
        boxes=lambda _: (plain_requests.Answering(),),
    ),
    Preset(
        name="http-page-rewritten",
        says="The server's own answer becomes a frame of 10.10.34.34 on its way, in the server's headers and time.",
        source="the page: Aryan et al., FOCI 2013; that it is written over an answer: made for the laboratory",
        boxes=lambda _: (plain_requests.Rewriting(),),
    ),
    Preset(
        name="http-host-reset",
        says="A RST+ACK to both ends after a minded Host; TLS passes.",
        source=_MADE,
        boxes=lambda _: (plain_requests.resets(Watch(reads=("host",))),),
        on_path=True,
    ),
    Preset(
        name="http-host-drop",
        says="A request with a minded Host is dropped, and all that follows; TLS passes.",
        source=_MADE,
        boxes=lambda residual_s: (Dropper(residual=flow(residual_s), watch=Watch(reads=("host",))),),
    ),
    Preset(
        name="http-path-reset",
        says="A RST+ACK to both ends after one path of a minded Host; its other pages pass.",
        source=_MADE,
        boxes=lambda _: (plain_requests.resets(Words(words=(_PATH,))),),
        on_path=True,
    ),
    Preset(
        name="http-keyword-reset",
        says="A RST+ACK to both ends after a word in the request line, whatever the Host.",
        source="after Crandall et al., ConceptDoppler, CCS 2007",
        boxes=lambda _: (plain_requests.resets(Words(words=(_PATH,), under_all=True)),),
        on_path=True,
    ),
    Preset(
        name="server-forbids-name",
        kind="innocent",
        says="The server itself answers 403 for one name.",
        source=_MADE,
        boxes=lambda _: (),
        servers=Servers(statuses={MINDED: 403}),
    ),
    Preset(
        name="server-cites-law",
        kind="innocent",
        says="The server itself answers 451 for one name: a country's law, its own word.",
        source="RFC 7725",
        boxes=lambda _: (),
        servers=Servers(statuses={MINDED: 451}),
    ),
    Preset(
        name="server-upgrades",
        kind="innocent",
        says="The server itself sends visitors of one name on to TLS.",
        source=_MADE,
        boxes=lambda _: (),
        servers=Servers(statuses={MINDED: 301}),
    ),
    Preset(
        name="http-cache",
        kind="innocent",
        says="A provider's cache opens every connection to port 80 itself, and adds Via to what it answers.",
        source=_MADE,
        boxes=lambda _: (plain_requests.Cache(),),
    ),
    Preset(
        name="family-filter",
        kind="innocent",
        says="The family's router answers one Host by the page of its own filter.",
        source=_MADE,
        boxes=lambda _: (plain_requests.family(),),
        path=NEAR,
    ),
    Preset(
        name="http-firewall",
        kind="innocent",
        says="A firewall beside the server refuses one Host in its own headers.",
        source=_MADE,
        boxes=lambda _: (plain_requests.firewall(),),
        path=_BESIDE_THE_SERVERS,
    ),
)
