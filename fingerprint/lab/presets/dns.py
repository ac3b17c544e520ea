"""Censors that lie about names."""

from __future__ import annotations

from fingerprint.lab.boxes import gfw_dns, iran, turkmenistan
from fingerprint.lab.boxes.dns_denying import NXDOMAIN, REFUSED, SERVFAIL, Denier, QueryDropper, TruthfulProxy
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
    Preset(
        name="dns-nxdomain-resolver",
        says="The provider's resolver denies that the name exists; nothing happens on the way.",
        source="common practice of providers",
        boxes=lambda _: (),
        servers=Servers(resolver_denies={MINDED: NXDOMAIN}),
    ),
    Preset(
        name="dns-refused-resolver",
        says="The provider's resolver refuses to answer for the name; nothing happens on the way.",
        source="common practice of providers",
        boxes=lambda _: (),
        servers=Servers(resolver_denies={MINDED: REFUSED}),
    ),
    Preset(
        name="dns-nxdomain",
        says="A denial is forged for queries that name it, before the resolver's own answer.",
        source="made for the laboratory",
        boxes=lambda _: (Denier(),),
        on_path=True,
    ),
    Preset(
        name="dns-servfail",
        says="Queries that name it are dropped on the way and answered with SERVFAIL.",
        source="made for the laboratory",
        boxes=lambda _: (Denier(rcode=SERVFAIL, drops=True),),
    ),
    Preset(
        name="dns-refused",
        says="Queries that name it are dropped on the way and answered with REFUSED.",
        source="made for the laboratory",
        boxes=lambda _: (Denier(rcode=REFUSED, drops=True),),
    ),
    Preset(
        name="dns-query-drop",
        says="Queries that name it are dropped on the way, over UDP and TCP.",
        source="made for the laboratory",
        boxes=lambda _: (QueryDropper(),),
    ),
    Preset(
        name="name-gone",
        kind="innocent",
        says="The name is registered no more: no resolver knows it.",
        source="made for the laboratory",
        boxes=lambda _: (),
        servers=Servers(gone=frozenset({MINDED})),
    ),
    Preset(
        name="nxdomain-hijack",
        kind="innocent",
        says="The provider's resolver gives the address of a search page for names that nobody registered.",
        source="RFC 6761; common practice of providers",
        boxes=lambda _: (),
        servers=Servers(resolver_hijacks="81.17.26.80"),
    ),
    Preset(
        name="dns-proxy",
        kind="innocent",
        says="A transparent proxy answers every query, whoever it is for, and tells the truth.",
        source="common practice of providers and hotels",
        boxes=lambda _: (TruthfulProxy(),),
    ),
)
