"""A scenario brings its own names, addresses and time; presets keep theirs."""

from __future__ import annotations

import asyncio

import captures
from fingerprint.lab.simulated.ailing import UNAVAILABLE
from fingerprint.lab.simulated.carrier import SimulatedCarrier
from fingerprint.lab.world import EPOCH_NS, NAMES, RESOLVER, WORLD, World
from fingerprint.steps import Hello, Query, Request

ITS = World(
    client=("81.18.24.10",),
    resolver=("81.18.25.53",),
    names={"harbour.test": ("45.84.16.10",), "ferry.test": ("45.85.16.10",)},
    down=frozenset({"45.85.16.10"}),
    begins_ns=EPOCH_NS - 3600 * 10**9,
)


def performed(world, message, folder):
    carrier = SimulatedCarrier("none", folder=folder, world=world)

    async def go():
        replies = await carrier.perform(message, listen_s=3.0)
        return replies, await carrier.flush()

    return asyncio.run(go())


def test_its_resolver_knows_its_names_and_nobody_elses(tmp_path):
    asked = Query(resolver=ITS.resolver[0], name="harbour.test", rtype="A")
    assert performed(ITS, asked, tmp_path)[0].answers == ("45.84.16.10",)
    asked = Query(resolver=ITS.resolver[0], name="forum.test", rtype="A")
    assert performed(ITS, asked, tmp_path)[0].answers == ()


def test_its_recordings_bear_its_time_and_its_client(tmp_path):
    _, file = performed(ITS, Hello(address="45.84.16.10", name="harbour.test"), tmp_path)
    first = captures.read(file).packet(0)
    assert first.time_ns == ITS.begins_ns
    assert captures.read(file).flows.address_a[0].tobytes()[:4] == bytes((81, 18, 24, 10))


def test_a_server_works_until_it_is_down(tmp_path):
    assert performed(ITS, Hello(address="45.84.16.10", name="harbour.test"), tmp_path)[0].outcome == "answered"
    assert performed(ITS, Hello(address="45.85.16.10", name="ferry.test"), tmp_path)[0].outcome == "alert"


def test_a_plain_request_to_one_that_is_down_is_answered_with_an_error(tmp_path):
    replies, _ = performed(ITS, Request(address="45.85.16.10", host="ferry.test"), tmp_path)
    assert replies.outcome == "answered"
    assert replies.received_bytes == len(UNAVAILABLE)


def test_what_every_preset_shares_is_as_it_was(tmp_path):
    assert (WORLD.names, WORLD.resolver, WORLD.begins_ns) == (NAMES, RESOLVER, EPOCH_NS)
    asked = Query(resolver=RESOLVER[0], name="forum.test", rtype="A")
    assert performed(WORLD, asked, tmp_path)[0].answers == (NAMES["forum.test"][0],)
