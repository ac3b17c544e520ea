"""Rows of the table of injectors, compared field by field with what was seen."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from fingerprint.injectors.traits import COMMON, COMMON_WEIGHT, RELATIONS, WEIGHTS, Traits, Value, text
from fingerprint.technique import Known
from fingerprint.verdict.model import InjectorMatch

# A match needs that share of the weight of all fields that could be compared, and so many bits beside the TTL.
LEAST_SCORE = 0.75
LEAST_BITS = 3.0
# Ranges from here on leave out little.
WIDE = {"ip.id": 4096, "dns.ttl": 200, "tcp.window": 4096}
TTL = ("ip.ttl", "ip.ttl = server's")
STANDINGS = ("read", "told", "derived")
KINDS = ("reset", "close", "alert", "http", "dns")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A device. ``fields``: trait → value, values, or {min, max}; a relation → true, or false where it never holds."""

    name: str
    kind: str
    source: str
    standing: str
    fields: Mapping[str, object]


def rows(known: Known) -> tuple[Row, ...]:
    """The usable rows of all tables of injectors."""
    return tuple(_row(r) for table in known.named("injectors") for r in table.rows if not _fault(r))


def complaints(known: Known) -> tuple[str, ...]:
    """A sentence for each row that is contradictory, and for each two that nothing tells apart."""
    out = []
    usable = []
    for table in known.named("injectors"):
        for number, raw in enumerate(table.rows, start=1):
            if fault := _fault(raw):
                out.append(f"{table.name}.toml, row {number} ({raw.get('name') or 'no name'}): {fault}; it is left out")
            else:
                usable.append(_row(raw))
    out += [
        f"{a.name} and {b.name} overlap: no field tells them apart; add one that does"
        for a, b in combinations(usable, 2)
        if a.kind == b.kind and not any(True for _ in _apart(a, b))
    ]
    return tuple(out)


def _row(raw: Mapping[str, object]) -> Row:
    fields = raw.get("fields")
    told = {key: str(raw.get(key, "")) for key in ("name", "kind", "source", "standing")}
    return Row(**told, fields=dict(fields) if isinstance(fields, Mapping) else {})


def _fault(raw: Mapping[str, object]) -> str | None:
    """What is wrong with a row, or None."""
    fields = raw.get("fields")
    for key in ("name", "source"):
        if not raw.get(key):
            return f"it has no {key}"
    if raw.get("kind") not in KINDS:
        return f"kind is {raw.get('kind')!r}; want one of {', '.join(KINDS)}"
    if raw.get("standing") not in STANDINGS:
        return f"standing is {raw.get('standing')!r}; want one of {', '.join(STANDINGS)}"
    if not isinstance(fields, Mapping) or not set(fields) - set(TTL):
        return "it has no field but a TTL, which matches anybody"
    for trait, wanted in fields.items():
        if trait not in WEIGHTS:
            return f"{trait} is no field that is compared"
        if trait in RELATIONS and not isinstance(wanted, bool):
            return f"{trait} is a relation; want true or false"
        if isinstance(wanted, Mapping) and not (set(wanted) == {"min", "max"} and wanted["min"] <= wanted["max"]):
            return f"{trait} wants {{min, max}} with min below max"
        if isinstance(wanted, list) and not wanted:
            return f"{trait} has no value"
    if fields.get("ip.id") == 0 and fields.get("ip.id = client's"):
        return "ip.id is 0 and the client's at once"
    return None


def matches(seen: Traits, known: Known) -> tuple[InjectorMatch, ...]:
    """Rows that the packets resemble, best first, each with the fields that fit and those that contradict."""
    found = [c for row in rows(known) if row.kind == seen.kind and (c := compared(row, seen)) is not None]
    return tuple(m for _, m in sorted(found, key=lambda c: (-c[1].score, -c[0], c[1].name)))


def compared(row: Row, seen: Traits) -> tuple[float, InjectorMatch] | None:
    """Bits that fit, and how well the row does; None if too little fits, or nothing but TTLs."""
    fits, against = [], []
    good = bad = beside = 0.0
    for trait, wanted in row.fields.items():
        values = _comparable(trait, wanted, seen.values.get(trait, ()))
        if trait in RELATIONS:
            if trait == "tcp.window - ip.ttl constant" and len(set(seen.values.get("ip.ttl", ()))) < 3:
                continue  # too few to tell
            values = values or (False,)
        if not values:
            continue
        said = f"{trait} {text(trait, values)}".strip()
        if all(_holds(trait, wanted, value) for value in values):
            weight = _weight(trait, wanted)
            fits.append(said)
            good += weight
            beside += weight if trait not in TTL else 0.0
        else:
            against.append(said)
            bad += WEIGHTS[trait]
    if not good or good / (good + bad) < LEAST_SCORE or beside < LEAST_BITS:
        return None
    return good, InjectorMatch(
        name=row.name, score=round(good / (good + bad), 3), fits=tuple(fits), contradicts=tuple(against),
        source=f"{row.source} ({row.standing})",
    )  # fmt: skip


def _comparable(trait: str, wanted: object, values: tuple[Value, ...]) -> tuple[Value, ...]:
    """Answers of a version of IP of which the row says nothing are left out."""
    if trait != "dns.answer":
        return values
    versions = {":" in str(one) for one in _set(wanted)}
    return tuple(v for v in values if (":" in str(v)) in versions)


def _weight(trait: str, wanted: object) -> float:
    """What a fit says: little for a value that many have, for a wide range, and for what does not hold."""
    wide = isinstance(wanted, Mapping) and wanted["max"] - wanted["min"] >= WIDE.get(trait, 1 << 16)
    usual = not isinstance(wanted, Mapping | list) and wanted in COMMON.get(trait, ())
    return COMMON_WEIGHT if wanted is False or wide or usual else WEIGHTS[trait]


def _holds(trait: str, wanted: object, value: Value) -> bool:
    if isinstance(wanted, Mapping):
        return isinstance(value, int) and wanted["min"] <= value <= wanted["max"]
    if isinstance(wanted, list):
        return any(_holds(trait, one, value) for one in wanted)
    if trait == "dns.answer":
        return _address(str(wanted)) == _address(str(value))
    return wanted == value


def _address(words: str) -> str:
    try:
        return ipaddress.ip_address(words).compressed
    except ValueError:
        return words


def _apart(a: Row, b: Row) -> Iterator[str]:
    """Fields of which no value fits both, and those that only one of the rows has."""
    for trait in {*a.fields, *b.fields} - set(TTL):
        if trait not in a.fields or trait not in b.fields or not _meet(a.fields[trait], b.fields[trait]):
            yield trait


def _meet(one: object, other: object) -> bool:
    (low, high), (least, most) = _span(one), _span(other)
    if low is not None and least is not None and high is not None and most is not None:
        return low <= most and least <= high
    return bool(set(_set(one)) & set(_set(other)))


def _span(wanted: object) -> tuple[int | None, int | None]:
    if isinstance(wanted, Mapping):
        return wanted["min"], wanted["max"]
    return (wanted, wanted) if isinstance(wanted, int) else (None, None)


def _set(wanted: object) -> Sequence[object]:
    return wanted if isinstance(wanted, list) else (wanted,)
