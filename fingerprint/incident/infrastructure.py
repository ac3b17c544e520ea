"""What the services of an event share by which they may have failed together innocently.

For each thing shared the test is run again with the services that share it merged into one: what is left of the
coincidence is what they do not explain. Networks and resolvers are looked at over whole services, since one shared
server is enough for a shared fate.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from fingerprint.incident.coincidence import coincidence
from fingerprint.incident.events import Group
from fingerprint.incident.model import Discount, Test
from fingerprint.incident.sightings import Seen
from fingerprint.incident.starts import Question

AsOf = Callable[[str, int], int | None]

# Origin networks of content delivery networks, by the operators' own registrations (RIR whois and PeeringDB, 2026).
NETWORKS: Mapping[int, str] = MappingProxyType(
    {
        13335: "Cloudflare", 54113: "Fastly", 20940: "Akamai", 16625: "Akamai", 15133: "Edgio", 22822: "Edgio",
        16509: "Amazon", 14618: "Amazon", 15169: "Google", 396982: "Google", 8075: "Microsoft", 60068: "CDN77",
        199524: "Gcore", 200325: "Bunny", 32934: "Meta",
    }
)  # fmt: skip
# Suffixes under which content delivery networks serve others' names, by the operators' documentation.
SUFFIXES: Mapping[str, str] = MappingProxyType(
    {
        "cloudfront.net": "Amazon", "akamaized.net": "Akamai", "akamaiedge.net": "Akamai", "edgesuite.net": "Akamai",
        "akamaihd.net": "Akamai", "fastly.net": "Fastly", "fastlylb.net": "Fastly", "azureedge.net": "Microsoft",
        "azurefd.net": "Microsoft", "cdn77.org": "CDN77", "b-cdn.net": "Bunny", "edgecastcdn.net": "Edgio",
        "llnwd.net": "Edgio", "gcdn.co": "Gcore",
    }
)  # fmt: skip
# So many services are spelled out.
NAMED = 4
# What is looked for → how a reader is told.
WORDS = {
    "server": "the server {value}",
    "prefix": "the network {value}",
    "asn": "the autonomous system {value}",
    "cdn": "the content delivery network {value}",
    "resolver": "the resolver {value}",
    "owner": "an owner that no table knows",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """One thing that several services of an event have in common."""

    what: str
    value: str
    services: tuple[str, ...]
    cells: tuple[int, ...]


def discounts(group: Group, asked: Question, test: Test | None, seed: int, as_of: AsOf | None) -> tuple[Discount, ...]:
    """Everything shared, with what it leaves of the coincidence."""
    found = [_discount(shared, asked, test, seed) for shared in shared_by(group, as_of)]
    if len(group.vantages) == 1 and len(group.services) > 1:
        says = f"all was seen at {group.vantages[0]} alone: a fault of that line that spares other names looks alike"
        found.append(Discount(what="vantage", value=group.vantages[0], cells=group.cells, says=says))
    return tuple(found)


def shared_by(group: Group, as_of: AsOf | None) -> tuple[Shared, ...]:
    """What two or more services of an event share, the closest first."""
    holders: dict[tuple[str, str], dict[str, set[int]]] = {}
    for o in group.onsets:
        within = set(o.stretch.sightings)
        for seen in o.made.seen:
            if seen.index not in within:
                continue
            for thing in _things(seen, as_of):
                holders.setdefault(thing, {}).setdefault(o.made.cell.service, set()).add(o.cell)
    order = list(WORDS)
    out: list[Shared] = []
    for what, value in sorted(holders, key=lambda t: (order.index(t[0]), t[1])):
        services = tuple(s for s in group.services if s in holders[what, value])
        closer = any(set(services) <= set(s.services) and (s.what, what) in WITHIN for s in out)
        if len(services) > 1 and not closer:
            cells = sorted({c for s in services for c in holders[what, value][s]})
            out.append(Shared(what=what, value=value, services=services, cells=tuple(cells)))
    return tuple(out)


# Who shares the first shares the second by it; saying both says nothing more.
WITHIN = {("server", "prefix"), ("server", "asn"), ("prefix", "asn"), ("server", "cdn"), ("prefix", "cdn")}


def _things(seen: Seen, as_of: AsOf | None) -> Iterable[tuple[str, str]]:
    if not seen.known:
        yield "owner", "unknown"
    resolvers = set(seen.resolvers)
    for endpoint in seen.endpoints:
        text = endpoint.rpartition("/")[0].rpartition(":")[0].strip("[]")
        try:
            address = ipaddress.ip_address(text)
        except ValueError:
            continue
        if endpoint in resolvers:
            if any(w.node.startswith("dns.") for w in seen.ways):
                yield "resolver", text
            continue
        yield "server", text
        length = 24 if address.version == 4 else 48
        yield "prefix", str(ipaddress.ip_network((address, length), strict=False))
        number = as_of(text, seen.sighting.first_ns) if as_of else None
        if number is not None:
            yield "asn", f"AS{number}"
            if number in NETWORKS:
                yield "cdn", NETWORKS[number]
    for suffix, cdn in SUFFIXES.items():
        if seen.sighting.target.endswith("." + suffix):
            yield "cdn", cdn
    if any(w.position == "resolver" for w in seen.ways) and not resolvers:
        yield "resolver", f"of {seen.sighting.vantage}"


def _discount(shared: Shared, asked: Question, test: Test | None, seed: int) -> Discount:
    merged = dict.fromkeys(shared.services, shared.services[0])
    names = f"{len(shared.services)} services" if len(shared.services) > NAMED else " and ".join(shared.services)
    thing = WORDS[shared.what].format(value=shared.value)
    left = None
    if test and asked.within:
        left = coincidence(asked.event, asked.everything, asked.within, seed, merged)
    if test is None:
        rest = ""
    elif left is None:
        rest = "; counted as one service, nothing is left to have coincided"
    else:
        rest = f"; counted as one service, p = {p_value(left.p_value)}"
    return Discount(
        what=shared.what,
        value=shared.value,
        cells=shared.cells,
        says=f"{names} share {thing}{rest}",
        p_value=left.p_value if left else 1.0 if test else None,
    )


def p_value(p: float) -> str:
    """Two digits, never zero."""
    return f"{p:.2g}" if p >= 1e-4 else f"{p:.1e}"
