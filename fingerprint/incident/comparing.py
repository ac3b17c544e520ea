"""This incident beside an earlier one's document: the same device, the same technique, unrelated, or nobody can tell.

What each answer needs
    same device      the same mechanism, and either one link of the path at one vantage, or one cluster of forged
                     packets that no known row explains, with nothing measured that differs.
    same technique   a mechanism in common, trigger and shape included as far as both are known.
    unrelated        both say how, and have neither layer nor action in common.
    undecided        anything else: one of them never said how, or only what is above the mechanism is shared.

A row of the injector table is a kind of device, which may be sold to many; it alone makes no two incidents one device.
Both have to be valid: an earlier incident that was simulated is compared, and called so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fingerprint.incident.model import Comparison, Incident, Signature
from fingerprint.incident.observations import family
from fingerprint.incident.sightings import CLUSTER

SCHEMA = "fingerprint/incident/1"
DEVICE, TECHNIQUE, UNRELATED, UNDECIDED = "same device", "same technique", "unrelated", "undecided"


@dataclass(slots=True, kw_only=True)
class Found:
    """What two signatures of one mechanism have in common, and what tells them apart."""

    shared: list[str]
    differing: list[str]
    device: bool
    technique: bool


def check(told: object) -> None:
    """Raises ValueError for what is no incident's document."""
    if not isinstance(told, dict) or told.get("schema") != SCHEMA:
        raise ValueError(f"its schema is not {SCHEMA}")
    if not isinstance(told.get("signatures"), list) or not isinstance(told.get("headline"), str):
        raise ValueError("it has no signatures")  # noqa: TRY004  # one kind of error for a document
    for one in told["signatures"]:
        if not isinstance(one, dict) or not isinstance(one.get("mechanism"), str):
            raise ValueError("a signature has no mechanism")  # noqa: TRY004  # as above


def compared(incident: Incident, earlier: Mapping[str, Any], *, file: str, sha256: str) -> Comparison:
    """The comparison with an earlier incident's document, which `check` has passed."""
    mine, theirs = incident.signatures, [_signature(s) for s in earlier["signatures"]]
    shared, differing = list[str](), list[str]()
    device = technique = False
    for one in mine:
        for other in theirs:
            node = _common(one.mechanism, other.mechanism)
            if node is None:
                continue
            found = _beside(one, other, node)
            shared += found.shared
            differing += found.differing
            technique = technique or found.technique
            device = device or (found.device and found.technique and not found.differing)
    both = bool(mine) and bool(theirs)
    families = {family(s.mechanism) for s in mine} & {family(s.mechanism) for s in theirs}
    answer = DEVICE if device else TECHNIQUE if technique else UNRELATED if both and not families else UNDECIDED
    if both:
        only = _only(mine, theirs)
        differing += only
    return Comparison(
        file=file,
        sha256=sha256,
        answer=answer,
        says=_says(answer, mine, theirs, simulated=bool(earlier.get("simulated"))),
        shared=tuple(dict.fromkeys(shared)),
        differing=tuple(dict.fromkeys(differing)),
    )


def _signature(told: Mapping[str, Any]) -> Signature:
    def words(field: str) -> tuple[str, ...]:
        given = told.get(field)
        return tuple(str(word) for word in given) if isinstance(given, list) else ()

    rate = told.get("rate_bps")
    return Signature(
        mechanism=told["mechanism"],
        services=words("services"),
        vantages=words("vantages"),
        positions=words("positions"),
        links=tuple((int(a), int(b)) for a, b in told.get("links") or ()),
        triggers=words("triggers"),
        injectors=words("injectors"),
        contradicted=words("contradicted"),
        shapes=words("shapes"),
        rate_bps=(float(rate[0]), float(rate[1])) if rate else None,
    )


def _common(one: str, other: str) -> str | None:
    """The deeper of two nodes of which one is the other or above it; None for others."""
    if one == other or one.startswith(other + "."):
        return one
    return other if other.startswith(one + ".") else None


def _beside(one: Signature, other: Signature, node: str) -> Found:
    shared = [f"mechanism {node}"]
    differing: list[str] = []
    for what, a, b in (
        ("position", one.positions, other.positions),
        ("trigger", one.triggers, other.triggers),
        ("shape", one.shapes, other.shapes),
    ):
        if a and b:
            (shared if set(a) & set(b) else differing).append(_facet(what, a, b))
    technique = not differing and (node.count(".") > 1 or one.mechanism == other.mechanism)
    device = _injectors(one, other, shared, differing)
    device = _links(one, other, shared, differing) or device
    if one.rate_bps and other.rate_bps:
        overlap = one.rate_bps[0] <= other.rate_bps[1] and other.rate_bps[0] <= one.rate_bps[1]
        text = f"rate {_rate(one.rate_bps)} here, {_rate(other.rate_bps)} there"
        (shared if overlap else differing).append(text)
    return Found(shared=shared, differing=differing, device=device, technique=technique)


def _facet(what: str, a: Sequence[str], b: Sequence[str]) -> str:
    both = sorted(set(a) & set(b))
    return f"{what} {', '.join(both)}" if both else f"{what} {', '.join(a)} here, {', '.join(b)} there"


def _injectors(one: Signature, other: Signature, shared: list[str], differing: list[str]) -> bool:
    """Whether a cluster is shared; a row of the table is told, and makes no device."""
    if not one.injectors or not other.injectors:
        return False
    both = sorted(set(one.injectors) & set(other.injectors))
    if not both:
        differing.append(f"injector {', '.join(one.injectors)} here, {', '.join(other.injectors)} there")
        return False
    for name in both:
        unsure = name in one.contradicted or name in other.contradicted
        shared.append(f"injector {name}{' (which some fields contradict)' if unsure else ''}")
    return any(name.startswith(CLUSTER) for name in both)


def _links(one: Signature, other: Signature, shared: list[str], differing: list[str]) -> bool:
    """Whether both were placed on one link as seen from one vantage; links of different vantages say nothing."""
    here = set(one.vantages) & set(other.vantages)
    if not one.links or not other.links or not here or len(one.vantages) > 1 or len(other.vantages) > 1:
        return False
    both = sorted(set(one.links) & set(other.links))
    for a, b in both:
        shared.append(f"the link between hops {a} and {b} as seen from {', '.join(sorted(here))}")
    if not both:
        differing.append(f"link {_hops(one.links)} here, {_hops(other.links)} there, from {', '.join(sorted(here))}")
    return bool(both)


def _hops(links: Sequence[tuple[int, int]]) -> str:
    return ", ".join(f"{a}–{b}" for a, b in links)


def _rate(bounds: tuple[float, float]) -> str:
    return f"{bounds[0] / 1e3:.0f}–{bounds[1] / 1e3:.0f} kbit/s"


def _only(mine: Sequence[Signature], theirs: Sequence[Signature]) -> list[str]:
    """Mechanisms that one of the two has alone."""
    out = []
    for some, others, where in ((mine, theirs, "here"), (theirs, mine, "there")):
        alone = [s.mechanism for s in some if all(_common(s.mechanism, o.mechanism) is None for o in others)]
        if alone:
            out.append(f"only {where}: {', '.join(dict.fromkeys(alone))}")
    return out


def _says(answer: str, mine: Sequence[Signature], theirs: Sequence[Signature], *, simulated: bool) -> str:
    about = "The earlier incident was a simulation. " if simulated else ""
    if answer == DEVICE:
        return f"{about}What was measured of the device is the same in both, as far as both measured it."
    if answer == TECHNIQUE:
        return f"{about}The technique is the same; that it is the same device was not shown."
    if answer == UNRELATED:
        return f"{about}They have no layer and action in common."
    missing = "this one" if not mine else "the earlier one" if not theirs else None
    why = f"{missing} does not say how it was done" if missing else "they share the action, and differ in what is below"
    return f"{about}Nobody can tell: {why}."
