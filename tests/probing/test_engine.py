"""The engine on a simulated path and with carriers that misbehave."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from statistics import median

import pytest

import captures
from fingerprint import script as scripts
from fingerprint.lab import world
from fingerprint.probing import engine
from fingerprint.probing.budget import Budget
from fingerprint.probing.pacing import BLOCKS
from fingerprint.steps import Handshake, Hello, Query, Replies, Send, Target, Transfer, Wait
from fingerprint.technique import Technique
from tests.probing.worlds import RESIDUAL_S, TARGET, Chosen, Scripted, plan, probed

PRESETS = ("none", "gfw-rst-i", "sni-drop", "tspu-sni-1", "gfw-dns-1", "freeze-16k")


def target_steps(script):
    return [s for s in script.steps if s.role == "target" and s.kind == "Hello" and s.seeks == "mechanism"]


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("order", ["adaptive", "fixed"])
async def test_every_trigger_has_its_control_before_it_on_the_same_address(preset, order, tmp_path):
    script, _ = await probed(preset, tmp_path, plan(order=order))
    steps = [s for s in script.steps if s.kind in ("Hello", "Transfer") and not s.message.get("ttl_hops")]
    triggers = [s for s in steps if s.role == "target" and s.seeks in ("mechanism", "profile")]
    triggers = [s for s in triggers if s.message.get("form") != "named-by-server" and not s.message.get("decoy")]
    assert triggers
    for trigger in triggers:
        before = [
            s for s in steps
            if (s.technique, s.trial, s.role) == (trigger.technique, trigger.trial, "control")
            and s.from_ns <= trigger.from_ns and s.message["address"] == trigger.message["address"]
        ]  # fmt: skip
        assert before, trigger.label


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("order", ["adaptive", "fixed"])
async def test_an_address_rests_after_a_trigger_that_failed(preset, order, tmp_path):
    script, _ = await probed(preset, tmp_path, plan(order=order))
    steps = [s for s in script.steps if s.kind != "Query" or s.message["over"] != "udp"]
    for trigger in (s for s in steps if s.role == "target" and s.outcome in BLOCKS and not s.message.get("ttl_hops")):
        where = trigger.message.get("address")
        rests = range(trigger.until_ns, trigger.until_ns + int(RESIDUAL_S * 1e9) - 1)
        disturbing = [s for s in steps if s.message.get("address") == where and s.from_ns in rests and s is not trigger]
        assert all(s.label.startswith("innocent repeat") for s in disturbing), (trigger.label, disturbing)


async def test_an_innocent_repeat_comes_at_once(tmp_path):
    script, _ = await probed("gfw-rst-i", tmp_path)
    repeats = [s for s in script.steps if s.label.startswith("innocent repeat") and s.technique == "sni-filtering"]
    assert [s.outcome for s in repeats] == ["reset"], "the whole pair is blocked for a while"
    trigger = next(s for s in target_steps(script) if s.outcome == "reset")
    assert (repeats[0].from_ns - trigger.until_ns) / 1e9 < 0.1


async def test_the_same_seed_takes_the_same_steps(tmp_path):
    runs = []
    for number, seed in enumerate((1, 1, 2)):
        folder = tmp_path / str(number)
        folder.mkdir()
        asked = plan(replace(TARGET, seed=seed, resolvers=(*world.RESOLVER, *world.PUBLIC_RESOLVER)), seed=seed)
        script, _ = await probed("gfw-rst-i", folder, asked)
        runs.append([(s.from_ns, s.technique, s.label, s.outcome) for s in script.steps])
    assert runs[0] == runs[1]
    assert {s[2] for s in runs[0]} != {s[2] for s in runs[2]}, "another seed draws another name that never was"


@pytest.mark.parametrize("size_bytes", [100_000, 400_000, 1_500_000])
async def test_no_more_bytes_are_recorded_than_the_budget_allows(size_bytes, tmp_path):
    script, carrier = await probed("russia-2021", tmp_path, plan(budget=Budget(size_bytes=size_bytes), order="fixed"))
    recorded = captures.read(await carrier.flush()).columns.wire_bytes.sum()
    assert 0 < recorded <= size_bytes
    assert script.targets[0].stopped == "budget"


async def test_no_more_packets_are_recorded_than_the_budget_allows(tmp_path):
    for packets in (100, 400):
        _, carrier = await probed("sni-drop", tmp_path, plan(budget=Budget(packets=packets), order="fixed"))
        assert 0 < len(captures.read(await carrier.flush()).columns) <= packets


async def test_no_step_begins_after_the_time_is_up(tmp_path):
    script, _ = await probed("sni-drop", tmp_path, plan(budget=Budget(seconds=7.0)))
    assert script.targets[0].stopped == "budget"
    assert max(s.from_ns for s in script.steps) < script.began_ns + 7e9


async def test_the_adaptive_order_takes_fewer_packets_than_a_fixed_one(tmp_path):
    took, sent = {}, {}
    names = (
        "gfw-rst-i",
        "henan",
        "turkmenistan-rst",
        "sni-drop",
        "sni-fin",
        "sni-alert",
        "gfw-dns-1",
        "turkey-throttling",
    )
    for order in ("adaptive", "fixed"):
        decided, steps = [], []
        for name in names:
            folder = tmp_path / f"{order}-{name}"
            folder.mkdir()
            script, _ = await probed(name, folder, plan(order=order))
            decided.append(script.targets[0].decided_after_pkts)
            steps.append(len(script.steps))
        assert all(decided), (order, dict(zip(names, decided, strict=True)))
        took[order], sent[order] = median(decided), sum(steps)
    assert took["adaptive"] < took["fixed"] / 2, took
    assert sent["adaptive"] < sent["fixed"] * 0.9, sent


async def test_nothing_is_looked_for_longer_than_it_takes_where_nothing_is_wrong(tmp_path):
    script, _ = await probed("none", tmp_path)
    assert not [s for s in script.steps if s.seeks != "mechanism"], "there is nothing to place"
    assert len(target_steps(script)) <= 5, "two names, a certificate, two veils"
    assert script.targets[0].packets > 0


async def test_the_script_can_be_written_and_read_again(tmp_path):
    script, carrier = await probed("gfw-dns-1", tmp_path)
    path = scripts.path_of(await carrier.flush())
    scripts.write(script, path)
    assert scripts.read(path) == script
    assert [s.number for s in script.steps] == list(range(1, len(script.steps) + 1))
    assert [s.from_ns for s in script.steps] == sorted(s.from_ns for s in script.steps)
    assert {s.outcome for s in script.steps} & {"skipped"} == set(), "what was not sent is not listed"


# Plugins and carriers that fail


def hello(name, **how):
    return Send(Hello(address="192.0.2.1", name=name), label=name, **how)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quiet(Technique):
    def analyse(self, capture):
        yield from ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Steady(Quiet):
    """Sends to addresses of its own, and notes when it is closed."""

    address: str = "192.0.2.9"
    closed: list[str]
    count: int = 3

    def probe(self, target: Target):
        try:
            for number in range(self.count):
                yield Send(Handshake(address=self.address), label=f"steady {number}")
        finally:
            self.closed.append(target.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken(Quiet):
    how: str = "raises"

    def probe(self, _target: Target):
        if self.how == "at once":
            raise ZeroDivisionError("no step at all")
        return self.steps()

    def steps(self):
        yield hello("first")
        if self.how == "nonsense":
            yield 5
        raise KeyError("second")


@pytest.mark.parametrize("how", ["raises", "at once", "nonsense"])
async def test_a_plugin_that_fails_is_named_and_stops_nobody_else(how, tmp_path):
    techniques = Chosen(broken=Broken(how=how), steady=Steady(closed=[]))
    script = await engine.probe(plan(), Scripted(tmp_path), techniques)
    assert len(script.errors) == 1
    expected = {"raises": "KeyError", "at once": "no step at all", "nonsense": "5 is no step"}[how]
    assert expected in script.errors[0]
    assert "broken" in script.errors[0]
    assert ".py:" in script.errors[0]
    assert sum(s.technique == "steady" for s in script.steps) == 3


async def test_generators_are_closed_when_the_budget_ends(tmp_path):
    closed = []
    techniques = Chosen(steady=Steady(closed=closed, count=10**6))
    script = await engine.probe(plan(budget=Budget(packets=100)), Scripted(tmp_path), techniques)
    assert closed == [TARGET.name]
    assert len(script.steps) <= 100 // 16
    assert script.targets[0].stopped == "budget"


async def test_a_carrier_that_fails_ends_a_step_and_not_the_run(tmp_path):
    def answer(message):
        if message.address.endswith(".8"):
            raise OSError("the interface is gone")
        return Replies(outcome="answered")

    techniques = Chosen(one=Steady(closed=[], address="192.0.2.8"), two=Steady(closed=[]))
    script = await engine.probe(plan(), Scripted(tmp_path, answer), techniques)
    assert {s.outcome for s in script.steps if s.technique == "one"} == {"failed"}
    assert "the interface is gone" in script.steps[0].why + script.steps[1].why
    assert {s.outcome for s in script.steps if s.technique == "two"} == {"answered"}


async def test_a_run_that_is_interrupted_returns_its_script(tmp_path):
    closed = []
    carrier = Scripted(tmp_path)

    async def forever(_message, *, listen_s):
        await asyncio.Event().wait()

    techniques = Chosen(steady=Steady(closed=closed))
    first = carrier.perform
    calls, second = [], asyncio.Event()

    async def perform(message, *, listen_s):
        calls.append(message)
        if len(calls) == 2:
            second.set()
        return await (first if len(calls) == 1 else forever)(message, listen_s=listen_s)

    carrier.perform = perform
    running = asyncio.ensure_future(engine.probe(plan(), carrier, techniques))
    await second.wait()
    running.cancel()
    script = await running
    assert script.partial == "interrupted"
    assert [s.outcome for s in script.steps] == ["answered", "failed"]
    assert script.steps[1].why == "interrupted"
    assert script.targets[0].stopped == "interrupted"
    assert closed == [TARGET.name]


async def test_targets_on_one_address_take_turns_and_others_go_side_by_side(tmp_path):
    @dataclass(frozen=True, slots=True, kw_only=True)
    class Both(Quiet):
        def probe(self, target: Target):
            for address in (*target.addresses, "192.0.2.200"):
                for role in ("control", "target"):
                    yield Send(Hello(address=address, name=role), label=role, role=role, trial=1)

    targets = [replace(TARGET, name=f"{n}.test", addresses=(f"192.0.2.{n}",)) for n in (1, 2, 3)]
    carrier = Scripted(tmp_path)  # asserts that no address is used by two at once
    script = await engine.probe(plan(*targets), carrier, Chosen(both=Both()))
    assert len(script.steps) == 12
    assert carrier.together >= 3


async def test_transfers_never_share_the_line(tmp_path):
    @dataclass(frozen=True, slots=True, kw_only=True)
    class Moves(Quiet):
        def probe(self, target: Target):
            yield Send(Transfer(address=target.addresses[0], size_bytes=100_000), label="move")

    under_way = []

    class Watched(Scripted):
        async def perform(self, message, *, listen_s):
            under_way.append(message)
            assert len(under_way) == 1
            replies = await super().perform(message, listen_s=listen_s)
            under_way.pop()
            return replies

    targets = [replace(TARGET, name=f"{n}.test", addresses=(f"192.0.2.{n}",)) for n in (1, 2, 3)]
    script = await engine.probe(plan(*targets), Watched(tmp_path), Chosen(moves=Moves()))
    assert len(script.steps) == 3


async def test_a_wait_delays_its_own_lane_alone(tmp_path):
    @dataclass(frozen=True, slots=True, kw_only=True)
    class Slow(Quiet):
        def probe(self, _target: Target):
            yield Wait(60.0)
            yield Send(Query(resolver="192.0.2.53", name="a.test"), label="later")

    script = await engine.probe(plan(), Scripted(tmp_path), Chosen(slow=Slow(), steady=Steady(closed=[], count=1)))
    at = {s.technique: (s.from_ns - script.began_ns) / 1e9 for s in script.steps}
    assert at["slow"] >= 60.0
    assert at["steady"] < 1.0


async def test_a_lane_that_asks_for_ever_is_closed(tmp_path):
    @dataclass(frozen=True, slots=True, kw_only=True)
    class Endless(Quiet):
        def probe(self, _target: Target):
            while True:
                yield hello("again", seeks="profile")

    script = await engine.probe(plan(), Scripted(tmp_path), Chosen(endless=Endless()))
    assert script.steps == ()


async def test_a_technique_that_reads_others_steps_has_them_sent(tmp_path):
    script, _ = await probed("none", tmp_path, plan(techniques=("dns-denial",)))
    assert {s.technique for s in script.steps} == {"dns-injection"}
