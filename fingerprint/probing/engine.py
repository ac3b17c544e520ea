"""Performs a plan: the steps of all techniques, interleaved, on all targets at once.

Every technique's generator is a lane. A lane has one pending step; which lane goes next is the order's business, when
it may is the pacing's, and whether it can be afforded the purse's. Steps on different addresses run side by side. After
each trial the recording so far is judged by the same analysis that will judge the whole.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from typing import Any

from fingerprint import __version__
from fingerprint.engine import Techniques
from fingerprint.probing import hellos
from fingerprint.probing.budget import Purse
from fingerprint.probing.carrier import Carrier
from fingerprint.probing.lanes import Lane, skipped
from fingerprint.probing.order import Order
from fingerprint.probing.pacing import Pacing
from fingerprint.probing.plan import Plan, senders
from fingerprint.probing.standing import Standing, recorded, standing
from fingerprint.script import Script, ScriptStep, ScriptTarget
from fingerprint.steps import Crafted, Message, Replies, Send, Target, Wait
from fingerprint.technique import Technique

# As long as a reset's own sender may go on after it (Weaver et al., NDSS 2009), and a late answer may come.
LINGER_S = 1.0


async def probe(plan: Plan, carrier: Carrier, techniques: Techniques) -> Script:
    """Measure every target of the plan and return the script of what was sent, steps in order of time.

    Whatever a plugin does, the others go on; `Script.errors` names its file and line. A cancelled run (SIGINT) returns
    too: its script says ``partial="interrupted"``, and writing it is the caller's business, as is the recording.
    """
    began_ns = carrier.now_ns()
    pacing = Pacing(carrier.now_ns)
    analyst = Analyst(carrier=carrier, techniques=techniques.techniques, beside=plan.recorder != "simulated")
    sending = senders(plan, techniques.techniques)
    runs = [Measurement(plan, target, carrier, sending, pacing, analyst) for target in plan.targets]
    cut_short = None
    tasks = [asyncio.ensure_future(run.run()) for run in runs]
    try:
        await asyncio.gather(*tasks)
        await carrier.wait(LINGER_S)
    except asyncio.CancelledError:
        cut_short = "interrupted"
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    at_last = await analyst.now()
    steps = sorted((s for run in runs for s in run.steps), key=lambda s: s.from_ns)
    return Script(
        tool=f"censorship-fingerprint {__version__}",
        seed=plan.seed,
        order=plan.order,
        hello=hellos.library(),
        recorder=plan.recorder,
        capture_all=plan.capture_all,
        residual_s=plan.residual_s,
        began_ns=began_ns,
        ended_ns=carrier.now_ns(),
        targets=tuple(run.told(at_last) for run in runs),
        steps=tuple(_numbered(steps)),
        partial=cut_short,
        errors=tuple(error for run in runs for error in run.errors),
    )


@dataclass(slots=True)
class Analyst:
    """Judges the recording so far, one judgement at a time.

    It does so ``beside`` the loop, which has sockets to serve; in virtual time everything keeps its order.
    """

    carrier: Carrier
    techniques: Sequence[tuple[str, Technique]]
    beside: bool = True
    _one: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def now(self) -> Standing:
        """How things stand."""
        async with self._one:
            path = await self.carrier.flush()
            if self.beside:
                how = await asyncio.to_thread(standing, path, self.techniques)
            else:
                how = standing(path, self.techniques)
            # One that does not come to an end holds the run up once, not after each trial.
            self.techniques = [(name, technique) for name, technique in self.techniques if name not in how.broken]
            return how


@dataclass(frozen=True, slots=True)
class Judging:
    """A trial that is through and being judged: its triggers, and what came back."""

    trial: list[tuple[str, Send, Replies]]


class Measurement:
    """One target, from its first step to its last."""

    def __init__(
        self,
        plan: Plan,
        target: Target,
        carrier: Carrier,
        techniques: Sequence[tuple[str, Technique]],
        pacing: Pacing,
        analyst: Analyst,
    ) -> None:
        """Nothing is sent before `run`."""
        self.target, self.carrier, self.pacing, self.analyst = target, carrier, pacing, analyst
        self.residual_s = target.residual_s
        self.purse = Purse(plan.budget)
        self.order = Order(target=target.name, fixed=plan.order == "fixed")
        self.lanes = [Lane(name, partial(technique.probe, target)) for name, technique in techniques]
        self.steps: list[ScriptStep] = []
        self.errors: list[str] = []
        self.stopped = ""
        self.decided_after_pkts: int | None = None
        self._until_ns = carrier.now_ns() + int(plan.budget.seconds * 1e9)
        self._running: dict[asyncio.Future[Any], tuple[Lane, Send | Wait | Judging, int]] = {}

    async def run(self) -> None:
        """Take steps until nothing is left that is worth it and can be afforded."""
        try:
            while True:
                wait_s = self._launch()
                if self._running:
                    done, _ = await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)
                    for future in [future for future in self._running if future in done]:
                        self._settle(future)
                elif wait_s is None:
                    break
                elif math.isinf(wait_s):
                    await self.pacing.freed()
                else:
                    await self.carrier.wait(wait_s)
            self.stopped = self.stopped or ("decided" if self.decided_after_pkts is not None else "nothing left")
        except asyncio.CancelledError:
            self.stopped = "interrupted"
            raise
        finally:
            self._close()

    def _launch(self) -> float | None:
        """Begin every step that may begin now; else seconds until the next may, None if none is left."""
        while True:
            open_ = [lane for lane in self.lanes if self._ready(lane)]
            if not self.order.fixed:
                open_ = self._in_turn(open_)
            idle = [lane for lane in open_ if not lane.running]
            if not idle:
                return None
            waits = {id(lane): self._wait_s(lane, idle) for lane in idle}
            now = [lane for lane in idle if waits[id(lane)] == 0]
            if self.order.fixed:
                first = open_[0]
                now = [first] if first in now else []
                waits = {k: w for k, w in waits.items() if k == id(first)}
            if not now:
                return min(waits.values(), default=math.inf)
            self._begin(self._best(now))

    def _in_turn(self, lanes: list[Lane]) -> list[Lane]:
        """What was found is placed and profiled once nothing is left to find there, and only if something was found."""
        greeting = any(lane.greets for lane in lanes)  # what does not even answer a hello need not be timed
        lanes = [lane for lane in lanes if lane.running or lane.within_trial or not (greeting and lane.transfers)]
        first = [lane for lane in lanes if lane.running or lane.within_trial or not lane.follows_up]
        later = [lane for lane in lanes if lane not in first]
        if not first and not self.order.worth_following_up:
            for lane in later:
                while isinstance(step := lane.pending, Send) and lane.follows_up:
                    lane.answer(skipped(self._why(lane, step)))
            return [lane for lane in later if self._ready(lane)]
        places = {lane.place for lane in first}
        return [*first, *(lane for lane in later if self.order.worth_following_up and lane.place not in places)]

    def _ready(self, lane: Lane) -> bool:
        """Whether the lane has a step that is worth taking and affordable; others are answered with `skipped`."""
        while not lane.running:
            try:
                step = lane.pending
            except Exception as error:  # noqa: BLE001 - a plugin's fault must not cost the user the other techniques
                self.errors.append(lane.blame(error))
                lane.close()
            else:
                if step is None:
                    return False
                if isinstance(step, Wait):
                    return self._has_time(lane, step)
                if self._admits(lane, step):
                    return True
                lane.answer(skipped(self._why(lane, step)))
                continue
            return False
        return True

    def _has_time(self, lane: Lane, step: Wait) -> bool:
        """Whether the time is not up before the wait is over; a lane that has to wait longer has come to its end."""
        if self.carrier.now_ns() + int(step.seconds * 1e9) <= self._until_ns:
            return True
        self.stopped = "budget"
        lane.close()
        return False

    def _admits(self, lane: Lane, step: Send) -> bool:
        if self._until_ns <= self.carrier.now_ns() or self.purse.fitting(step.message) is None:
            self.stopped = "budget"
            return False
        wait_s = self.pacing.wait_s(step)
        if not math.isinf(wait_s) and self.carrier.now_ns() + int(wait_s * 1e9) > self._until_ns:
            self.stopped = "budget"
            return False
        return lane.within_trial or self.order.worth(lane.technique, step)

    def _why(self, lane: Lane, step: Send) -> str:
        return "decided" if self.order.convicted else f"{lane.technique}: {step.label} could not change the answer"

    def _wait_s(self, lane: Lane, lanes: Sequence[Lane]) -> float:
        """When a lane may go on; a trial that was begun keeps its address until it is through."""
        step = lane.pending
        if not isinstance(step, Send):
            return 0.0
        if not lane.within_trial and any(lane.place == other.held for other in lanes if other is not lane):
            return math.inf
        return self.pacing.wait_s(step)

    def _best(self, lanes: Sequence[Lane]) -> Lane:
        def rank(lane: Lane) -> tuple[bool, bool, float]:
            step = lane.pending
            if not isinstance(step, Send):
                return (True, True, 0.0)
            return (lane.within_trial, step.at_once, self.order.score(lane.technique, step, 0.0))

        return max(lanes, key=rank)

    def _begin(self, lane: Lane) -> None:
        step = lane.pending
        if isinstance(step, Send):
            message = self.purse.fitting(step.message) or step.message
            self.purse.reserve(message)
            self.pacing.enter(step)
            lane.begin(message)
            work: Any = self.carrier.perform(message, listen_s=step.listen_s)
        else:
            assert step is not None
            lane.begin(None)
            work = self.carrier.wait(step.seconds)
        self._running[asyncio.ensure_future(work)] = (lane, step, self.carrier.now_ns())

    def _settle(self, future: asyncio.Future[Any]) -> None:
        """Give a lane what came back, note it, and have it judged once a trial is through."""
        lane, step, from_ns = self._running.pop(future)
        if isinstance(step, Wait):
            future.result()
            lane.answer(None)
            return
        if isinstance(step, Judging):
            lane.running = False
            self._learn(step, future.result())
            return
        message = lane.sent or step.message
        try:
            replies = future.result() or Replies(outcome="failed", why="the carrier gave no replies")
        except Exception as error:  # noqa: BLE001 - a carrier's fault ends a step, not the run
            replies = Replies(outcome="failed", why=f"{type(error).__name__}: {error}")
        self.purse.settle(message, replies)
        self.pacing.leave(step, replies, self.residual_s)
        self.order.hear(step, replies)
        self._note(lane.technique, step, message, from_ns, replies)
        lane.tried.append((step, replies))
        lane.answer(replies)
        over = self._trial_over(lane)
        if over:  # meanwhile the other lanes go on
            lane.running = True
            judging = asyncio.ensure_future(self.analyst.now())
            self._running[judging] = (lane, Judging(over), self.carrier.now_ns())

    def _learn(self, judged: Judging, how_things_stand: Standing) -> None:
        self.order.learn(judged.trial, how_things_stand)
        packets, size_bytes = recorded(how_things_stand.recording, self._ends())
        self.purse.at_least(packets, size_bytes)
        if self.decided_after_pkts is None and self.order.convicted:
            self.decided_after_pkts = packets

    def _trial_over(self, lane: Lane) -> list[tuple[str, Send, Replies]]:
        """The triggers of the trial that the lane has just finished; empty while it goes on."""
        try:
            going_on = lane.within_trial
        except Exception as error:  # noqa: BLE001 - as in `_ready`
            self.errors.append(lane.blame(error))
            lane.close()
            going_on = False
        if going_on:
            return []
        tried, lane.tried = lane.tried, []
        return [(lane.technique, step, replies) for step, replies in tried if step.role != "control"]

    def _note(self, technique: str, step: Send, message: Message, from_ns: int, replies: Replies) -> None:
        self.steps.append(
            ScriptStep(
                number=0,
                target=self.target.name,
                technique=technique,
                label=step.label,
                role=step.role,
                seeks=step.seeks,
                trial=step.trial,
                kind=type(message).__name__,
                message=_plain(message),
                from_ns=from_ns,
                until_ns=self.carrier.now_ns(),
                listen_s=step.listen_s,
                local_port=replies.local_port,
                outcome=replies.outcome,
                why=replies.why,
            )
        )

    def _close(self) -> None:
        for future, (lane, step, from_ns) in self._running.items():
            future.cancel()
            if isinstance(step, Send):
                self.pacing.leave(step, None, self.residual_s)
                cut = Replies(outcome="failed", why="interrupted")
                self._note(lane.technique, step, lane.sent or step.message, from_ns, cut)
        self._running.clear()
        for lane in self.lanes:
            lane.close()

    def _ends(self) -> list[tuple[str, int | None]]:
        """Far ends of this target's steps, with the local port where the carrier tells it."""
        return [(str(s.message.get("resolver") or s.message["address"]), s.local_port) for s in self.steps]

    def told(self, at_last: Standing) -> ScriptTarget:
        """The target as the script has it."""
        t = self.target
        return ScriptTarget(
            name=t.name,
            addresses=t.addresses,
            port=t.port,
            secure=t.secure,
            path=t.path,
            controls=tuple((c.name, c.addresses) for c in t.controls),
            resolvers=t.resolvers,
            seed=t.seed,
            stopped=self.stopped,
            packets=recorded(at_last.recording, self._ends())[0],
            decided_after_pkts=self.decided_after_pkts,
        )


def _plain(message: Message) -> dict[str, Any]:
    """A message's fields as JSON has them."""
    fields = asdict(message)
    if isinstance(message, Crafted):
        fields["packets"] = [packet.hex() for packet in message.packets]
    return {k: v.hex() if isinstance(v, bytes) else v for k, v in fields.items()}


def _numbered(steps: Sequence[ScriptStep]) -> list[ScriptStep]:
    return [replace(step, number=number) for number, step in enumerate(steps, start=1)]
