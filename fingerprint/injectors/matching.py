"""Rows of the table of injectors, compared field by field with what was seen."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from fingerprint.injectors.traits import COMMON, COMMON_WEIGHT, DERIVED, RELATIONS, WEIGHTS, Traits, Value, text
from fingerprint.technique import Known
from fingerprint.verdict.model import InjectorMatch

# A match needs that share of the weight of all fields that could be compared, and so many bits beside the TTL.
LEAST_SHARE = 0.75
LEAST_BITS = 3.0
# A score is that share, less what so few bits leave open: half of it at this many, a tenth at ten.
HALF_BITS = 3.0
# A field that a device always sends speaks louder against it where it is otherwise than for it where it is so.
AGAINST = 1.5
# Ranges from here on leave out little.
WIDE = {"ip.id": 4096, "dns.ttl": 200, "tcp.window": 4096}
TTL = ("ip.ttl", "ip.ttl = sender's", "ip.ttl above the client's")
STANDINGS = ("read", "told", "derived")
KINDS = ("reset", "close", "alert", "page", "push", "dns")
ENDS = ("client", "server", "both")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A device. ``fields``: trait → value, values, or {min, max}; a relation → true, or false where it never holds.

    ``ends``: toward whom it was seen to send; ``first_seen`` and ``last_seen`` are dates or years; "" where unknown.
    """

    name: str
    kind: str
    source: str
    standing: str
    fields: Mapping[str, object]
    ends: str = ""
    first_seen: str = ""
    last_seen: str = ""
    n: int | None = None
    residual_s: float | None = None


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
    for a, b in combinations(usable, 2):
        if a.name == b.name:
            out.append(f"{a.name} stands in two rows; give each its own name")
        elif a.kind == b.kind and not any(True for _ in _apart(a, b)):
            out.append(f"{a.name} and {b.name} overlap: no field tells them apart; add one that does")
        else:
            wide, narrow = (a, b) if _covers(a, b) else (b, a)
            if a.kind == b.kind and _covers(wide, narrow):
                out.append(
                    f"{wide.name} overlaps {narrow.name}: whatever fits this fits that as well; add a field to it"
                )
    return tuple(out)


def _row(raw: Mapping[str, object]) -> Row:
    fields = raw.get("fields")
    told = {
        key: str(raw.get(key, "")) for key in ("name", "kind", "source", "standing", "ends", "first_seen", "last_seen")
    }
    n, residual_s = raw.get("n"), raw.get("residual_s")
    return Row(
        **told,
        fields=dict(fields) if isinstance(fields, Mapping) else {},
        n=n if isinstance(n, int) else None,
        residual_s=float(residual_s) if isinstance(residual_s, int | float) else None,
    )


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
    if raw.get("ends", "both") not in ENDS:
        return f"ends is {raw.get('ends')!r}; want one of {', '.join(ENDS)}"
    seen = [str(raw[key]) for key in ("first_seen", "last_seen") if raw.get(key)]
    if len(seen) == 2 and seen[0][: len(seen[1])] > seen[1][: len(seen[0])]:
        return f"it was last seen ({seen[1]}) before it was first seen ({seen[0]})"
    if not isinstance(fields, Mapping) or not set(fields) - set(TTL):
        return "it has no field but a TTL, which matches anybody"
    for trait, wanted in fields.items():
        if fault := _fault_of(trait, wanted, str(raw["kind"])):
            return fault
    return _contradiction(fields)


def _fault_of(trait: str, wanted: object, kind: str) -> str | None:
    if trait not in WEIGHTS:
        return f"{trait} is no field that is compared"
    layer = trait.partition(".")[0]
    if layer in ("dns", "tcp", "http") and (layer == "dns") != (kind == "dns"):
        return f"{trait} is no field of kind {kind}"
    if trait in RELATIONS:
        return None if isinstance(wanted, bool) else f"{trait} is a relation; want true or false"
    if isinstance(wanted, Mapping):
        numbers = [wanted.get(end) for end in ("min", "max")]
        low, high = (n if type(n) is int else None for n in numbers)
        if set(wanted) == {"min", "max"} and low is not None and high is not None and low <= high:
            return None
        return f"{trait} wants {{min, max}} with min below max"
    values = _set(wanted)
    if not values:
        return f"{trait} has no value"
    return None if all(type(v) in (int, str) for v in values) else f"{trait} wants a number or text, or several"


def _contradiction(fields: Mapping[str, object]) -> str | None:
    """Two fields that no packet can fit at once."""
    if fields.get("ip.id") == 0 and fields.get("ip.id = trigger's"):
        return "ip.id is 0 and the trigger's at once"
    if fields.get("tcp.ack_without_flag") == 1 and "ACK" in str(fields.get("tcp.flags", "")):
        return "tcp.ack_without_flag is 1, and ACK is among tcp.flags"
    if fields.get("tcp.window rising by one") and (fields.get("count") == 1 or _is_one(fields.get("tcp.window"))):
        return "the window rises by one, and is one value or in one packet"
    if fields.get("dns.answer another each time") and _is_one(fields.get("dns.answer")):
        return "dns.answer is one address and another each time"
    return None


def _is_one(wanted: object) -> bool:
    return wanted is not None and not isinstance(wanted, Mapping | list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of a row beside what was seen, as a person reads them."""

    name: str
    row: str
    seen: str
    fits: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """A row that the packets resemble, field by field. What these packets cannot tell is left out."""

    match: InjectorMatch
    fields: tuple[Field, ...]


def matches(seen: Traits, known: Known) -> tuple[Compared, ...]:
    """Rows that the packets resemble, best first, each with the fields that fit and those that contradict."""
    found = [c for row in rows(known) if row.kind == seen.kind and (c := compared(row, seen)) is not None]
    return tuple(sorted(found, key=lambda c: (-c.match.score, c.match.name)))


def compared(row: Row, seen: Traits) -> Compared | None:
    """How well a row fits; None if too little of it does, or nothing but TTLs."""
    fields = []
    good = bad = beside = 0.0
    for trait, wanted in row.fields.items():
        values = _comparable(trait, wanted, seen.values.get(trait, ()))
        if not values:
            continue
        fits = all(_holds(trait, wanted, value) for value in values)
        fields.append(Field(name=trait, row=in_words(trait, wanted), seen=text(trait, values), fits=fits))
        if fits:
            weight = _weight(trait, wanted)
            good += weight
            beside += weight if trait not in TTL else 0.0
        else:
            bad += COMMON_WEIGHT if trait in DERIVED or trait in TTL else AGAINST * WEIGHTS[trait]
    if not good or good / (good + bad) < LEAST_SHARE or beside < LEAST_BITS:
        return None
    score = good / (good + bad) * (1 - 0.5 ** (good / HALF_BITS))
    match = InjectorMatch(
        name=row.name,
        score=round(score, 3),
        fits=tuple(f.name for f in fields if f.fits),
        contradicts=tuple(f.name for f in fields if not f.fits),
        source=f"{row.source} ({row.standing})",
    )
    return Compared(match=match, fields=tuple(fields))


def in_words(trait: str, wanted: object) -> str:
    """What a row says of a field, as a person reads it."""
    match wanted:
        case bool():
            return text(trait, (wanted,))
        case {"min": int(low), "max": int(high)}:
            return text(trait, (low,)) + "–" + text(trait, (high,))
        case _:
            return " or ".join(text(trait, (one,)) for one in _set(wanted) if isinstance(one, int | str))


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


def _covers(wide: Row, narrow: Row) -> bool:
    """Whether all that fits the narrow row fits the wide one, TTLs left aside."""
    fields = {trait: wanted for trait, wanted in wide.fields.items() if trait not in TTL}
    return bool(fields) and all(
        trait in narrow.fields and _within(narrow.fields[trait], wanted) for trait, wanted in fields.items()
    )


def _within(small: object, large: object) -> bool:
    (low, high), (least, most) = _span(small), _span(large)
    if low is not None and least is not None and high is not None and most is not None:
        return least <= low and high <= most
    return set(_set(small)) <= set(_set(large)) if not isinstance(small, Mapping) else False


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
