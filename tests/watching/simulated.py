"""A line in virtual time: rounds go over the simulated path, behind a box that stands there for a while."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace

from fingerprint import engine
from fingerprint.lab import world
from fingerprint.lab.simulated.carrier import SimulatedCarrier
from fingerprint.plugins import registry
from fingerprint.probing import engine as probing
from fingerprint.probing.plan import Plan
from fingerprint.report import as_dict
from fingerprint.script import path_of, write
from fingerprint.steps import Control, Target
from fingerprint.store.resuming import Keeping
from fingerprint.vantages.vantage import Vantage
from fingerprint.watching import remaining
from fingerprint.watching.memory import Memory
from fingerprint.watching.rounds import Outcome, Watch, watch
from fingerprint.watching.schedule import NS, Schedule
from tests.store.made import document

BEGAN_NS = 1_589_736_600 * NS
CAFE = Vantage(name="cafe", provider="Example Net", country="PK", simulated="a test")


def at(seconds):
    return BEGAN_NS + round(seconds * NS)


@dataclass
class Line:
    """`Means`: blocked from one time to another, with things that may happen to rounds by number.

    Where it does not matter what is found (``canned``), every round finds what the sample of the store's tests shows.
    """

    now: int = BEGAN_NS
    canned: bool = True
    blocked: tuple[int, int] = (0, 0)
    preset: str = "gfw-rst-i"
    fails: dict = field(default_factory=dict)  # number → sentence
    sleeps: dict = field(default_factory=dict)  # before round → seconds for which the machine is off
    ends_in: int | None = None  # somebody ends the watch while this round is under way
    dies_in: int | None = None
    ended: bool = False
    begun: list = field(default_factory=list)

    def now_ns(self):
        return self.now

    def wait_until(self, due_ns):
        self.now = max(self.now, due_ns) + round(self.sleeps.pop(len(self.begun), 0) * NS)
        return not self.ended

    def perform(self, planned):
        self.begun.append((planned.number, self.now))
        if planned.number == self.dies_in:
            raise SystemExit("killed")
        self.ended = planned.number == self.ends_in
        if why := self.fails.get(planned.number):
            return Outcome(why=why)
        if self.canned:
            self.now += 20 * NS
            return Outcome(document=document(planned.number))
        return Outcome(document=asyncio.run(self._run(planned)))

    async def _run(self, planned):
        behind = self.preset if self.blocked[0] <= self.now < self.blocked[1] else "none"
        here = replace(world.WORLD, begins_ns=self.now)
        folder = planned.capture.parent / f"round-{planned.number}"
        folder.mkdir()
        carrier = SimulatedCarrier(behind, residual_s=2.0, folder=folder, seed=planned.number, world=here)
        target = Target(
            name=world.MINDED, addresses=world.NAMES[world.MINDED], port=443,
            controls=(Control(name="garden.test", addresses=world.NAMES["garden.test"]),),
            resolvers=(world.RESOLVER[0],), seed=planned.seed, residual_s=2.0,
        )  # fmt: skip
        plan = Plan(
            targets=(target,), techniques=("sni-filtering",), seed=planned.seed, residual_s=2.0,
            recorder="simulated",
        )  # fmt: skip
        script = await probing.probe(plan, carrier, registry.load())
        (await carrier.flush()).rename(planned.capture)
        folder.rmdir()
        write(script, path_of(planned.capture))
        self.now = carrier.now_ns()
        report = engine.analyse([str(planned.capture)], techniques=registry.load(), vantage=CAFE)
        return as_dict(report, all_ok=True, pictures=True)


def memory(rounds=6, *, every_s=300.0, jitter_s=0.0, **more):
    schedule = Schedule(began_ns=BEGAN_NS, every_s=every_s, jitter_s=jitter_s, seed=7, rounds=rounds)
    return Memory(asked={"what": "forum.test"}, schedule=schedule, **more)


def watched(store, line, remembered, *, keep="findings", residual_s=2.0):
    """(tally, lines that were said)."""
    (store / "runs").mkdir(parents=True, exist_ok=True)
    said = []
    keeping = Keeping(store=store, made_by={"tool": "a test"}, vantage=CAFE)
    of = Watch(
        means=line, keeping=keeping, policy=remaining.policy(keep), target="forum.test", residual_s=residual_s,
        tell=said.append,
    )  # fmt: skip
    return watch(of, remembered), said
