"""Block pages and the addresses they are served from, as data: who shows what to say that something is blocked.

Rows stand in tables called ``blockpages`` (ours) and ``blockpages-…`` (imported ones), in the words of OONI's public
list of blocking fingerprints: where the pattern is found, how it is compared, how far it reaches, and who says so.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from fingerprint.signatures.patterns import Pattern, UnusablePattern, pattern
from fingerprint.technique import Known

# As far as a page is looked at: what says that something is blocked stands at the beginning.
LOOKED_AT_CHARS = 65_536
# OONI's scopes: a country's page, a provider's, a product's, one of an institution that filters itself, words that also
# stand elsewhere, and pages that are known to be none.
SCOPES = ("nat", "isp", "prod", "inst", "vbw", "fp")
# Whoever shows these may have been asked to: a product stands in companies and states alike.
CHOSEN = frozenset({"prod", "inst"})
MATCHES = ("full", "prefix", "contains", "regexp")


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """One pattern, and whose it is. ``where``: ``dns``, ``body``, ``title`` or ``header.NAME`` in lower case."""

    id: str
    where: str
    match: str
    pattern: str
    scope: str
    countries: tuple[str, ...] = ()
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signatures:
    """All usable signatures, and a sentence for each row that is not."""

    addresses: Mapping[str, Signature] = field(default_factory=dict)
    names: tuple[tuple[Signature, Pattern], ...] = ()  # of DNS answers: names that a CNAME points to
    pages: tuple[tuple[Signature, Pattern], ...] = ()
    complaints: tuple[str, ...] = ()

    def address(self, address: str) -> Signature | None:
        """Whose notice page this address serves; None if it is not known to."""
        return self.addresses.get(_address(address))

    def notice(self, addresses: Iterable[str]) -> Signature | None:
        """The notice page of a state or a provider that one of these addresses is known to serve."""
        known = (self.address(address) for address in addresses)
        return next((s for s in known if s is not None and s.scope in ("nat", "isp")), None)

    def page(self, fields: Mapping[str, str], title: str, body: str, *, host: str = "") -> tuple[Signature, ...]:
        """Every signature of a page, by its header fields (names in lower case), title and body.

        Empty if one of them says that it is known to be none. Only the first `LOOKED_AT_CHARS` are looked at. What
        names the ``host`` that was asked says nothing: a provider's own site names itself as its block pages do.
        """
        said = {"title": title, "body": body[:LOOKED_AT_CHARS]}
        own = host.lower().removeprefix("www.")
        found = []
        for signature, compared in self.pages:
            text = (
                said.get(signature.where) if signature.where in said else fields.get(signature.where[len("header.") :])
            )
            if text and compared(text[:LOOKED_AT_CHARS]) and not (own and own in signature.pattern.lower()):
                found.append(signature)
        return () if any(s.scope == "fp" for s in found) else tuple(found)


_MADE: dict[tuple[str, ...], Signatures] = {}


def of(known: Known) -> Signatures:
    """The signatures of all tables at hand; equal tables are read once."""
    tables = known.named("blockpages")
    key = tuple(table.sha256 for table in tables)
    if key not in _MADE:
        _MADE[key] = signatures((table.name, row) for table in tables for row in table.rows)
    return _MADE[key]


def signatures(rows: Iterable[tuple[str, Mapping[str, object]]]) -> Signatures:
    """The signatures in (table, row) pairs. A row that cannot be used costs itself and is told in one sentence."""
    addresses: dict[str, Signature] = {}
    names, pages, complaints = [], [], []
    seen: set[str] = set()
    counted: dict[str, int] = {}
    for table, row in rows:
        counted[table] = counted.get(table, 0) + 1
        try:
            signature = _signature(row, seen)
            compared = pattern(signature.match, signature.pattern)
        except UnusablePattern as error:
            where = f"{table}.toml, row {counted[table]} ({row.get('id') or 'no id'})"
            complaints.append(f"{where}: {error}; it is left out")
            continue
        seen.add(signature.id)
        if signature.where != "dns":
            pages.append((signature, compared))
        elif signature.match == "full":
            addresses.setdefault(_address(signature.pattern), signature)
        else:
            names.append((signature, compared))
    return Signatures(addresses=addresses, names=tuple(names), pages=tuple(pages), complaints=tuple(complaints))


def _address(words: str) -> str:
    """An address as it is commonly written; a name in lower case."""
    try:
        return ipaddress.ip_address(words).compressed
    except ValueError:
        return words.lower()


def _signature(row: Mapping[str, object], seen: Collection[str]) -> Signature:
    told = {key: str(row.get(key, "")) for key in ("id", "where", "match", "pattern", "scope", "source")}
    for key in ("id", "where", "pattern"):
        if not told[key]:
            raise UnusablePattern(f"it has no {key}")
    if not (told["where"] in ("dns", "body", "title") or told["where"].startswith("header.")):
        raise UnusablePattern(f"where is {told['where']!r}; want dns, body, title or header.NAME")
    if told["match"] not in MATCHES:
        raise UnusablePattern(f"match is {told['match']!r}; want one of {', '.join(MATCHES)}")
    if told["scope"] not in SCOPES:
        raise UnusablePattern(f"scope is {told['scope']!r}; want one of {', '.join(SCOPES)}")
    if told["id"] in seen:
        raise UnusablePattern("another row has this id; give it its own")
    countries = row.get("countries", ())
    return Signature(**told, countries=tuple(map(str, countries)) if isinstance(countries, list | tuple) else ())
