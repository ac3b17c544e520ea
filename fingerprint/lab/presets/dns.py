"""Censors that lie about names."""

from __future__ import annotations

from fingerprint.lab.boxes import gfw_dns, iran, turkmenistan
from fingerprint.lab.preset import Preset
from fingerprint.lab.world import MINDED, Servers

_HOANG = "Hoang et al., USENIX Security 2021: as told by others"

PRESETS = (
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
