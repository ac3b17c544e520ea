"""Unknown injectors that may be one device: nothing that lies with the device itself tells them apart.

Compared is what neither distance nor the name that was asked for changes. A value that never changed over several flows
of one, and is another one, or changes, at the other, tells them apart.

A cluster also has a name, made of what one flow is enough to see, and behind a hyphen of what several flows showed to
be constant: ``7f3a-91c2``. Devices whose names differ before the hyphen, or behind one that both have, are two.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import sha256

from fingerprint.injectors.traits import RELATIONS, Traits

# Of the device: what is left out changes with the way, the flow or the question.
COMPARED = (
    "ip.id", "ip.df", "ip.dscp", "tcp.flags", "tcp.window", "tcp.reserved", "tcp.ack_without_flag", "tcp.options",
    "count", "payload", "http.status", "dns.teredo", "dns.aa", "dns.rcode", "dns.ttl", "dns.answer",
)  # fmt: skip
# Drawn anew for each packet by some devices: only a constant tells these apart.
DRAWN = frozenset({"ip.id", "tcp.window", "dns.ttl", "dns.answer"})
# So many flows with one value make it a constant.
CONSTANT_FLOWS = 3
# Relations that lie with the device.
DEVICES_OWN = tuple(r for r in RELATIONS if r.startswith(("tcp.", "ip.id", "dns.")) and "sender" not in r)
# The same on every flow, as far as it can be told.
FIXED = ("ip.df", "tcp.flags", "tcp.reserved", "tcp.ack_without_flag", "tcp.options", "dns.aa", "dns.rcode")
NAME_DIGITS = 4
# Shares of values in common from which two sets are one device's; retransmissions and cut captures cost some.
ALIKE = 0.5


def clusters(found: Sequence[tuple[Traits, ...]]) -> tuple[int, ...]:
    """A number for each device (all that it sends), from 1 in order of appearance; equal numbers may be one device."""
    groups: list[tuple[Traits, ...]] = []
    out = []
    for mine in found:
        at = next((i for i, other in enumerate(groups) if one_device(mine, other)), None)
        if at is None:
            groups.append(mine)
            at = len(groups) - 1
        out.append(at + 1)
    return tuple(out)


def one_device(one: tuple[Traits, ...], other: tuple[Traits, ...]) -> bool:
    """Whether everything that the one sends may come from what sent the other."""
    fewer, more = sorted((one, other), key=len)
    return all(any(not differences(a, b) for b in more) for a in fewer)


def differences(one: Traits, other: Traits) -> tuple[str, ...]:
    """The traits that tell two apart; empty if they may be one device."""
    if one.kind != other.kind:
        return ("kind",)
    out = []
    for trait in COMPARED:
        a, b = one.values.get(trait), other.values.get(trait)
        if a is None or b is None:
            continue
        if trait in DRAWN:
            if not _may_be_one_source(one, other, trait):
                out.append(trait)
            continue
        shared = set(a) & set(b)
        if not shared or (trait != "count" and len(shared) / max(len(set(a)), len(set(b))) < ALIKE):
            out.append(trait)
    for relation in DEVICES_OWN:
        a, b = one.values.get(relation), other.values.get(relation)
        if a is not None and b is not None and a != b:
            out.append(relation)
    return tuple(out)


def cluster_name(makers: Sequence[Traits]) -> str:
    """What the same device is called in every capture, whatever the way to it, the names and the ports."""
    first = _digest(sorted(" ".join(_of_one_flow(m)) for m in makers))
    constants = sorted(" ".join([m.kind, *_constants(m)]) for m in makers if any(_constants(m)))
    return f"{first}-{_digest(constants)}" if constants else first


def _digest(words: Sequence[str]) -> str:
    return sha256("; ".join(words).encode()).hexdigest()[:NAME_DIGITS]


def _of_one_flow(maker: Traits) -> Iterator[str]:
    yield maker.kind
    for trait in FIXED:
        if trait in maker.values:
            yield f"{trait} {sorted(map(str, maker.values[trait]))}"
    yield "several" if max(map(int, maker.values.get("count", (1,)))) > 1 else "one"
    if maker.kind == "reset":
        yield f"payload {sorted(map(str, maker.values.get('payload', ())))}"
    for trait in ("ip.id", "tcp.window"):
        if trait in maker.values:
            yield f"{trait} {'zero' if set(maker.values[trait]) == {0} else 'some'}"
    for relation in ("ip.id = trigger's", "tcp.window rising by one"):
        if maker.values.get(relation) == (True,):
            yield relation


def _constants(maker: Traits) -> Iterator[str]:
    """Drawn values that were one value over so many flows."""
    if maker.flows < CONSTANT_FLOWS:
        return
    for trait in ("ip.id", "tcp.window", "dns.ttl"):
        values = set(maker.values.get(trait, ()))
        if len(values) == 1 and values != {0}:
            yield f"{trait} {values.pop()}"


def _may_be_one_source(one: Traits, other: Traits, trait: str) -> bool:
    """Two constants are one if they are equal; two that vary may be one; one of each are two devices."""
    a, b = set(one.values[trait]), set(other.values[trait])
    constant_a = len(a) == 1 and one.flows >= CONSTANT_FLOWS
    constant_b = len(b) == 1 and other.flows >= CONSTANT_FLOWS
    if constant_a and constant_b:
        return a == b
    if constant_a or constant_b:
        varying, constant = (b, a) if constant_a else (a, b)
        return varying == constant
    return len(a) > 1 or len(b) > 1 or a == b or not (one.flows > 1 and other.flows > 1)
