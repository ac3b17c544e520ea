"""``fingerprint probe`` between its options and its exit code."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from captures.errors import FingerprintError, TargetError
from fingerprint import __version__, exits
from fingerprint.live import consent, privileges, rig, runs
from fingerprint.live.asking import Wish
from fingerprint.live.recorder import Recorder
from fingerprint.live.resolving import resolve_apart, system_resolvers, without_asking
from fingerprint.live.runs import RunFiles
from fingerprint.plugins.registry import Registry
from fingerprint.probing import engine, hellos
from fingerprint.probing.plan import Plan
from fingerprint.script import Script, ScriptTarget
from fingerprint.terminal import clean, complain
from fingerprint.vantages.given import NOTHING
from fingerprint.vantages.vantage import Vantage

INTERRUPTED = "interrupted"
# A signal that ends the run in good order: from the keyboard, from a service manager, from a closed terminal.
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """A run that has ended. ``partial`` says why before its time, None if it did not."""

    capture: Path
    partial: str | None
    broken: bool = False  # a technique stopped probing, or was not loaded

    @property
    def code(self) -> int:
        """The exit code of the recording alone."""
        if self.partial is None:
            return exits.PARTIAL if self.broken else exits.ANSWERED
        return exits.INTERRUPTED if self.partial == INTERRUPTED else exits.PARTIAL


def dry(wish: Wish, registry: Registry) -> int:
    """List every step, send nothing."""
    plan = foreseen_plan(wish)
    consent.dry_run(plan, consent.foreseen(plan, registry.techniques))
    return exits.PARTIAL if tell_broken(registry) else exits.ANSWERED


def tell_broken(registry: Registry) -> bool:
    """Name the plugins that were not loaded, if there are any."""
    for failure in registry.failures:
        complain(f"{failure.file}: {failure.error}")
    return bool(registry.failures)


def foreseen_plan(wish: Wish) -> Plan:
    """The plan as far as it is known without a packet."""
    addresses = {name: without_asking(name) or (consent.UNKNOWN.format(name=name),) for name in wish.names}
    return wish.plan(addresses, wish.resolvers or system_resolvers(), "none")


def probed(
    wish: Wish,
    registry: Registry,
    *,
    capture: Path | None,
    yes: bool,
    plugins: Sequence[Path] = (),
    vantage: Vantage = NOTHING,
) -> Done:
    """Ask, resolve, open, drop, probe, and close. Raises FingerprintError for what stops it before the first packet."""
    path = capture or runs.default_path(wish.targets[0].name)
    runs.check_free(path, vantage)
    foreseen, steps = foreseen_steps(wish, registry)
    consent.ask(foreseen, steps, yes=yes, sensitive=wish.sensitive)
    return recorded(wish, registry, path, plugins, vantage)


def foreseen_steps(wish: Wish, registry: Registry) -> tuple[Plan, tuple[consent.Foreseen, ...]]:
    """The plan and its steps, as far as they are known without a packet. Raises TargetError if none is sent."""
    foreseen = foreseen_plan(wish)
    steps = consent.foreseen(foreseen, registry.techniques)
    if not steps:
        raise TargetError("none of these techniques sends anything; leave --technique out, or choose another")
    return foreseen, steps


def recorded(
    wish: Wish, registry: Registry, path: Path, plugins: Sequence[Path] = (), vantage: Vantage = NOTHING
) -> Done:
    """What was agreed to: resolve, open, drop, probe, and close. This process has no privileges any more afterwards.

    Raises FingerprintError for what stops it before the first packet.
    """
    account = privileges.chosen(rig.must_reach(path, plugins))
    plan, addresses, interfaces = resolved(wish, account)
    files = runs.create(path, vantage)
    try:
        files.note(unfinished(plan))
        means = rig.set_up(
            files=files,
            account=account,
            addresses=addresses,
            interfaces=interfaces,
            interface=wish.interface,
            seed=wish.seed,
            capture_all=wish.capture_all,
        )
    except BaseException:
        files.close()
        with contextlib.suppress(FingerprintError, OSError):  # what stopped the run is told, not this
            runs.forget(path)
        raise
    for note in means.notes:
        complain(note)
    try:
        return asyncio.run(perform(replace(plan, recorder=means.recorder.kind), means, registry, files))
    finally:
        means.close()
        files.close()


def resolved(wish: Wish, account: privileges.Account) -> tuple[Plan, tuple[str, ...], tuple[str, ...]]:
    """The plan with real addresses, every address it has to do with, and the interfaces that lead there.

    Raises FingerprintError if nothing is left that could be probed.
    """
    found = resolve_apart(wish.names, account, wish.resolvers)
    for one in found.values():
        complain(one.why_not) if one.why_not else tell(f"{one.name}: {', '.join(one.addresses)}")
    resolvers = wish.resolvers or system_resolvers()
    if not resolvers:
        complain("this machine names no resolver in /etc/resolv.conf; give one with --resolver to have DNS probed")
    wanted = (*(address for one in found.values() for address in one.addresses), *resolvers)
    interfaces, left, sentences = rig.usable(wanted, wish.interface)
    for sentence in sentences:
        complain(sentence)
    if not left or not interfaces:
        why = (
            "no address of it can be reached, and no resolver"
            if wanted
            else "it has no address, and there is no resolver"
        )
        raise FingerprintError(f"{wish.targets[0].name} cannot be probed: {why}; check the network (ip route)")
    addresses: Mapping[str, Sequence[str]] = {
        name: tuple(address for address in one.addresses if address in left) for name, one in found.items()
    }
    plan = wish.plan(addresses, tuple(r for r in resolvers if r in left), "af-packet")
    return plan, left, interfaces


def unfinished(plan: Plan) -> Script:
    """The script of a run that has not begun; it stands if nobody can write another."""
    return Script(
        tool=f"censorship-fingerprint {__version__}",
        seed=plan.seed,
        order=plan.order,
        hello=hellos.library(),
        recorder=plan.recorder,
        capture_all=plan.capture_all,
        residual_s=plan.residual_s,
        began_ns=0,
        ended_ns=0,
        targets=tuple(
            ScriptTarget(
                name=t.name,
                addresses=t.addresses,
                port=t.port,
                secure=t.secure,
                path=t.path,
                controls=tuple((c.name, c.addresses) for c in t.controls),
                resolvers=t.resolvers,
                seed=t.seed,
            )
            for t in plan.targets
        ),
        steps=(),
        partial=runs.CUT_SHORT,
    )


async def perform(plan: Plan, means: rig.Rig, registry: Registry, files: RunFiles) -> Done:
    """Let the engine probe until it is done or something stops it, and write its script."""
    means.wire.begin()
    stopper = Stopper(asyncio.ensure_future(engine.probe(plan, means.wire, registry)))
    loop = asyncio.get_running_loop()
    for number in SIGNALS:
        if not stays_ignored(number):
            loop.add_signal_handler(number, stopper.stop, INTERRUPTED)
    means.recorder.on_trouble = stopper.stop
    if means.recorder.trouble:
        stopper.stop(means.recorder.trouble)
    script = await stopper.task
    partial = stopper.why or script.partial
    trouble = files.note(replace(script, partial=partial))
    say(means.recorder, script, partial, trouble)
    broken = bool(script.errors or registry.failures)
    return Done(capture=files.capture, partial=trouble or partial, broken=broken)


def stays_ignored(number: int) -> bool:
    """Whether somebody (nohup) has said that a closed terminal is to end nothing."""
    return number == signal.SIGHUP and signal.getsignal(number) is signal.SIG_IGN


class Stopper:
    """Stops the engine once, and remembers why."""

    def __init__(self, task: asyncio.Future[Script]) -> None:
        """The engine's own task; it returns its script when it is cancelled."""
        self.task = task
        self.why: str | None = None

    def stop(self, why: str) -> None:
        """A second signal does not hurry it: closing the run takes a moment only."""
        if self.why is None:
            self.why = why
            self.task.cancel()


def say(recorder: Recorder, script: Script, partial: str | None, trouble: str) -> None:
    """What a person should know about the run, on standard error."""
    for error in script.errors:
        complain(error)
    for step_s in recorder.clock_steps_s:
        complain(
            f"the clock was set by {step_s:+.3f} s during the run; the recording goes on by the clock it began with"
        )
    if recorder.sums.dropped:
        complain(f"{recorder.sums.dropped} packets were lost by the recorder; the analysis will take that into account")
    if partial:
        complain(f"the run was cut short: {partial}")
    if trouble:
        complain(trouble)


def tell(sentence: str) -> None:
    """One line for people, on standard error."""
    sys.stderr.write(clean(sentence) + "\n")
