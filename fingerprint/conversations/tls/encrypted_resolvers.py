"""Resolvers that are asked over TLS or QUIC: how port 853 of each fared, beside their other ports and other resolvers.

RFC 7858 section 3.1 and RFC 9250 section 4.1.1: port 853, TCP for TLS and UDP for QUIC, unless the two ends agree on
another. DNS over HTTPS hides among the rest of port 443 (RFC 8484), where only the name of a known resolver tells it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from fingerprint.conversations.quic.places import QuicPlace, QuicTried
from fingerprint.conversations.reachability import Reach, Requests

PORT = 853
DOT, DOQ = "dot", "doq"

Row = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operators:
    """The table of resolvers, by name and by address."""

    by_name: Mapping[str, Row]
    by_address: Mapping[str, Row]

    def offers(self, address: str, what: str) -> str | None:
        """Where its operator says that this address speaks that, None where nobody does."""
        row = self.by_address.get(address)
        return str(row["source"]) if row and what in _texts(row, "speaks") else None

    def has(self, name: str) -> bool:
        """Whether a name or an address is one of theirs."""
        return name in self.by_name or name in self.by_address


def operators(rows: Iterable[Row]) -> Operators:
    """The rows of the table ``resolvers``; what does not read as one is left out."""
    by_name: dict[str, Row] = {}
    by_address: dict[str, Row] = {}
    for row in rows:
        if "source" in row:
            by_name |= dict.fromkeys(_texts(row, "names"), row)
            by_address |= dict.fromkeys(_texts(row, "addresses"), row)
    return Operators(by_name=by_name, by_address=by_address)


def _texts(row: Row, key: str) -> tuple[str, ...]:
    value = row.get(key)
    return tuple(str(v) for v in value) if isinstance(value, list | tuple) else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OverTls:
    """Port 853 of one address that failed, and how it went at others meanwhile."""

    reach: Reach
    requests: Requests
    passing: tuple[Requests, ...]  # port 853 of others that was taken
    failing: tuple[Requests, ...]  # and that was not, of resolvers that offer it and whose other ports were taken


def over_tls(reaches: Sequence[Reach], known: Operators) -> Iterator[OverTls]:
    """Every address whose port 853 failed for a client."""
    asked = [r for r in reaches if PORT in r.ports]
    for reach in asked:
        mine = reach.ports[PORT]
        if not mine.failing:
            continue
        others = [r for r in asked if r.client == reach.client and r.address != reach.address]
        yield OverTls(
            reach=reach,
            requests=mine,
            passing=tuple(r.ports[PORT] for r in others if r.ports[PORT].alive),
            failing=tuple(
                r.ports[PORT]
                for r in others
                if known.offers(r.address, DOT) and r.ports[PORT].failing and r.other_port(PORT)
            ),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class OverQuic:
    """Initials to port 853 that were not answered, and how those to port 443 of the address fared."""

    mine: QuicTried
    https: QuicPlace | None  # where something was answered


def over_quic(places: Sequence[QuicPlace]) -> Iterator[OverQuic]:
    """Every name whose Initials to port 853 of an address failed."""
    for place in places:
        if place.port != PORT:
            continue
        same = [p for p in places if (p.client, p.address) == (place.client, place.address) and p.port != PORT]
        for mine in place.names:
            yield OverQuic(mine=mine, https=next((p for p in same if p.passed), None))
