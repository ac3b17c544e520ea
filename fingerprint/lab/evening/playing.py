"""One round at one vantage: the real probes, sent through whatever happens there, in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path as File
from zlib import crc32

from fingerprint.lab.boxes.forging import Injector, both
from fingerprint.lab.boxes.slowing import Marks, Policer
from fingerprint.lab.boxes.watching import Names, Watch
from fingerprint.lab.censor import Box
from fingerprint.lab.evening.timetable import Evening, Happening, Post, S
from fingerprint.lab.packet import ACK, RST
from fingerprint.lab.preset import Preset
from fingerprint.lab.simulated.carrier import SimulatedCarrier
from fingerprint.lab.world import PUBLIC_RESOLVER, Path, Servers, World
from fingerprint.plugins import registry
from fingerprint.probing import engine as probing
from fingerprint.probing.plan import Plan
from fingerprint.script import Script, path_of, write
from fingerprint.steps import Control, Target

# Names in DNS, names in hellos, and goodput: what the evening was about.
TECHNIQUES = ("sni-filtering", "dns-injection", "dns-manipulation", "throttling")
# As in the laboratory's own runs: the field's residual blocks would only make the recordings longer.
RESIDUAL_S = 2.0
# What the access line carries in half a second, and a policer of 150 kbit/s not in the five seconds of a turn.
TRANSFER_BYTES = 300_000
# What a resolver that is told to lie often says: the reader's own machine.
LIE = "10.10.10.10"
# A bucket of a second and a third at 150 kbit/s: policers are given at least a second's worth.
BURST_BYTES = 25_000
# The header of a device that nobody knows: it must not point at anybody who exists.
FORGED = {"ip_id": 0x4D4D, "df": True, "ttl": 113, "window": 2048}
BOXES: dict[str, Callable[[Happening], Box]] = {
    "sni-reset": lambda h: Injector(watch=Watch(names=_minded(h)), salvo=lambda p, d: both(p, d, RST | ACK, **FORGED)),
    "policer": lambda h: Policer(
        rate_bps=h.rate_bps or 0.0, burst_bytes=BURST_BYTES, marks=Marks(watch=Watch(names=_minded(h)))
    ),
}
ON_PATH = frozenset({"sni-reset"})


def play(evening: Evening, post: Post, round_ns: int, folder: File) -> File:
    """The recording of one round, with its script beside it; the folder is made if need be."""
    return asyncio.run(_play(evening, post, round_ns, folder))


def name_of(post: Post, round_ns: int) -> str:
    """What the recording of a round is called, without its suffix."""
    return f"{datetime.fromtimestamp(round_ns / S, UTC):%Y-%m-%dT%H%MZ}-{post.name}"


async def _play(evening: Evening, post: Post, round_ns: int, folder: File) -> File:
    begins_ns = round_ns + round(post.after_s * S)
    happenings = evening.at(post, begins_ns)
    world = World(
        client=(post.client,),
        resolver=(post.resolver,),
        names=evening.names,
        down=frozenset(a for name in _names(happenings, "down") for a in evening.names[name]),
        begins_ns=begins_ns,
    )
    folder.mkdir(parents=True, exist_ok=True)  # noqa: ASYNC240  # nothing else runs meanwhile
    seed = crc32(name_of(post, round_ns).encode())
    way = Path(rate_bps=evening.rate_bps, queue_bytes=evening.queue_bytes)
    carrier = SimulatedCarrier(preset(happenings), way, folder=folder, residual_s=RESIDUAL_S, seed=seed, world=world)
    script = joined([await _probe(target, carrier) for target in targets(evening, post, seed)], evening.controls)
    recorded = await carrier.flush()
    recording = recorded.rename(folder / f"{name_of(post, round_ns)}.pcapng")
    write(script, path_of(recording))
    return recording


def targets(evening: Evening, post: Post, seed: int) -> tuple[Target, ...]:
    """Everybody in turn, the controls as well: what is said of them counts too."""
    controls = {name: Control(name=name, addresses=evening.names[name]) for name in evening.controls}
    return tuple(
        Target(
            name=name, addresses=addresses, path="/large", controls=tuple(c for n, c in controls.items() if n != name),
            resolvers=(post.resolver, PUBLIC_RESOLVER[0]), seed=seed, residual_s=RESIDUAL_S,
            transfer_bytes=TRANSFER_BYTES,
        )
        for name, addresses in evening.names.items()
    )  # fmt: skip


async def _probe(target: Target, carrier: SimulatedCarrier) -> Script:
    """One target after the other: turns of its transfers and its control's must stand close together."""
    plan = Plan(targets=(target,), techniques=TECHNIQUES, seed=target.seed, residual_s=RESIDUAL_S, recorder="simulated")
    return await probing.probe(plan, carrier, registry.load())


def preset(happenings: Iterable[Happening]) -> Preset:
    """The boxes and servers that make it happen."""
    happenings = tuple(happenings)
    at_work = [h for h in happenings if h.what in BOXES]
    return Preset(
        name="evening",
        says="What happens at this vantage now.",
        source="made for the laboratory",
        boxes=lambda _: tuple(BOXES[h.what](h) for h in at_work),
        on_path=any(h.what in ON_PATH for h in at_work),
        servers=Servers(quic=False, resolver_lies=dict.fromkeys(_names(happenings, "dns-lie"), LIE)),
    )


def joined(scripts: list[Script], controls: tuple[str, ...]) -> Script:
    """The scripts of runs that follow each other, as one. Controls that were visited for themselves stay controls."""
    steps = [step for script in scripts for step in script.steps]
    return replace(
        scripts[0],
        ended_ns=scripts[-1].ended_ns,
        targets=tuple(target for script in scripts for target in script.targets if target.name not in controls),
        steps=tuple(replace(step, number=number) for number, step in enumerate(steps, 1)),
        errors=tuple(error for script in scripts for error in script.errors),
    )


def _names(happenings: Iterable[Happening], what: str) -> list[str]:
    return [name for h in happenings if h.what == what for name in h.names]


def _minded(happening: Happening) -> Names:
    return Names(names=frozenset(happening.names))
