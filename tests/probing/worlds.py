"""Carriers and plans for tests of the engine: the simulated path, and one that answers as a test likes."""

from __future__ import annotations

import asyncio
from pathlib import Path

from fingerprint.lab import world
from fingerprint.lab.simulated.carrier import SimulatedCarrier
from fingerprint.plugins import registry
from fingerprint.probing.engine import probe
from fingerprint.probing.pacing import place_of
from fingerprint.probing.plan import Plan
from fingerprint.steps import Control, Replies, Target
from fingerprint.technique import Technique

RESIDUAL_S = 2.0
TARGET = Target(
    name="forum.test",
    addresses=world.SERVER_A[:1],
    path="/large",
    controls=(Control(name="garden.test", addresses=world.SERVER_B[:1]),),
    resolvers=(world.RESOLVER[0], world.PUBLIC_RESOLVER[0]),
    seed=1,
    residual_s=RESIDUAL_S,
)


def plan(*targets: Target, **how) -> Plan:
    return Plan(**({"residual_s": RESIDUAL_S, "recorder": "simulated"} | how), targets=targets or (TARGET,))


async def probed(preset: str, folder: Path, asked: Plan | None = None, techniques=None):
    """A plan performed on a simulated path: the script, the carrier."""
    carrier = SimulatedCarrier(preset, seed=1, residual_s=RESIDUAL_S, folder=folder)
    return await probe(asked or plan(), carrier, techniques or registry.load()), carrier


class Chosen:
    """A registry of these techniques alone."""

    failures = ()

    def __init__(self, **techniques: Technique) -> None:
        self.techniques = tuple((name.replace("_", "-"), technique) for name, technique in techniques.items())


class Scripted:
    """Answers by a function of the message; time passes only while somebody waits or listens."""

    def __init__(self, folder: Path, answer=lambda _message: Replies(outcome="answered", took_s=0.01)) -> None:
        self.time_ns = 1_700_000_000 * 10**9
        self.answer = answer
        self.file = folder / "run.pcapng"
        self.file.write_bytes(b"")
        self.sent = []
        self.busy: set[str] = set()
        self.together = 0  # most messages under way at once

    def now_ns(self) -> int:
        return self.time_ns

    async def perform(self, message, *, listen_s: float) -> Replies:
        place = place_of(message)
        assert place not in self.busy, f"two conversations with {place} at once"
        self.busy.add(place)
        self.together = max(self.together, len(self.busy))
        try:
            self.sent.append((self.time_ns, message))
            for _ in range(3):
                await asyncio.sleep(0)
            self.time_ns += 10_000_000
            return self.answer(message)
        finally:
            self.busy.discard(place)

    async def wait(self, seconds: float) -> None:
        await asyncio.sleep(0)
        self.time_ns += int(seconds * 1e9)

    async def flush(self) -> Path:
        return self.file
