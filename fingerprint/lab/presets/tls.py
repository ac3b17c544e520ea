"""Censors inside TLS: certificates, ECH, fingerprints; and products that look like them."""

from __future__ import annotations

from fingerprint.lab.boxes.forging import Injector, back
from fingerprint.lab.boxes.hello_shapes import (
    DHE_RSA_AES_GCM,
    ECH,
    ESNI,
    ShapeDropper,
    ShapeWatch,
    carries,
    offers_cipher,
)
from fingerprint.lab.boxes.interception import Interceptor
from fingerprint.lab.boxes.residual import Residual
from fingerprint.lab.censor import Direction
from fingerprint.lab.certificates import ITSELF, Issuer
from fingerprint.lab.packet import ACK, RST, Packet
from fingerprint.lab.preset import Preset
from fingerprint.lab.presets.parts import NEAR
from fingerprint.lab.world import MINDED, Path, Servers

_ESNI = "GFW Report, iYouPort and Geneva, 'Exposing and Circumventing China's Censorship of ESNI', August 2020"


def _reset(packet: Packet, direction: Direction) -> tuple[tuple[Packet, Direction], ...]:
    """One RST+ACK in the server's name, from a device of its own."""
    del direction
    return ((back(packet, RST | ACK, ttl=100, ip_id=0, window=0), Direction.TO_CLIENT),)


PRESETS = (
    Preset(
        name="kazakhstan-mitm",
        says="Kazakhstan: a minded hello is answered with a certificate of the state's own root.",
        source="Sundara Raman et al., IMC 2020; OONI, 'Kazakhstan: TLS MITM attacks', September 2024",
        boxes=lambda _: (Interceptor(),),
    ),
    Preset(
        name="mitm-self-signed",
        says="A minded hello is answered with a certificate that signed itself.",
        source="made for the laboratory, after the taxonomy",
        boxes=lambda _: (Interceptor(issuer=ITSELF),),
    ),
    Preset(
        name="mitm-tls13",
        says="Only hellos that offer TLS 1.3 are taken over, so that no certificate is ever to be seen.",
        source="made for the laboratory: RFC 8446 section 4.4.2, certificates are encrypted",
        boxes=lambda _: (Interceptor(newest_only=True),),
    ),
    Preset(
        name="esni-drop",
        says="China, 2020: a hello with encrypted_server_name is dropped, and what follows to that port for 180 s.",
        source=_ESNI,
        boxes=lambda residual_s: (
            ShapeDropper(watch=ShapeWatch(shape=carries(ESNI)), residual=Residual(seconds=residual_s, one_way=True)),
        ),
        residual_s=180.0,
    ),
    Preset(
        name="ech-drop",
        says="A hello with encrypted_client_hello is dropped, whatever stands beside it.",
        source="after net4people/bbs#417 (Russia, 5 November 2024), where one outer name is wanted as well",
        boxes=lambda _: (ShapeDropper(watch=ShapeWatch(shape=carries(ECH))),),
    ),
    Preset(
        name="ech-reset",
        says="A hello with encrypted_client_hello is answered by a forged reset.",
        source="made for the laboratory, after the taxonomy",
        boxes=lambda _: (Injector(watch=ShapeWatch(shape=carries(ECH)), salvo=_reset),),
        on_path=True,
    ),
    Preset(
        name="fingerprint-reset",
        says="A client that offers certain ciphers is reset, whatever it names.",
        source="after net4people/bbs#125 and #153 (Iran, 2022): fingerprints of Go and of Chrome",
        boxes=lambda _: (Injector(watch=ShapeWatch(shape=offers_cipher(DHE_RSA_AES_GCM)), salvo=_reset),),
        on_path=True,
    ),
    Preset(
        name="fingerprint-drop",
        says="The hellos of a client that offers certain ciphers are dropped, whatever they name.",
        source="after net4people/bbs#125 and #153 (Iran, 2022): fingerprints of Go and of Chrome",
        boxes=lambda _: (ShapeDropper(watch=ShapeWatch(shape=offers_cipher(DHE_RSA_AES_GCM))),),
    ),
    Preset(
        name="gateway-signs-all",
        kind="innocent",
        says="A company's gateway answers every hello with a certificate that its product signed.",
        source="Durumeric et al., 'The Security Impact of HTTPS Interception', NDSS 2017",
        boxes=lambda _: (Interceptor(everybody=True, issuer=Issuer(common="FGT60F", organisation="Fortinet")),),
        path=NEAR,
    ),
    Preset(
        name="scanner-signs-some",
        kind="innocent",
        says="A virus scanner on the client's side reads one site and signs as itself.",
        source="de Carné de Carnavalet and Mannan, 'Killed by Proxy', NDSS 2016",
        boxes=lambda _: (
            Interceptor(
                issuer=Issuer(common="Kaspersky Anti-Virus Personal Root Certificate", organisation="AO Kaspersky Lab")
            ),
        ),
        path=Path(at=1, before_s=0.0005, behind_s=0.0245),
    ),
    Preset(
        name="certificate-of-its-own",
        kind="innocent",
        says="One name on a shared address has a certificate of its own, from an authority.",
        source="made for the laboratory",
        boxes=lambda _: (),
        servers=Servers(certificates={MINDED: "Harbour Authority"}),
    ),
    Preset(
        name="self-signed-site",
        kind="innocent",
        says="One name on a shared address shows a certificate that signed itself: nobody ever bought one.",
        source="made for the laboratory",
        boxes=lambda _: (),
        servers=Servers(certificates={MINDED: None}),
    ),
    Preset(
        name="old-tls-refused",
        kind="innocent",
        says="The servers speak TLS 1.3 only and answer older hellos by an alert.",
        source="RFC 8446 section 6.2, protocol_version",
        boxes=lambda _: (),
        servers=Servers(newest_tls_only=True),
    ),
)
