"""What is told before the first packet, and asked; and the list of everything that would be sent.

The list is made by the techniques' own generators. What they send depends on what comes back, so they are asked several
times: as if everything passed, and as if controls passed and targets were reset, met silence or were slow. The longest
course is listed, and what only other courses send behind it.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from textwrap import fill
from typing import IO

from captures.errors import TargetError
from fingerprint.probing.budget import worst
from fingerprint.probing.lanes import Lane
from fingerprint.probing.plan import Plan, senders
from fingerprint.steps import (
    Crafted,
    Datagram,
    Handshake,
    Hello,
    Message,
    Payload,
    Query,
    Replies,
    Request,
    Send,
    Target,
    Transfer,
)
from fingerprint.technique import Technique
from fingerprint.terminal import PLAIN_WIDTH, clean

# A generator that never ends is cut here; no honest probe is that long.
MOST_STEPS = 2000
# How the steps of targets may end.
OUTCOMES = ("answered", "reset", "silent", "slow")
# Farther than most servers are; a sweep goes as far as it must and no farther.
SUPPOSED_HOPS = 16
# Stands for an address that is looked up only after consent was given.
UNKNOWN = "(the address of {name})"

RISK = (
    "Whoever watches this line, the provider included, sees these names and addresses, and that somebody here asked "
    "for them. In some countries that alone can bring trouble. Probe only where you may, and what you may."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreseen:
    """A step that may be taken."""

    target: str
    technique: str
    step: Send


def foreseen(plan: Plan, techniques: Sequence[tuple[str, Technique]]) -> tuple[Foreseen, ...]:
    """Every step that the plan may take, technique by technique."""
    return tuple(
        Foreseen(target=target.name, technique=name, step=step)
        for target in plan.targets
        for name, technique in senders(plan, techniques)
        for step in steps_of(technique, target)
    )


def steps_of(technique: Technique, target: Target) -> tuple[Send, ...]:
    """The steps of one probe, as many as there may be."""
    longest, *others = sorted((course(technique, target, outcome) for outcome in OUTCOMES), key=len, reverse=True)
    found = {step.message: step for step in longest}
    more = {step.message: step for other in others for step in other if step.message not in found}
    return (*longest, *more.values())


def course(technique: Technique, target: Target, outcome: str) -> list[Send]:
    """The steps that are sent if every target's step ends so."""
    steps: list[Send] = []
    lane = Lane("", lambda: technique.probe(target))
    with suppress(Exception):  # a plugin's fault is told when it probes; what it would have sent is listed
        for _ in range(MOST_STEPS):
            step = lane.pending
            if step is None:
                break
            if isinstance(step, Send):
                steps.append(step)
            lane.answer(supposed(step, outcome) if isinstance(step, Send) else None)
    lane.close()
    return steps


def supposed(step: Send, outcome: str) -> Replies:
    """What might come back, from a far end that is SUPPOSED_HOPS away."""
    message = step.message
    decoy = message.decoy if isinstance(message, Hello | Transfer) else None
    ttl_hops = decoy.ttl_hops if decoy else getattr(message, "ttl_hops", None)
    if ttl_hops is not None and ttl_hops < SUPPOSED_HOPS:
        return Replies(outcome="answered" if decoy else "silent", answers=(f"router {ttl_hops}",), local_port=1)
    if isinstance(message, Transfer):
        slow = step.role != "control" and outcome == "slow"
        moved, span_s = (message.size_bytes // 50, message.seconds) if slow else (message.size_bytes, 1.0)
        sent, received = (moved, 0) if message.upload else (0, moved)
        passed = step.role == "control" or outcome in ("answered", "slow")
        said = ("slow" if slow else "answered") if passed else outcome
        return Replies(outcome=said, took_s=0.1, received_bytes=received, sent_bytes=sent, span_s=span_s, local_port=1)
    return Replies(
        outcome="answered" if step.role == "control" or outcome == "slow" else outcome, took_s=0.1, local_port=1
    )


def where(message: Message) -> str:
    """Where a message goes, as a person reads it."""
    match message:
        case Query():
            return f"{message.resolver} port {message.port}/{message.over}"
        case Datagram():
            return f"{message.address} port {message.port}/udp"
        case Crafted():
            return f"{message.address} ({len(message.packets)} crafted packets)"
        case _:
            return f"{message.address} port {message.port}/tcp"


def what(message: Message) -> str:
    """What a message says, as a person reads it."""
    match message:
        case Query():
            said = f"DNS query {message.rtype} {message.name}"
        case Handshake():
            said = "TCP connection, nothing said"
        case Hello():
            said = f"TLS hello ({message.form}) for {message.name or 'no name'}"
        case Request():
            said = f"HTTP request for {message.host or message.address}{message.path}"
        case Transfer():
            way = "upload" if message.upload else "download"
            said = f"{way} of at most {size(message.size_bytes)} as {message.name or message.address}"
        case Payload() | Datagram():
            kind = "datagram" if isinstance(message, Datagram) else "payload"
            said = f"{kind} of {len(message.payload)} bytes" + (f" that names {message.name}" if message.name else "")
            said += f", up to {message.copies} times" if isinstance(message, Datagram) and message.copies > 1 else ""
        case Crafted():
            return "packets made by hand"
    decoy = getattr(message, "decoy", None)
    hops = getattr(message, "ttl_hops", None)
    return (
        said
        + (f", decoy {decoy.name} {decoy.ttl_hops} hops far" if decoy else "")
        + (f", {hops} hops far" if hops else "")
    )


def size(size_bytes: float) -> str:
    """Bytes for people."""
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size_bytes >= factor:
            return f"{size_bytes / factor:.3g} {unit}"
    return f"{size_bytes:.0f} bytes"


def duration(seconds: float) -> str:
    """Time for people."""
    return f"{seconds / 60:.0f} minutes" if seconds >= 120 else f"{seconds:.0f} seconds"


def dry_run(plan: Plan, steps: Sequence[Foreseen], out: IO[str] | None = None) -> None:
    """Print every step and where it would go; nothing is sent."""
    out = out or sys.stdout
    for number, one in enumerate(steps, start=1):
        role = "control" if one.step.role == "control" else "target "
        asked = "" if one.step.seeks == "mechanism" else f"  [only if something was found: {one.step.seeks}]"
        out.write(
            clean(
                f"{number:4}  {role}  {where(one.step.message):<44} {what(one.step.message)}"
                f"  ({one.technique}, listens {one.step.listen_s:g} s){asked}"
            )
            + "\n"
        )
    packets, size_bytes = cost(plan, steps)
    out.write(f"\n{len(steps)} steps at most, {packets} packets, {size(size_bytes)}. Nothing was sent.\n")


def cost(plan: Plan, steps: Sequence[Foreseen]) -> tuple[int, int]:
    """Packets and bytes at most, by what the steps may cost and what the budget allows."""
    packets = size_bytes = 0
    for target in plan.targets:
        costs = [worst(one.step.message) for one in steps if one.target == target.name]
        packets += min(plan.budget.packets, sum(c[0] for c in costs))
        size_bytes += min(plan.budget.size_bytes, sum(c[1] for c in costs))
    return packets, size_bytes


def names_of(steps: Sequence[Foreseen]) -> dict[str, set[str]]:
    """Every name that appears on the line, with the places it is sent to."""
    found: dict[str, set[str]] = {}
    for one in steps:
        message = one.step.message
        asked: str | None = message.host if isinstance(message, Request) else getattr(message, "name", None)
        decoy = message.decoy.name if isinstance(message, Hello | Transfer) and message.decoy else None
        for said in (asked, decoy):
            if said:
                found.setdefault(said.lower().rstrip("."), set()).add(place_of(message))
    return found


def place_of(message: Message) -> str:
    """The address that a message goes to."""
    return message.resolver if isinstance(message, Query) else message.address


def explain(plan: Plan, steps: Sequence[Foreseen], sensitive: Collection[str] = ()) -> Iterator[str]:
    """What is going to happen, line by line."""
    yield "This is going to send, from this machine and under its own address:"
    named = names_of(steps)
    for name, places in named.items():
        yield f"  the name {name} to {', '.join(sorted(places))}"
    if bare := sorted({place_of(one.step.message) for one in steps} - set().union(*named.values())):
        yield f"  packets that name nobody to {', '.join(bare)}"
    for name in sorted({t.name for t in plan.targets} & set(sensitive)):
        yield f"  Careful: {name} is a sensitive name; that it was asked for here may be held against somebody."
    packets, size_bytes = cost(plan, steps)
    yield (
        f"At most {packets} packets and {size(size_bytes)} in both directions, within {duration(plan.budget.seconds)}; "
        "less as soon as the answer is clear."
    )
    if plan.capture_all:
        yield "Everything on the interface is recorded, other people's traffic too, as --capture-all asks."
    yield RISK


def ask(
    plan: Plan,
    steps: Sequence[Foreseen],
    *,
    yes: bool,
    sensitive: Collection[str] = (),
    more: Sequence[str] = (),
    given: IO[str] | None = None,
) -> None:
    """Tell, ``more`` last, and go on only if that is wanted. Raises TargetError otherwise, before anything was sent."""
    given = given or sys.stdin
    for line in (*explain(plan, steps, sensitive), *more):
        sys.stderr.write(fill(clean(line), PLAIN_WIDTH, subsequent_indent="    ") + "\n")
    if yes:
        return
    if not given.isatty():
        raise TargetError("nobody is there to agree, and nothing was sent; read the above and run it with --yes")
    sys.stderr.write("Go on? Type yes: ")
    sys.stderr.flush()
    if given.readline().strip().lower() not in ("yes", "y"):
        raise TargetError("not agreed, and nothing was sent; --dry-run lists every packet")
