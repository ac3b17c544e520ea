"""Who may speak when, and what it costs."""

from __future__ import annotations

import asyncio
import math

import pytest

from fingerprint.probing.budget import Budget, Purse, worst
from fingerprint.probing.pacing import Pacing, may_have_triggered
from fingerprint.steps import Crafted, Handshake, Hello, Query, Replies, Request, Send, Transfer

HELLO = Send(Hello(address="192.0.2.1", name="forum.test"), label="t")
CONTROL = Send(Hello(address="192.0.2.1", name="garden.test"), label="c", role="control")
AT_ONCE = Send(Hello(address="192.0.2.1", name="garden.test"), label="r", role="control", at_once=True)
UDP = Send(Query(resolver="192.0.2.1", name="forum.test"), label="q")
TCP = Send(Query(resolver="192.0.2.1", name="forum.test", over="tcp"), label="q")


@pytest.mark.parametrize(
    ("step", "replies", "triggered"),
    [
        (HELLO, Replies(outcome="reset"), True),
        (HELLO, Replies(outcome="silent"), True),
        (HELLO, Replies(outcome="answered"), False),
        (HELLO, Replies(outcome="alert"), False),
        (HELLO, Replies(outcome="failed"), False),
        (CONTROL, Replies(outcome="reset"), False),
        (UDP, Replies(outcome="silent"), False),
        (TCP, Replies(outcome="reset"), True),
        (Send(Crafted(packets=(), address="192.0.2.1"), label="x"), Replies(outcome="answered"), True),
    ],
)
def test_what_may_leave_a_block_behind(step, replies, triggered):
    assert may_have_triggered(step, replies) is triggered


def test_a_trigger_that_a_router_returned_has_met_no_box():
    limited = Send(Hello(address="192.0.2.1", name="forum.test", ttl_hops=3), label="t")
    assert not may_have_triggered(limited, Replies(outcome="silent", answers=("62.115.3.1",)))
    assert may_have_triggered(limited, Replies(outcome="silent"))
    assert may_have_triggered(limited, Replies(outcome="reset", answers=("62.115.3.1",)))


def test_an_address_rests_for_the_window_and_no_longer():
    now = [0]
    pacing = Pacing(lambda: now[0])
    pacing.enter(HELLO)
    assert pacing.wait_s(CONTROL) == math.inf
    assert pacing.wait_s(UDP) == 0, "queries are no concern of connections"
    pacing.leave(HELLO, Replies(outcome="reset"), 180.0)
    assert pacing.wait_s(CONTROL) == 180.0
    assert pacing.wait_s(AT_ONCE) == 0
    now[0] = 179 * 10**9
    assert pacing.wait_s(HELLO) == 1.0
    now[0] = 180 * 10**9
    assert pacing.wait_s(HELLO) == 0


def test_an_interrupted_trigger_counts_as_one():
    pacing = Pacing(lambda: 0)
    pacing.enter(CONTROL)
    pacing.leave(CONTROL, None, 60.0)
    assert pacing.wait_s(CONTROL) == 60.0


async def test_who_waits_for_an_address_is_told():
    pacing = Pacing(lambda: 0)
    pacing.enter(HELLO)
    waiting = asyncio.ensure_future(pacing.freed())
    await asyncio.sleep(0)
    assert not waiting.done()
    pacing.leave(HELLO, Replies(outcome="answered"), 60.0)
    await waiting
    assert pacing.wait_s(HELLO) == 0


@pytest.mark.parametrize(
    "message",
    [
        UDP.message, TCP.message, HELLO.message, Handshake(address="192.0.2.1"), Request(address="192.0.2.1"),
        Transfer(address="192.0.2.1"), Crafted(packets=(b"x" * 60,), address="192.0.2.1"),
    ],
)  # fmt: skip
def test_every_message_costs_something(message):
    packets, size_bytes = worst(message)
    assert packets >= 1
    assert size_bytes >= 60


def test_a_transfer_is_cut_to_what_is_left():
    purse = Purse(Budget(size_bytes=500_000))
    asked = Transfer(address="192.0.2.1", size_bytes=5_000_000)
    given = purse.fitting(asked)
    assert isinstance(given, Transfer)
    assert 60_000 <= given.size_bytes < 500_000
    assert worst(given)[1] <= 500_000
    assert Purse(Budget(size_bytes=50_000)).fitting(asked) is None


def test_what_was_not_moved_is_given_back_but_never_more():
    purse = Purse(Budget())
    asked = Transfer(address="192.0.2.1", size_bytes=1_000_000)
    purse.reserve(asked)
    whole = purse.size_bytes
    purse.settle(asked, Replies(outcome="slow", received_bytes=50_000))
    assert 50_000 < purse.size_bytes < whole / 5
    purse.reserve(asked)
    before = purse.size_bytes
    purse.settle(asked, Replies(outcome="answered", received_bytes=2_000_000))
    assert purse.size_bytes == before


def test_an_upload_of_which_nobody_knows_what_was_lost_is_paid_in_full():
    purse = Purse(Budget())
    asked = Transfer(address="192.0.2.1", size_bytes=1_000_000, upload=True)
    purse.reserve(asked)
    whole = purse.size_bytes
    purse.settle(asked, Replies(outcome="slow", sent_bytes=50_000))
    assert purse.size_bytes == whole


def test_what_was_recorded_is_spent():
    purse = Purse(Budget(size_bytes=100_000))
    purse.at_least(10, 95_000)
    assert purse.fitting(HELLO.message) is None
