"""What a service is made of, and which of its endpoints a name is, or which of its ranges an address lies in."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv4Network, IPv6Network, ip_address

# "443/tcp" as (443, "tcp"): where a name was reached.
Reached = tuple[int, str]
# QUIC is a name for what is said over UDP.
CARRIED = {"tcp": "tcp", "udp": "udp", "quic": "udp"}
PROTOCOLS = tuple(CARRIED)
ANY = "*."


@dataclass(frozen=True, slots=True, kw_only=True)
class Dated:
    """Something that was so for a time, and where that is known from.

    ``standing`` says how it is known: read in the source, or from memory with the source naming where to check.
    """

    from_ns: int | None  # the first instant, None where nobody wrote it down
    until_ns: int | None  # the first instant no more
    source: str
    standing: str  # read or memory

    def valid(self, at_ns: int) -> bool:
        """Whether it was so at that time; half open, so that one row may follow another."""
        return (self.from_ns is None or self.from_ns <= at_ns) and (self.until_ns is None or at_ns < self.until_ns)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reachable(Dated):
    """What is reached at some ports over a protocol, in one role."""

    role: str  # of `fingerprint.services.roles.ROLES`
    ports: tuple[int, int]  # first and last
    protocol: str

    def takes(self, reached: Collection[Reached]) -> bool:
        """Whether one of these ports is one of its own."""
        low, high = self.ports
        return any(low <= port <= high and over == CARRIED[self.protocol] for port, over in reached)


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint(Reachable):
    """One name of a service, or all names below one (``*.example.com``), in one role, while it had it."""

    name: str  # a host, an address, or ``*.suffix``, which is not the suffix itself
    path: str | None
    probe: bool

    @property
    def pattern(self) -> bool:
        """Whether it stands for more than one name."""
        return self.name.startswith(ANY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Range(Reachable):
    """Addresses that the service alone uses, in one role at these ports, since its source says so."""

    networks: tuple[IPv4Network | IPv6Network, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner(Dated):
    """Whom the service belonged to."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One file of the table."""

    id: str
    title: str
    version: str
    about: str
    kind: str
    sensitive: bool  # that it was asked for can be held against somebody
    endpoints: tuple[Endpoint, ...]
    controls: tuple[str, ...]  # names nobody minds
    neighbours: tuple[str, ...]  # others on the same infrastructure, which fail with it where that is at fault
    sha256: str
    ranges: tuple[Range, ...] = ()
    owners: tuple[Owner, ...] = ()
    own: bool = False  # the user's, not ours

    @property
    def table(self) -> tuple[str, str, str]:
        """As a report names it: name, version, SHA-256."""
        return f"services/{self.id}", self.version, self.sha256

    def at(self, at_ns: int) -> tuple[Endpoint, ...]:
        """What was valid at that time."""
        return tuple(e for e in self.endpoints if e.valid(at_ns))

    def owned(self, at_ns: int) -> tuple[str, ...]:
        """Whom it belonged to at that time."""
        return tuple(owner.name for owner in self.owners if owner.valid(at_ns))

    def probed(self, at_ns: int) -> tuple[Endpoint, ...]:
        """What stands for its role when somebody asks for the service, each name and port once."""
        found = {(e.name, e.ports): e for e in reversed(self.at(at_ns)) if e.probe}
        return tuple(reversed(found.values()))


@dataclass(frozen=True, kw_only=True)
class Services:
    """All services at hand."""

    services: tuple[Service, ...] = ()

    def named(self, name: str) -> Service | None:
        """The service of that id."""
        return next((s for s in self.services if s.id == name), None)

    def of(self, name: str, at_ns: int, reached: Collection[Reached] = ()) -> tuple[str, str] | None:
        """Service id and role of a name at a time; None where no table knows it, or not at that time.

        The exact name comes before a pattern and the longer pattern before the shorter. Where a name has several roles
        the one whose port was reached counts, else the first of the file. A user's file comes before ours.
        A name outside its dates is nobody's: a domain that was given up may be anyone's.
        An address that stands nowhere by itself is looked for in the ranges, at the ports that were reached.
        """
        if found := self.endpoint(name, at_ns, reached):
            return found[0].id, found[1].role
        return self._in_range(name, at_ns, reached)

    def endpoint(self, name: str, at_ns: int, reached: Collection[Reached] = ()) -> tuple[Service, Endpoint] | None:
        """The same with the row that says so."""
        for key in keys(name):
            rows = [(s, e) for s, e in self._rows.get(key, ()) if e.valid(at_ns)]
            if rows:
                return next(((s, e) for s, e in rows if e.takes(reached)), rows[0])
        return None

    def _in_range(self, text: str, at_ns: int, reached: Collection[Reached]) -> tuple[str, str] | None:
        """By the smallest range that an address lies in."""
        try:
            address = ip_address(text)
        except ValueError:
            return None
        return next(
            (
                (service.id, row.role)
                for network, service, row in self._ranges
                if address in network and row.valid(at_ns) and row.takes(reached)
            ),
            None,
        )

    @cached_property
    def _ranges(self) -> list[tuple[IPv4Network | IPv6Network, Service, Range]]:
        """The smallest first; of equals a user's before ours."""
        rows = [(network, s, row) for s in self._in_order for row in s.ranges for network in row.networks]
        return sorted(rows, key=lambda found: -found[0].prefixlen)

    @property
    def _in_order(self) -> list[Service]:
        return sorted(self.services, key=lambda s: (not s.own, s.id))

    @cached_property
    def _rows(self) -> dict[str, list[tuple[Service, Endpoint]]]:
        rows: dict[str, list[tuple[Service, Endpoint]]] = {}
        for service in self._in_order:
            for endpoint in service.endpoints:
                rows.setdefault(endpoint.name, []).append((service, endpoint))
        return rows


def keys(name: str) -> Iterator[str]:
    """What a name may stand under in a table, most specific first."""
    name = name.lower().removesuffix(".")
    yield name
    _, _, rest = name.partition(".")
    while rest:
        yield ANY + rest
        _, _, rest = rest.partition(".")
