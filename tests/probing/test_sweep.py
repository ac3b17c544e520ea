"""Sweeps against boxes of which everything is known."""

from __future__ import annotations

from itertools import count

import pytest

from fingerprint.probing.sweep import Beam, armed_sweep, control_sweep, interfered, mirror_sweep, trigger_sweep
from fingerprint.steps import Decoy, Hello, Replies

FAR = "192.0.2.1"


def sweep(one):
    """The control's sweep and then the trigger's, as techniques compose them."""
    way = yield from control_sweep(one)
    return (yield from trigger_sweep(one, way))


def beam(full: str, hops: int = 30) -> Beam:
    return Beam(
        message=lambda name, ttl: Hello(address=FAR, name=name, ttl_hops=ttl),
        address=FAR, control="control.test", trigger="trigger.test", full=full, what="hello", hops=hops, rtt_s=0.05,
        trials=count(1),
    )  # fmt: skip


class Way:
    """``n`` hops to the far end, a box in front of router ``box``, routers that never answer."""

    def __init__(self, n: int, box: int | None, does: str, mute: frozenset[int] = frozenset()) -> None:
        self.n, self.box, self.does, self.mute = n, box, does, mute
        self.triggers: list[int] = []

    def reply(self, send) -> Replies:
        name, ttl = send.message.name, send.message.ttl_hops
        if name == "trigger.test":
            self.triggers.append(ttl)
            assert send.role == "target"
            if self.box is not None and ttl >= self.box:
                word = () if self.does == "silent" or ttl in self.mute or ttl >= self.n else (f"router {ttl}",)
                return Replies(outcome=self.does, answers=word if self.does != "drop" else ())
        if ttl >= self.n:
            return Replies(outcome="answered", took_s=0.05)
        return Replies(outcome="silent", answers=() if ttl in self.mute else (f"router {ttl}",))


def drive(steps, reply):
    """What the generator returns, and all that it sent."""
    sent, answer = [], None
    try:
        while True:
            sent.append(steps.send(answer))
            answer = reply(sent[-1])
    except StopIteration as end:
        return end.value, sent


@pytest.mark.parametrize("does", ["reset", "alert", "answered", "silent"])
@pytest.mark.parametrize("n", [2, 5, 13, 20])
def test_the_link_is_named_with_few_triggers(n, does):
    for box in range(1, n):
        way = Way(n, box, does)
        link, sent = drive(sweep(beam(does)), way.reply)
        assert link == (box - 1, box)
        assert len(way.triggers) <= n.bit_length() + 2
        roles = [s.role for s in sent]
        assert roles.index("target") >= roles.count("control"), "the whole control sweep comes first"
        assert all(s.seeks == "location" for s in sent)


@pytest.mark.parametrize("does", ["reset", "silent"])
def test_what_only_the_far_end_does_has_no_place_on_the_way(does):
    assert drive(sweep(beam(does)), Way(6, None, does).reply)[0] is None
    assert drive(sweep(beam(does)), Way(6, 6, does).reply)[0] is None


def test_a_dropper_is_placed_between_routers_that_answer():
    link, _ = drive(sweep(beam("silent")), Way(8, 4, "silent", mute=frozenset({3, 4, 5})).reply)
    assert link == (2, 6)


def test_a_resetter_is_placed_exactly_behind_silent_routers():
    assert drive(sweep(beam("reset")), Way(8, 4, "reset", mute=frozenset({3, 4, 5})).reply)[0] == (3, 4)


def test_one_lost_word_of_a_router_names_no_link():
    way, lost = Way(8, None, "silent"), []

    def reply(send):
        answer = way.reply(send)
        if send.role == "target" and not lost:
            lost.append(send)
            return Replies(outcome="silent")
        return answer

    assert drive(sweep(beam("silent")), reply)[0] is None


def test_a_silent_way_ends_the_control_sweep_early():
    way = Way(25, None, "silent", mute=frozenset(range(4, 25)))
    found, sent = drive(control_sweep(beam("reset")), way.reply)
    assert found.reach_hops is None
    assert found.bound_hops == 4
    assert len(sent) < 12


def test_an_injector_is_placed_even_if_nobody_answers_at_the_far_end():
    """Queries to an address that runs no resolver."""
    way = Way(5, 3, "answered")

    def reply(send):
        answer = way.reply(send)
        return Replies(outcome="silent") if send.role == "control" and send.message.ttl_hops >= 5 else answer

    assert drive(sweep(beam("answered")), reply)[0] == (2, 3)


def test_the_far_ends_own_refusal_ends_the_control_sweep():
    def reply(send):
        hops = send.message.ttl_hops
        return (
            Replies(outcome="unreachable", answers=(FAR,)) if hops >= 4 else Replies(outcome="silent", answers=("r",))
        )

    found, sent = drive(control_sweep(beam("answered")), reply)
    assert found.reach_hops == 4
    assert len(sent) == 4


@pytest.mark.parametrize("outcome", ["skipped", "failed"])
def test_nothing_is_named_without_a_sweep(outcome):
    link, sent = drive(sweep(beam("reset")), lambda _: Replies(outcome=outcome))
    assert link is None
    assert len(sent) == 1


@pytest.mark.parametrize("box", [1, 2, 3, 4])
def test_an_armed_sweep_finds_who_reads_the_decoy(box):
    def message(hops):
        return Hello(address=FAR, name="control.test", decoy=Decoy(name="trigger.test", ttl_hops=hops))

    def reply(send):
        assert send.message.name == "control.test"
        return Replies(outcome="reset" if send.message.decoy.ttl_hops >= box else "answered")

    steps = armed_sweep(message, lambda r: r.outcome == "reset", beam=beam("reset"), reach_hops=5, listen_s=1.0)
    assert drive(steps, reply)[0] == (box - 1, box)


def test_an_armed_sweep_without_raw_insertion_names_nothing():
    def message(hops):
        return Hello(address=FAR, name="control.test", decoy=Decoy(name="trigger.test", ttl_hops=hops))

    steps = armed_sweep(message, lambda r: not r.passed, beam=beam("reset"), reach_hops=5, listen_s=1.0)
    link, sent = drive(steps, lambda _: Replies(outcome="failed", why="no CAP_NET_RAW"))
    assert link is None
    assert len(sent) == 1


def test_a_copied_ttl_is_asked_for_beyond_the_far_end():
    way, _ = drive(control_sweep(beam("answered")), Way(5, None, "answered").reply)
    _, sent = drive(mirror_sweep(beam("answered"), way), lambda _: Replies(outcome="answered"))
    assert [s.message.ttl_hops for s in sent] == [9, 10, 11]


def test_what_a_limited_trigger_met():
    assert interfered(Replies(outcome="reset"), dropped=False)
    assert interfered(Replies(outcome="silent"), dropped=True)
    assert not interfered(Replies(outcome="silent", answers=("r",)), dropped=True)
    assert not interfered(Replies(outcome="silent"), dropped=False)
    assert interfered(Replies(outcome="skipped"), dropped=True) is None
    assert interfered(None, dropped=True) is None
