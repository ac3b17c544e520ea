"""Accounts → sightings: one verdict about one name, from one vantage, at one time by the common clock.

Which service a name belongs to, and in which role, stands in the account; where it does not, `Naming` is asked, and
where that does not know either, the registrable domain stands for a service and a doubt names it. Nothing is joined
here: every target of every account that saw something is one sighting.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from fingerprint.accounts import Account
from fingerprint.incident.model import Place, Sighting
from fingerprint.incident.times import S, span
from fingerprint.vantages.vantage import Vantage

CONTROL = "control"
OTHER = "other"
# A row of the injector table that fits worse resembles too many devices to name one (as in a report for people).
ALIKE = 0.7
# What stands in a report where no row of the table fits (`fingerprint.injectors.unknown`).
CLUSTER = "unknown, cluster "
# Second labels under a country's own domain that are sold from, as in example.com.pk; the common ones of IANA's
# country domains. The full list (publicsuffix.org) changes weekly; who needs it writes a table of services.
SOLD_FROM = frozenset({"ac", "co", "com", "edu", "gob", "gov", "gouv", "mil", "net", "ne", "or", "org"})


class Naming(Protocol):
    """Service and role of a name at a time, or None."""

    def __call__(self, name: str, at_ns: int, endpoints: Sequence[str], /) -> tuple[str, str] | None:
        """Service id and role."""


def nameless(name: str, at_ns: int, endpoints: Sequence[str], /) -> tuple[str, str] | None:  # noqa: ARG001  # Naming's
    """A table without entries."""
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One mechanism of a verdict, with what later stages ask of it."""

    node: str
    posterior: float
    position: str
    trigger: str | None
    link: tuple[int, int] | None
    injector: str | None
    contradicted: bool
    shape: str | None
    rate_bps: float | None
    rate_interval_bps: tuple[float, float] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A sighting with what the model does not carry on.

    ``settles`` is the state that it counts as: ok, down or blocked, else None. ``why_not`` says why a sighting that
    its account settled does not count as what the account said.
    """

    index: int  # into Incident.sightings
    sighting: Sighting
    ways: tuple[Way, ...]
    endpoints: tuple[str, ...]
    resolvers: tuple[str, ...]
    error_ns: int  # of the vantage's clock, either way; 0 where nobody knows
    settles: str | None
    why_not: str | None = None
    known: bool = True  # the service is of a table, not made of the name

    @property
    def held_ns(self) -> tuple[int, int]:
        """From when to when the sighting's state was seen to hold."""
        s = self.sighting
        if self.settles == "ok":
            return s.worked_ns or (s.first_ns, s.last_ns)
        return s.failed_ns or (s.first_ns, s.last_ns)


def sightings(accounts: Sequence[Account], naming: Naming = nameless) -> tuple[Seen, ...]:
    """All sightings of all accounts in order of time.

    Left out are a target without a time, for nothing was seen of it, and a bare address beside the names that it
    serves, unless something was established about it: connections without a name are no service of their own.
    """
    found = [
        seen
        for a, account in enumerate(accounts)
        for t, target in _told(account)
        if (seen := _seen(account, target, Place(account=a, target=t), naming))
    ]
    found.sort(key=lambda s: (s.sighting.first_ns, s.sighting.last_ns, s.sighting.at.account, s.sighting.at.target))
    return numbered(found)


def _told(account: Account) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """The targets of an account by their places, without addresses that only serve others."""
    targets = account.document["targets"]
    serving = {_host(e) for t in targets if domain(t["target"]) != OTHER for e in t["endpoints"]}
    for place, target in enumerate(targets):
        if target["state"] in ("blocked", "down") or target["target"] not in serving:
            yield place, target


def _host(endpoint: str) -> str:
    """``93.184.216.34`` of ``93.184.216.34:443/tcp``."""
    return endpoint.rpartition("/")[0].rpartition(":")[0].strip("[]")


def numbered(found: Sequence[Seen]) -> tuple[Seen, ...]:
    """Sightings with their places among all that are looked at."""
    return tuple(replace(seen, index=i) for i, seen in enumerate(found))


def vantage_of(account: Account, label: str | None) -> Vantage:
    """The account's vantage; one of several clients of a capture is a vantage of its own."""
    key = account.vantage.key
    if not label or label == key:
        return account.vantage
    return replace(account.vantage, name=f"{key}, {label}")


def _seen(account: Account, target: Mapping[str, Any], at: Place, naming: Naming) -> Seen | None:
    clock = account.vantage.clock
    offset_ns = round(clock.offset_s * S)
    times = span((target["first"], target["last"]), offset_ns)
    if times is None:
        return None
    name = target["target"]
    service, role, known = _filed(target, times[0] - offset_ns, naming)
    ways = tuple(_way(m) for m in target["mechanisms"])
    best = max(ways, key=lambda w: w.posterior, default=None)
    cause = target["cause"]
    sighting = Sighting(
        service=service,
        role=role,
        target=name,
        vantage=vantage_of(account, target["vantage"]).key,
        first_ns=times[0],
        last_ns=times[1],
        worked_ns=span(target.get("worked"), offset_ns),
        failed_ns=span(target.get("failed"), offset_ns),
        state=target["state"],
        mechanism=best.node if best else None,
        posterior=best.posterior if best else cause and cause["posterior"],
        reach=target["reach"],
        position=best.position if best else None,
        injector=next((w.injector for w in ways if w.injector), None),
        rate_bps=next((w.rate_bps for w in ways if w.rate_bps is not None), None),
        kind=account.kind,
        at=at,
    )
    endpoints = tuple(target["endpoints"])
    return Seen(
        index=-1,
        sighting=sighting,
        ways=ways,
        endpoints=endpoints,
        resolvers=tuple(e for e in endpoints if e.rpartition("/")[0].rpartition(":")[2] in ("53", "853")),
        error_ns=round((clock.error_s or 0.0) * S),
        settles=sighting.state if sighting.state in ("ok", "down", "blocked") else None,
        known=known,
    )


def _filed(target: Mapping[str, Any], at_ns: int, naming: Naming) -> tuple[str, str, bool]:
    """Service, role, and whether anybody but the name itself says so."""
    service, role = target["service"], target["role"]
    if role == CONTROL:
        return service or OTHER, CONTROL, True
    if service is None and (told := naming(target["target"], at_ns, target["endpoints"])):
        service, role = told[0], role or told[1]
    if service is not None:
        return service, role or OTHER, True
    return domain(target["target"]), role or OTHER, False


def domain(name: str) -> str:
    """The registrable domain as far as it can be told without the public list; of a bare address ``other``."""
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        labels = name.split(".")
        sold = len(labels) > 2 and len(labels[-1]) == 2 and labels[-2] in SOLD_FROM
        return ".".join(labels[-3:] if sold else labels[-2:])
    return OTHER


def _way(m: Mapping[str, Any]) -> Way:
    match = next((i for i in m["injector"] if i["name"].startswith(CLUSTER) or i["score"] >= ALIKE), None)
    link = (m["location"] or {}).get("link")
    bounds = m["rate_interval_bps"] or {}
    low, high = bounds.get("low"), bounds.get("high")
    return Way(
        node=m["mechanism"],
        posterior=m["posterior"] or 0.0,
        position=m["position"],
        trigger=m["trigger"] and m["trigger"]["field"],
        link=(link[0], link[1]) if link else None,
        injector=match and match["name"],
        contradicted=bool(match and match["contradicts"]),
        shape=m["shape"],
        rate_bps=m["rate_bps"],
        rate_interval_bps=(low, high) if low is not None and high is not None else None,
    )
