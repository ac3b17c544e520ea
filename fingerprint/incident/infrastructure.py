"""What the services of an event share by which they may have failed together innocently.

For each thing shared the test is run again: a service that also changed in cells that do not share it counts by those
alone, and services that changed in no other cell are merged into one. What is left of the coincidence is what the
thing shared does not explain. Servers at which controls worked are none that failed; a probe sends names there to
tell a name from an address. Where names were answered falsely the servers are those of before, when they worked.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field

from fingerprint.incident.coincidence import coincidence
from fingerprint.incident.content_networks import NETWORKS, SUFFIXES
from fingerprint.incident.events import Group, Onset
from fingerprint.incident.model import OK, Discount, Test
from fingerprint.incident.names import Names, p_value
from fingerprint.incident.sightings import CONTROL, Seen
from fingerprint.incident.starts import Question

AsOf = Callable[[str, int], int | None]
Owned = Callable[[str, int], tuple[str, ...]]


def nobodys(service: str, at_ns: int) -> tuple[str, ...]:  # noqa: ARG001  # as Owned has them
    """A table that knows no owner."""
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """What tables know of who stands on whose ground.

    ``as_of`` gives the autonomous system of an address at a time, ``beside`` names on the infrastructure of a service,
    and ``owned`` whom a service belonged to at a time, for services of one owner may share what no table names.
    """

    as_of: AsOf | None = None
    beside: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    owned: Owned = nobodys
    passed: frozenset[str] = frozenset()  # addresses at which controls worked, so that their failing explains nothing


# The customary level of a single test; the value itself is always printed beside the word.
CHANCE = 0.05
# What is looked for → how a reader is told.
WORDS = {
    "server": "the server {value}",
    "prefix": "the network {value}",
    "asn": "the autonomous system {value}",
    "cdn": "the content delivery network {value}",
    "operator": "the infrastructure of {value}",
    "resolver": "the resolver {value}",
    "owner": "the owner {value}, and may share infrastructure",
}
UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """One thing that several services of an event have in common."""

    what: str
    value: str
    services: tuple[str, ...]
    cells: tuple[int, ...]


# A question about an event without some of its cells.
Asking = Callable[[Collection[int]], Question]


def discounts(
    group: Group, ask: Asking, test: Test | None, *, seed: int, tables: Tables, names: Names
) -> tuple[Discount, ...]:
    """Everything shared, with what it leaves of the coincidence."""
    found = [_discount(group, shared, ask, test, seed, names) for shared in shared_by(group, tables)]
    if len(group.vantages) == 1 and len(group.services) > 1:
        says = f"all was seen at {group.vantages[0]} alone: a fault of that line that spares other names looks alike"
        found.append(Discount(what="vantage", value=group.vantages[0], cells=group.cells, says=says))
    return tuple(found)


def shared_by(group: Group, tables: Tables) -> tuple[Shared, ...]:
    """What two or more services of an event share, the closest first."""
    holders: dict[tuple[str, str], dict[str, set[int]]] = {}
    for o in group.onsets:
        for thing in _of_onset(o, tables):
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
WITHIN = {
    ("server", "prefix"), ("server", "asn"), ("prefix", "asn"), ("server", "cdn"), ("prefix", "cdn"),
    ("operator", "owner"),
}  # fmt: skip


Thing = tuple[str, str]


def _of_onset(onset: Onset, tables: Tables) -> set[Thing]:
    """What a cell's names lay on while it was bad; if they were answered falsely, the servers from when they worked."""
    within = set(onset.stretch.sightings)
    bad = [s for s in onset.made.seen if s.index in within]
    lied_to = any(w.node.startswith("dns.injection") for s in bad for w in s.ways)
    good = [s for s in onset.made.seen if s.settles == OK] if lied_to else bad
    found = {thing for s in good for endpoint in s.endpoints for thing in _of_server(s, endpoint, tables)}
    service = onset.made.cell.service
    found |= {("operator", name) for name in tables.beside.get(service, ())}
    found |= {("owner", name) for s in bad for name in tables.owned(service, s.sighting.first_ns)}
    return found | {thing for s in bad for thing in _of_names(s)}


def _of_names(seen: Seen) -> Iterable[Thing]:
    if not seen.known:
        yield "owner", UNKNOWN
    for suffix, cdn in SUFFIXES.items():
        if seen.sighting.target.endswith("." + suffix):
            yield "cdn", cdn
    if any(w.node.startswith("dns.") and w.position != "on-path" for w in seen.ways):
        named = [address_of(e) for e in seen.resolvers]
        yield from (("resolver", text) for text in named or (f"of {seen.sighting.vantage}",))


def _of_server(seen: Seen, endpoint: str, tables: Tables) -> Iterable[Thing]:
    text = address_of(endpoint)
    if text in tables.passed:
        return
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return
    if endpoint not in seen.resolvers:
        yield "server", text
        length = 24 if address.version == 4 else 48
        yield "prefix", str(ipaddress.ip_network((address, length), strict=False))
        number = tables.as_of(text, seen.sighting.first_ns) if tables.as_of else None
        if number is not None:
            yield "asn", f"AS{number}"
            if number in NETWORKS:
                yield "cdn", NETWORKS[number]


def passed(seen: Iterable[Seen]) -> frozenset[str]:
    """Addresses at which controls worked, at some time."""
    its = (s for s in seen if s.sighting.role == CONTROL and s.settles == OK)
    return frozenset(address_of(endpoint) for s in its for endpoint in s.endpoints)


def address_of(endpoint: str) -> str:
    """``2001:db8::1`` of ``[2001:db8::1]:443/tcp``."""
    return endpoint.rpartition("/")[0].rpartition(":")[0].strip("[]")


def _discount(group: Group, shared: Shared, ask: Asking, test: Test | None, seed: int, names: Names) -> Discount:
    says = f"{names.services(shared.services)} share {_called(shared)}"
    if test is None or test.p_value > CHANCE:  # nothing that a discount could take away
        return Discount(what=shared.what, value=shared.value, cells=shared.cells, says=says)
    elsewhere = {o.made.cell.service for o in group.onsets if o.seen and o.cell not in shared.cells}
    alone = [s for s in shared.services if s not in elsewhere]
    dropped = {c for c in shared.cells if _service(group, c) in elsewhere}
    asked = ask(dropped)
    merged = dict.fromkeys(alone, alone[0]) if alone else {}
    left = coincidence(asked.event, asked.everything, asked.within, seed, merged) if asked.within else None
    how = (
        "without those cells"
        if not alone
        else "counted as one"
        if not dropped
        else "counted as one where all is shared"
    )
    rest = f"{how}, p = {p_value(left.p_value)}" if left else f"{how}, nothing is left to have coincided"
    return Discount(
        what=shared.what,
        value=shared.value,
        cells=shared.cells,
        says=f"{says}; {rest}",
        p_value=left.p_value if left else 1.0,
    )


def _called(shared: Shared) -> str:
    unknown = shared.what == "owner" and shared.value == UNKNOWN
    return "an owner that no table knows" if unknown else WORDS[shared.what].format(value=shared.value)


def _service(group: Group, cell: int) -> str:
    return next(o.made.cell.service for o in group.onsets if o.cell == cell)
