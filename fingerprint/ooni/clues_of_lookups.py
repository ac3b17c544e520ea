"""Clues of names that were looked up and of pages that were shown; see `fingerprint.ooni.clues` for how they stand.

Nobody chooses the resolver of the own provider in order to filter. But what a probe knows of the resolver is the one
at the far end: on the line of a house a router, or a box with a list, is asked first and may answer by itself. A
phone's own line has none. With any other resolver, too, a filter that was asked for is the first explanation, and
sockets do not tell it from a censor.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from fingerprint.technique import Clue

PROVIDERS, HOUSES, ANYBODYS = "provider", "house", "anybody"
_WHOSE = {
    PROVIDERS: "the network's own resolver",
    HOUSES: "the network's own resolver, or a box in the house before it,",
    ANYBODYS: "a resolver that somebody chose",
}
# As `dns-denial` has it of packets: a provider's resolver that is asked directly, and any other.
_CHOSEN = {
    PROVIDERS: {"chosen-filter": 0.04, "corporate-proxy": 0.01},
    HOUSES: {"chosen-filter": 0.6, "corporate-proxy": 0.3},
    ANYBODYS: {"chosen-filter": 0.6, "corporate-proxy": 0.3},
}


def _both(make: Callable[[str], Clue]) -> Mapping[str, Clue]:
    return MappingProxyType({whose: make(whose) for whose in _WHOSE})


def _denying(node: str, says: str, ordinary: float) -> Mapping[str, Clue]:
    return _both(
        lambda whose: Clue(
            id=f"{node}-at-the-{whose}s",
            says=f"{_WHOSE[whose]} {says} {{name}}; the test helper was given {{theirs}} (line {{line}})",
            group="dns-denial",
            given={
                f"dns.{node}": 0.9, "captive-portal": 0.005, "local-network": 0.01, "ordinary": ordinary,
                **_CHOSEN[whose], "innocent": 0.001, "*": 0.002,
            },
            source="Pearce et al., USENIX Security 2017; RFC 8914 sections 4.16 to 4.18; set by hand",
        )
    )  # fmt: skip


NXDOMAIN = _denying("nxdomain", "says that nobody has", 0.003)
REFUSED = _denying("refused", "refuses", 0.005)
SILENT = _both(
    lambda whose: Clue(
        id=f"silent-at-the-{whose}s",
        says=f"{_WHOSE[whose]} does not answer for {{name}}; the test helper was given {{theirs}} (line {{line}})",
        group="dns-denial",
        given={
            "dns.timeout": 0.9, "loss": 0.3, "congestion": 0.2, "slow-access": 0.1, "local-network": 0.3,
            "server-down": 0.2, "captive-portal": 0.1, "path-failure": 0.1, **_CHOSEN[whose], "ordinary": 0.02,
            "innocent": 0.01, "*": 0.01,
        },
        source="a lost query looks like a dropped one; set by hand",
    )
)  # fmt: skip
NOBODY_KNOWS = Clue(
    id="denied-to-the-helper-too",
    says="no address for {name} here ({failure}), and none for the test helper ({theirs}) (line {line})",
    group="dns-denial",
    given={"dns.nxdomain": 0.01, "server-down": 0.9, "ordinary": 0.01, "innocent": 0.002, "*": 0.002},
    source="ts-017: what fails from two places fails for its own reasons; set by hand",
)
BOGON = _both(
    lambda whose: Clue(
        id=f"bogon-of-the-{whose}s",
        says=f"{_WHOSE[whose]} gives {{given}} for {{name}}, which no public service can have; the test helper was"
        " given {theirs} (line {line})",
        group="dns-content",
        given={
            "dns.injection.bogon": 0.6, "captive-portal": 0.05, "local-network": 0.02, **_CHOSEN[whose],
            "chosen-filter": 0.01 if whose == PROVIDERS else 0.6, "ordinary": 0.0005, "innocent": 0.0002,
            "*": 0.0005,
        },
        source="RFC 6890; RFC 6950 section 4 (inner views are given by resolvers inside); set by hand",
    )
)  # fmt: skip
NOTICE = Clue(
    id="address-of-a-notice-page",
    says="{given}, given for {name}, is known to serve a notice page ({page}); {theirs} (line {line})",
    group="dns-content",
    given={
        "dns.injection.blockpage": 0.6, "chosen-filter": 0.0005, "captive-portal": 0.0005, "innocent": 0.00003,
        "*": 0.0001,
    },
    source="the addresses of the table of block pages that the report names; set by hand",
)  # fmt: skip
# CDNs make honest resolvers differ.
CONTRADICTED = _both(
    lambda whose: Clue(
        id=f"contradicted-{whose}",
        says=f"{_WHOSE[whose]} gives {{given}} for {{name}}; the test helper was given {{theirs}}, in another network"
        " (line {line})",
        group="dns-content",
        given={
            "dns.injection": 0.9, "captive-portal": 0.5, "local-network": 0.15, **_CHOSEN[whose], "innocent": 0.15,
            "*": 0.15,
        },
        source="Pearce et al., USENIX Security 2017; OONI, ontology section 7 (the rule `answer_unmatched` is weak)",
    )
)  # fmt: skip
WITHOUT_ITS_CERTIFICATE = _both(
    lambda whose: Clue(
        id=f"contradicted-and-not-certified-{whose}",
        says=f"{_WHOSE[whose]} gives {{given}} for {{name}}, where no certificate of that name is shown; the test"
        " helper was given {theirs} (line {line})",
        group="dns-content",
        given={
            "dns.injection": 0.6, "captive-portal": 0.2, "local-network": 0.02, **_CHOSEN[whose], "ordinary": 0.003,
            "capture-fault": 0.05, "innocent": 0.001, "*": 0.002,
        },
        source="Pearce et al., USENIX Security 2017: certificates as a sign of the right address; set by hand",
    )
)  # fmt: skip
PAGE_THERE = Clue(
    id="known-page-at-a-doubtful-address",
    says="at {given}, given for {name}, stands a page that is known as {page} (line {line})",
    group="dns-kind",
    given={
        "dns.injection.blockpage": 0.6, "dns.injection": 0.01, "chosen-filter": 0.002, "corporate-proxy": 0.002,
        "captive-portal": 0.005, "server-refuses": 0.001, "innocent": 0.0001, "*": 0.0005,
    },
    source="the block pages of the table that the report names: those of states and providers alone; set by hand",
)  # fmt: skip
OTHERS_ANSWERED = Clue(
    id="other-names-answered",
    says="in the same run {others} other names were given what the test helper was given (line {line})",
    group="dns-pair",
    given={
        **{f"dns.{node}": 0.9 for node in ("injection", "nxdomain", "refused", "timeout")}, "captive-portal": 0.01,
        "local-network": 0.05, "server-down": 0.1, "loss": 0.5, "congestion": 0.5, "slow-access": 0.5, "innocent": 0.9,
        "*": 0.9,
    },
    source="DESIGN, qname: other names pass at the same resolver; set by hand",
)  # fmt: skip

_PLAIN = {"captive-portal": 0.005, "server-refuses": 0.001, "innocent": 0.0005, "*": 0.0005}


def _known(node: str) -> Clue:
    return Clue(
        id=f"known-page-{node}",
        says="the answer of {name} over plain HTTP is known as {page} (line {line})",
        group="http-page",
        given={f"http.{node}": 0.5, **_PLAIN},
        source="the block pages of the table that the report names; set by hand",
    )


KNOWN_PAGE = MappingProxyType({node: _known(node) for node in ("blockpage", "redirect")})
PRODUCT_PAGE = MappingProxyType(
    {
        node: Clue(
            id=f"known-product-{node}",
            says="the answer of {name} over plain HTTP is of a product ({page}) that companies and states use"
            " (line {line})",
            group="http-page",
            given={f"http.{node}": 0.5, **dict.fromkeys(("corporate-proxy", "chosen-filter"), 0.5), **_PLAIN},
            source=KNOWN_PAGE[node].source,
        )
        for node in KNOWN_PAGE
    }
)
SERVED_ELSEWHERE = MappingProxyType(
    {
        node: Clue(
            id=f"served-elsewhere-{node}",
            says="the test helper was served another page of {name} at the same time, with status {status}"
            " (line {line})",
            group="http-elsewhere",
            given={
                f"http.{node}": 0.9, "server-refuses": 0.3, "captive-portal": 0.9,
                **dict.fromkeys(("corporate-proxy", "chosen-filter"), 0.9), "server-down": 0.05, "innocent": 0.2,
                "*": 0.3,
            },
            source="ts-017, HTTP diff; set by hand",
        )
        for node in KNOWN_PAGE
    }
)  # fmt: skip
