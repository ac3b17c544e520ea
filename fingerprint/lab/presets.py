"""Every censor of the field and every innocent that looks like one, by the name that `fingerprint lab` takes.

What a preset should be judged as does not stand here: expectations are written by hand in the tests.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random

from captures.errors import TargetError
from fingerprint.lab.boxes import airtel, closing, gfw_dns, gfw_resets, iran, packetlogic, turkmenistan
from fingerprint.lab.boxes.captive_portal import CaptivePortal
from fingerprint.lab.boxes.dropping import AddressBlackHole, HelloDropper, SizeLimit
from fingerprint.lab.boxes.forging import Salvo
from fingerprint.lab.boxes.interception import Interceptor
from fingerprint.lab.boxes.load_balancer import LoadBalancer
from fingerprint.lab.boxes.residual import Residual
from fingerprint.lab.boxes.slowing import CrossTraffic, Freeze, Marks, Policer, Shaper
from fingerprint.lab.boxes.syn_proxy import SynProxy
from fingerprint.lab.boxes.tspu import Dropper, LateDropper, QuicDropper, Rewriter
from fingerprint.lab.boxes.watching import Names, Watch
from fingerprint.lab.censor import Box
from fingerprint.lab.preset import Preset
from fingerprint.lab.world import MINDED, SERVER_A, Path, Servers

_SP25 = "gfw-report, sp25-regional data of IEEE S&P 2025: read there"
_TSPU = "Xue et al., TSPU, IMC 2022: as told by others, not read"
_HOANG = "Hoang et al., USENIX Security 2021: as told by others"


def names(*minded: str, match: str = "suffix") -> Names:
    """These names, or the one that the laboratory's censors mind."""
    return Names(names=frozenset(minded) or frozenset({MINDED}), match=match)


def _gfw(salvo: Callable[[Random], Salvo]) -> Callable[[float], tuple[Box, ...]]:
    return lambda residual_s: (gfw_resets.gfw(salvo(Random(25)), residual_s),)  # noqa: S311  # header fields, no secret


def _flow(residual_s: float) -> Residual:
    """State that lives with the flow, as long as it is heard of; a fresh port is never caught."""
    return Residual(seconds=max(residual_s, _LEAST_FLOW_STATE_S), scope="4-tuple", renews=True)


def _marks(match: str = "suffix", *, minded: str = MINDED) -> Marks:
    return Marks(watch=Watch(names=names(minded, match=match)))


_NEAR = Path(at=1)
# A shortened window may not end between two retransmissions of one hello, whose pauses double from a quarter second.
_LEAST_FLOW_STATE_S = 30.0
_BESIDE_THE_SERVERS = Path(at=4, before_s=0.022, behind_s=0.003)

_RESETS = (
    Preset(
        name="gfw-rst-i",
        says="Great Firewall, type I: one bare reset to both ends after a minded name.",
        source=f"{_SP25}, n = 77,892",
        boxes=_gfw(gfw_resets.type_i),
        on_path=True,
        residual_s=180.0,
    ),
    Preset(
        name="gfw-rst-ii",
        says="Great Firewall, type II: three identical RST+ACK to both ends.",
        source=f"{_SP25}, n = 309,333; that window less TTL is constant was derived from one public capture",
        boxes=_gfw(gfw_resets.type_ii),
        on_path=True,
        residual_s=180.0,
    ),
    Preset(
        name="gfw-rst-iii",
        says="Great Firewall, type III: one RST+ACK with TTL 248 to both ends.",
        source=f"{_SP25}, n = 4,366",
        boxes=_gfw(gfw_resets.type_iii),
        on_path=True,
        residual_s=180.0,
    ),
    Preset(
        name="gfw-rst",
        says="Great Firewall, types I and II on one flow: a bare reset, then three RST+ACK with one IP ID.",
        source=f"{_SP25}; bursts of both in public captures",
        boxes=_gfw(gfw_resets.one_then_three),
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
        name="sni-fin",
        says="A FIN+ACK to both ends after a minded ClientHello; no known device.",
        source="made for the laboratory",
        boxes=lambda _: (closing.fins(),),
        on_path=True,
    ),
)

_DNS = (
    *(
        Preset(
            name=f"gfw-dns-{number}",
            says=f"Great Firewall, DNS injector {number}: {what}.",
            source=source,
            boxes=lambda _, number=number: (gfw_dns.injector(number),),  # type: ignore[misc]
            on_path=True,
        )
        for number, what, source in (
            (1, "authoritative answers from a pool", _HOANG),
            (2, "answers with DF from a pool", _HOANG),
            (3, "answers that mirror the TTL of the query", f"{_HOANG}; Wallbleed, NDSS 2025: read there"),
        )
    ),
    Preset(
        name="turkmenistan-dns",
        says="Turkmenistan: 127.0.0.1 with a record TTL of 300 for a minded name.",
        source="breakerspace, WWW 2023: read there",
        boxes=lambda _: (turkmenistan.answers(),),
        on_path=True,
    ),
    Preset(
        name="iran-dns",
        says="Iran: 10.10.34.34 to .36, with the IP ID and the TTL of the client's own packet.",
        source="Aryan et al., FOCI 2013, and public captures: read there",
        boxes=lambda _: (iran.answers(),),
        on_path=True,
    ),
    Preset(
        name="dns-lying-resolver",
        says="The provider's resolver gives the address of a notice page; nothing happens on the way.",
        source="common practice of providers",
        boxes=lambda _: (),
        servers=Servers(resolver_lies={MINDED: "81.17.26.80"}),
    ),
)

_DROPS = (
    Preset(
        name="iran-filter",
        says="Iran: an empty PSH+ACK to the client, then the flow is dropped for a minute.",
        source="Bock et al., FOCI 2020, and public captures: as told by others",
        boxes=lambda residual_s: (iran.Filter(residual=_flow(residual_s)),),
        residual_s=60.0,
    ),
    Preset(
        name="tspu-sni-1",
        says="TSPU SNI-I: the server's answer loses its payload and becomes RST/ACK on the way.",
        source=_TSPU,
        boxes=lambda residual_s: (Rewriter(residual=_flow(residual_s)),),
        residual_s=75.0,
    ),
    Preset(
        name="tspu-sni-2",
        says="TSPU SNI-II: five to eight packets pass after the hello, then none does.",
        source=_TSPU,
        boxes=lambda residual_s: (LateDropper(residual=_flow(residual_s)),),
        residual_s=420.0,
    ),
    Preset(
        name="tspu-sni-4",
        says="TSPU SNI-IV: the hello and all that follows is dropped.",
        source=_TSPU,
        boxes=lambda residual_s: (Dropper(residual=_flow(residual_s)),),
        residual_s=40.0,
    ),
    Preset(
        name="tspu-quic",
        says="TSPU: QUIC version 1 in datagrams of 1,001 bytes and more silences the flow.",
        source=_TSPU,
        boxes=lambda residual_s: (QuicDropper(residual=_flow(residual_s)),),
        residual_s=420.0,
    ),
    Preset(
        name="kazakhstan-timeout",
        says="Kazakhstan: nothing comes after the ClientHello.",
        source="public measurements of 2019 to 2024: read there",
        boxes=lambda residual_s: (Dropper(residual=_flow(residual_s), watch=Watch(reads=("sni",))),),
        residual_s=60.0,
    ),
    Preset(
        name="kazakhstan-mitm",
        says="Kazakhstan: a minded hello is answered with a certificate of the state's own root.",
        source="public measurements of 2019 to 2024: read there",
        boxes=lambda _: (Interceptor(),),
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
    Preset(
        name="ip-blackhole",
        says="Nothing goes to the addresses of the minded name.",
        source="common practice of providers",
        boxes=lambda _: (AddressBlackHole(addresses=frozenset(SERVER_A)),),
    ),
)

_SLOWING = (
    Preset(
        name="tspu-sni-3",
        says="TSPU SNI-III of 2022: marked flows are policed to 600–700 bytes a second.",
        source=_TSPU,
        boxes=lambda _: (Policer(rate_bps=5200.0, burst_bytes=6_000, marks=_marks()),),
    ),
    Preset(
        name="russia-2021",
        says="Russia, spring of 2021: 130–150 kbit/s both ways by policing, for names that contain a string.",
        source="Xue et al., IMC 2021: read there",
        boxes=lambda _: (Policer(rate_bps=140_000.0, burst_bytes=17_500, marks=_marks("substring")),),
        path=_NEAR,
    ),
    Preset(
        name="turkey-throttling",
        says="Turkey in crises: minded names are slowed over TCP, QUIC is left alone.",
        source="public reports: read there; the rate is that of Russia, none was published",
        boxes=lambda _: (Policer(rate_bps=150_000.0, burst_bytes=18_750, both_ways=False, marks=_marks()),),
    ),
    Preset(
        name="sni-shaper",
        says="Marked flows wait in a queue that drains at 400 kbit/s.",
        source="made for the laboratory",
        boxes=lambda _: (Shaper(rate_bps=400_000.0, queue_bytes=48_000, marks=_marks()),),
    ),
    Preset(
        name="freeze-16k",
        says="After about 16 KB toward the client a marked flow freezes, without a reset.",
        source="net4people/bbs#490: read there",
        boxes=lambda _: (Freeze(cap_bytes=16_384, marks=_marks()),),
    ),
)

_INNOCENTS = (
    Preset(name="none", says="Nothing stands on the way.", source="made for the laboratory", boxes=lambda _: ()),
    Preset(
        name="loss",
        says="Two packets of a hundred are lost, both ways.",
        source="made for the laboratory",
        boxes=lambda _: (),
        path=Path(loss_ratio=0.02),
    ),
    Preset(
        name="reordering",
        says="Five packets of a hundred are held back for 4 ms.",
        source="made for the laboratory",
        boxes=lambda _: (),
        path=Path(reorder_ratio=0.05),
    ),
    Preset(
        name="slow-link",
        says="The line carries 1.5 Mbit/s.",
        source="made for the laboratory",
        boxes=lambda _: (),
        path=Path(rate_bps=1_500_000.0),
    ),
    Preset(
        name="shared-congestion",
        says="Other people's bursts fill the line, for every name alike.",
        source="made for the laboratory",
        boxes=lambda _: (CrossTraffic(),),
    ),
    Preset(
        name="server-reset",
        says="The server resets every ClientHello itself.",
        source="made for the laboratory",
        boxes=lambda _: (),
        servers=Servers(resets=frozenset({"*"})),
    ),
    Preset(
        name="server-reset-name",
        says="The server itself resets one name: a pair on its address cannot tell that from a censor in the path.",
        source="made for the laboratory",
        boxes=lambda _: (),
        servers=Servers(resets=frozenset({MINDED})),
    ),
    Preset(
        name="load-balancer",
        says="TTL and IP ID of the server's side vary from packet to packet.",
        source="public captures: 59 against 232 on one service",
        boxes=lambda _: (LoadBalancer(),),
        path=_BESIDE_THE_SERVERS,
    ),
    Preset(
        name="syn-proxy",
        says="The SYN is answered before the server, with TTL 251; data come with the server's.",
        source="public captures: 251 against 60 on one service",
        boxes=lambda _: (SynProxy(),),
        path=_BESIDE_THE_SERVERS,
    ),
    Preset(
        name="server-limit",
        says="The server itself limits one name to 400 kbit/s.",
        source="made for the laboratory",
        boxes=lambda _: (),
        servers=Servers(limits_bps={MINDED: 400_000.0}),
    ),
    Preset(
        name="captive-portal",
        says="A café's portal answers for everybody.",
        source="made for the laboratory",
        boxes=lambda _: (CaptivePortal(),),
        path=_NEAR,
    ),
    Preset(
        name="pmtu-black-hole",
        says="Packets of more than 1,400 bytes vanish without ICMP.",
        source="RFC 2923 section 2.1",
        boxes=lambda _: (SizeLimit(),),
    ),
    Preset(
        name="lame-zone",
        says="The servers of the name's own zone do not answer the resolvers.",
        source="RFC 1912 section 2.8",
        boxes=lambda _: (),
        servers=Servers(lame=frozenset({MINDED})),
    ),
)


def _innocent(preset: Preset) -> Preset:
    return replace(preset, kind="innocent")


PRESETS: dict[str, Preset] = {
    p.name: p for p in (*_RESETS, *_DNS, *_DROPS, *_SLOWING, *(_innocent(p) for p in _INNOCENTS))
}


def preset(name: str) -> Preset:
    """The preset of that name. Raises TargetError with the choices."""
    try:
        return PRESETS[name]
    except KeyError:
        raise TargetError(f"no preset is called {name}; choose one of {', '.join(sorted(PRESETS))}") from None
