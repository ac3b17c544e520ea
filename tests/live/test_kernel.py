"""Steps on a live wire of two namespaces: each outcome, and what never leaks."""

from __future__ import annotations

import asyncio
import contextlib
import os
from pathlib import Path

import pytest

import captures
from fingerprint.live import bpf, insertion, packet_sockets, recorder
from fingerprint.live.clock import Clock
from fingerprint.live.ear import Ear
from fingerprint.live.guard import Guard
from fingerprint.live.kernel import Wire
from fingerprint.live.ports import PortRange, Ports, blocks, reserve
from fingerprint.live.recorder import Work
from fingerprint.steps import Crafted, Datagram, Decoy, Handshake, Hello, Payload, Query, Request, Transfer
from tests.live.far_end import CLOSES, DEAF, GREETS, GREETS_AND_RESETS, RESETS, SILENT, SLOW, far_end
from tests.live.wires import SERVER, SERVER6, inside, wire

NOBODY = "45.83.220.99"


@pytest.fixture(scope="module")
def cable():
    with wire(routed=True) as made:
        yield made


@pytest.fixture(scope="module")
def server(cable, tmp_path_factory):
    with far_end(cable, tmp_path_factory.mktemp("far")) as end:
        yield end


@contextlib.contextmanager
def on_the_wire(cable, folder, *, raw=False, guarded=False):
    """A carrier in the client's namespace; this thread stays there."""
    with inside(cable.client):
        ports = reserve()
        source = packet_sockets.open_on("eth0", bpf.of_run(ports.block))
        clock = Clock()
        file = os.open(folder / "run.pcapng", os.O_RDWR | os.O_CREAT)
        addresses = [SERVER, SERVER6, NOBODY, "203.0.113.1", "2001:db8::1"]
        inserter = None
        if raw:
            guard = Guard(ports.block.crafted, insertion.MARK) if guarded else None
            ear = Ear([packet_sockets.open_on("eth0", bpf.of_ear(ports.block))])
            inserter = insertion.Inserter(insertion.open_raw(), ear, guard)
            inserter.begin()
        work = Work(file=file, ports=ports.block, addresses=addresses, base_ns=clock.base_ns, sockets=[source])
        run = recorder.start(work)
        os.close(file)
        carrier = Wire(
            path=folder / "run.pcapng", ports=ports, recorder=run, clock=clock, addresses=addresses, inserter=inserter
        )
        try:
            yield carrier
        finally:
            carrier.close()
            run.stop()
            ports.close()


def packets(folder):
    read = captures.read(folder / "run.pcapng")
    assert not read.errors
    return [read.packet(row) for row in range(len(read.columns))]


def hello_bytes(packet):
    return packet.tcp and packet.payload[:1] == b"\x16" and packet.payload[5:6] == b"\x01"


async def test_a_datagram_is_said_again_until_something_comes_back(cable, server, tmp_path):
    query = bytes.fromhex("12340100000100000000000005666f72756d04746573740000010001")
    with on_the_wire(cable, tmp_path) as carrier:
        heard = await carrier.perform(Datagram(address=SERVER, port=53, payload=query, copies=3), listen_s=2)
        unheard = Datagram(address=SERVER, port=DEAF, payload=query, copies=3, gap_s=0.2)
        silence = await carrier.perform(unheard, listen_s=1)
        await carrier.flush()
    assert (heard.outcome, heard.heard[:2], heard.sent_bytes) == ("answered", b"\x12\x34", len(query))
    assert (silence.outcome, silence.sent_bytes) == ("silent", 3 * len(query))
    sent = [p.udp.destination_port for p in packets(tmp_path) if p.udp]
    assert (sent.count(53), sent.count(DEAF)) == (1, 3)


@pytest.mark.parametrize(
    ("port", "ttl_hops", "outcome"),
    [(GREETS, None, "answered"), (GREETS_AND_RESETS, None, "reset"), (GREETS, 1, "silent")],
    ids=["takes the words", "resets them", "never gets them"],
)
async def test_a_server_that_speaks_first_has_answered_once_it_took_what_it_was_told(
    cable, server, tmp_path, port, ttl_hops, outcome
):
    message = Payload(address=SERVER, port=port, payload=b"EHLO forum.test\r\n", ttl_hops=ttl_hops)
    with on_the_wire(cable, tmp_path) as carrier:
        replies = await carrier.perform(message, listen_s=1.5)
        ended_ns = carrier.now_ns()
        await carrier.wait(1)
        await carrier.flush()
    assert (replies.outcome, replies.heard) == (outcome, b"220 ready\r\n")
    sent = [p for p in packets(tmp_path) if p.tcp and p.tcp.source_port == replies.local_port]
    # It may still refuse what the server says to a connection that is no more; it says none of the words again.
    assert all(p.time_ns < ended_ns + 100_000_000 for p in sent if p.payload)
    assert len([p for p in sent if p.payload]) >= (3 if ttl_hops else 1)


async def test_a_port_that_refuses_is_not_listened_to_for_longer(cable, server, tmp_path):
    loop = asyncio.get_running_loop()
    with on_the_wire(cable, tmp_path) as carrier:
        began = loop.time()
        replies = await carrier.perform(Datagram(address=SERVER, port=7998, payload=b"x", copies=3), listen_s=4)
        assert loop.time() - began < 1
    assert (replies.outcome, replies.sent_bytes, replies.answers) == ("refused", 1, (SERVER,))


@pytest.mark.parametrize(("address", "router"), [(SERVER, "81.17.24.1"), (SERVER6, "2a0d:5600:24::1")])
async def test_a_limited_datagram_names_its_router_and_is_not_said_again(cable, server, tmp_path, address, router):
    message = Datagram(address=address, port=DEAF, payload=b"x" * 40, copies=3, gap_s=0.2, ttl_hops=1)
    with on_the_wire(cable, tmp_path) as carrier:
        replies = await carrier.perform(message, listen_s=1)
        await carrier.flush()
    assert (replies.outcome, replies.answers, replies.sent_bytes) == ("unreachable", (router,), 40)
    assert {p.ip.ttl_hops for p in packets(tmp_path) if p.udp} == {1}


@pytest.mark.parametrize("address", [SERVER, SERVER6])
async def test_a_page_over_tls_is_answered(cable, server, tmp_path, address):
    with on_the_wire(cable, tmp_path) as carrier:
        replies = await carrier.perform(Hello(address=address, name="forum.test"), listen_s=3)
        await carrier.flush()
    assert replies.outcome == "answered"
    assert replies.took_s is not None
    assert any(hello_bytes(p) for p in packets(tmp_path))


@pytest.mark.parametrize(
    ("message", "outcome"),
    [
        (Request(address=SERVER, host="forum.test"), "answered"),
        (Request(address=SERVER6, host="forum.test"), "answered"),
        (Hello(address=SERVER, port=SILENT, name="forum.test"), "silent"),
        (Hello(address=SERVER, port=RESETS, name="forum.test"), "reset"),
        (Hello(address=SERVER, port=CLOSES, name="forum.test"), "closed"),
        (Hello(address=SERVER, port=7999, name="forum.test"), "refused"),
        (Hello(address=SERVER6, port=7999, name="forum.test"), "refused"),
        (Handshake(address=SERVER, port=SILENT), "answered"),
        (Handshake(address=SERVER, port=7999), "refused"),
        (Handshake(address=SERVER, port=443, ttl_hops=1), "unreachable"),
        (Handshake(address="203.0.113.1"), "unanswered"),
        (Payload(address=SERVER, port=SILENT, payload=b"\x00" * 64), "taken"),
        (Payload(address=SERVER6, port=RESETS, payload=b"\x00" * 64), "reset"),
        (Payload(address=SERVER, port=SILENT, payload=b"\x00" * 64, ttl_hops=1), "silent"),
        (Payload(address=SERVER, port=CLOSES, payload=b"\x00" * 64), "closed"),
        (Payload(address=SERVER, port=7999, payload=b"\x00" * 64), "refused"),
        (Payload(address=SERVER, port=SILENT, payload=b""), "silent"),
        (Datagram(address=SERVER, port=7998, payload=b"\x00" * 64, copies=3), "refused"),
        (Datagram(address=SERVER6, port=7998, payload=b"\x00" * 64), "refused"),
        (Datagram(address="203.0.113.1", port=443, payload=b"\x00" * 64, copies=3, gap_s=0.2), "unreachable"),
        (Datagram(address=SERVER, port=7998, payload=b"\x00" * 64, ttl_hops=1), "unreachable"),
        (Query(resolver=SERVER, name="forum.test"), "answered"),
        (Query(resolver=SERVER6, name="forum.test", rtype="AAAA"), "answered"),
        (Query(resolver=SERVER, name="forum.test", port=7998), "refused"),
        (Query(resolver=SERVER, name="forum.test", over="tcp", port=7998), "refused"),
        (Query(resolver=SERVER, name="forum.test", ttl_hops=1), "unreachable"),
        (Transfer(address=SERVER, port=80, secure=False, path="/300000", size_bytes=300_000), "answered"),
        (Transfer(address=SERVER, port=443, name="forum.test", path="/300000", size_bytes=300_000), "answered"),
        (Transfer(address=SERVER, port=SLOW, secure=False, seconds=1.0), "slow"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
async def test_what_comes_back_is_named(cable, server, tmp_path, message, outcome):
    with on_the_wire(cable, tmp_path) as carrier:
        replies = await carrier.perform(message, listen_s=1.0)
    assert replies.outcome == outcome, replies
    assert replies.local_port is not None


async def test_a_transfer_tells_how_much_and_how_long(cable, server, tmp_path):
    with on_the_wire(cable, tmp_path) as carrier:
        message = Transfer(address=SERVER, port=80, secure=False, path="/300000", size_bytes=300_000)
        replies = await carrier.perform(message, listen_s=2)
    assert replies.received_bytes > 300_000
    assert replies.span_s > 0


async def test_of_a_race_both_answers_are_heard(cable, server, tmp_path):
    with on_the_wire(cable, tmp_path) as carrier:
        replies = await carrier.perform(Query(resolver=SERVER, name="forum.test"), listen_s=1.0)
    assert replies.answers == ("10.10.34.34", "45.83.220.10")


async def test_a_sweep_over_udp_hears_its_routers_without_any_privilege(cable, server, tmp_path):
    with on_the_wire(cable, tmp_path) as carrier:
        replies = await carrier.perform(Query(resolver=SERVER, name="forum.test", ttl_hops=1), listen_s=0.5)
        six = await carrier.perform(Query(resolver=SERVER6, name="forum.test", ttl_hops=1), listen_s=0.5)
    assert replies.answers == ("81.17.24.1",)
    assert six.answers == ("2a0d:5600:24::1",)


@pytest.mark.parametrize("address", [SERVER, SERVER6])
async def test_a_limited_hello_never_leaks_at_full_range(cable, server, tmp_path, address):
    with on_the_wire(cable, tmp_path) as carrier:
        replies = await carrier.perform(Hello(address=address, name="forum.test", ttl_hops=1), listen_s=1.5)
        await carrier.wait(0.5)
        await carrier.flush()
    assert replies.outcome == "silent"
    sent = [p for p in packets(tmp_path) if p.tcp and p.tcp.source_port == replies.local_port and p.payload]
    # The kernel repeated it, and no repeat went farther.
    assert len(sent) >= 2
    assert {p.ip.ttl_hops for p in sent} == {1}
    opening = [p for p in packets(tmp_path) if p.tcp and p.tcp.source_port == replies.local_port and not p.payload]
    assert opening[0].ip.ttl_hops == 64
    # The last is the end of the connection, and even that goes no farther.
    assert opening[-1].ip.ttl_hops == 1
    assert opening[-1].tcp.flags & 4


async def test_no_retransmission_follows_a_silent_step(cable, server, tmp_path):
    with on_the_wire(cable, tmp_path) as carrier:
        replies = await carrier.perform(Hello(address=SERVER, port=SILENT, name="forum.test"), listen_s=0.3)
        ended_ns = carrier.now_ns()
        await carrier.wait(1.5)
        await carrier.flush()
    sent = [p for p in packets(tmp_path) if p.tcp and p.tcp.source_port == replies.local_port]
    assert all(p.time_ns < ended_ns + 100_000_000 for p in sent)


async def test_every_step_takes_a_fresh_port(cable, server, tmp_path):
    with on_the_wire(cable, tmp_path) as carrier:
        used = [(await carrier.perform(Handshake(address=SERVER), listen_s=1)).local_port for _ in range(5)]
    assert len(set(used)) == 5


async def test_steps_run_side_by_side(cable, server, tmp_path):
    loop = asyncio.get_running_loop()
    with on_the_wire(cable, tmp_path) as carrier:
        began = loop.time()
        message = Hello(address=SERVER, port=SILENT, name="forum.test")
        await asyncio.gather(*(carrier.perform(message, listen_s=1) for _ in range(20)))
        assert loop.time() - began < 3


async def test_a_host_that_was_not_named_gets_no_packet(cable, server, tmp_path):
    with on_the_wire(cable, tmp_path) as carrier:
        replies = await carrier.perform(Hello(address="45.83.220.77", name="forum.test"), listen_s=1)
    assert replies.outcome == "failed"
    assert "no host of this run" in replies.why


async def test_no_route_is_unreachable(cable, server, tmp_path):
    from tests.live.wires import ip

    with on_the_wire(cable, tmp_path) as carrier:
        ip("-n", cable.client, "route", "add", "unreachable", "203.0.113.0/24")
        ip("-n", cable.client, "-6", "route", "add", "unreachable", "2001:db8::/32")
        try:
            found = [
                (await carrier.perform(message, listen_s=1)).outcome
                for message in (
                    Handshake(address="203.0.113.1"),
                    Query(resolver="203.0.113.1", name="a.test"),
                    Handshake(address="2001:db8::1"),
                )
            ]
        finally:
            ip("-n", cable.client, "route", "del", "unreachable", "203.0.113.0/24")
            ip("-n", cable.client, "-6", "route", "del", "unreachable", "2001:db8::/32")
    assert found == ["unreachable"] * 3


async def test_without_raw_sockets_a_decoy_fails_and_says_why(cable, server, tmp_path):
    with on_the_wire(cable, tmp_path) as carrier:
        message = Hello(address=SERVER, name="forum.test", decoy=Decoy(name="herbs.test", ttl_hops=1))
        replies = await carrier.perform(message, listen_s=1)
    assert replies.outcome == "failed"
    assert "CAP_NET_RAW" in replies.why


@pytest.mark.parametrize("address", [SERVER, SERVER6])
async def test_a_decoy_stands_where_the_hello_stands_and_the_server_never_sees_it(cable, server, tmp_path, address):
    with on_the_wire(cable, tmp_path, raw=True) as carrier:
        message = Hello(address=address, name="forum.test", decoy=Decoy(name="herbs.test", ttl_hops=1))
        replies = await carrier.perform(message, listen_s=2)
        await carrier.flush()
    assert replies.outcome == "answered"
    lie, truth = [p for p in packets(tmp_path) if hello_bytes(p)][:2]
    assert (b"herbs.test" in lie.payload, b"forum.test" in truth.payload) == (True, True)
    assert lie.tcp.seq == truth.tcp.seq
    assert lie.tcp.ack == truth.tcp.ack
    assert (lie.ip.ttl_hops, truth.ip.ttl_hops) == (1, 64)


async def test_with_an_ear_a_limited_hello_names_its_router(cable, server, tmp_path):
    with on_the_wire(cable, tmp_path, raw=True) as carrier:
        replies = await carrier.perform(Hello(address=SERVER, name="forum.test", ttl_hops=1), listen_s=0.6)
    assert replies.answers == ("81.17.24.1",)


async def test_two_runs_never_share_ports(cable):
    with inside(cable.client):
        one, other = reserve(), reserve()
        assert isinstance(one, Ports)
        assert one.block.last < other.block.first or other.block.last < one.block.first
        one.close()
        other.close()


def test_blocks_stay_outside_the_system_s_own_range():
    found = list(blocks(32768, 60999))
    assert len(found) >= 4
    assert all(b.last < 32768 or b.first > 60999 for b in found)
    assert list(blocks(1024, 65535)) == [PortRange(63536, 65535)]


@pytest.mark.parametrize("address", [SERVER, SERVER6])
async def test_a_handshake_of_our_own_is_not_reset_by_the_kernel(cable, server, tmp_path, address):
    from fingerprint.probing import crafting

    ends = crafting.Ends(destination=address, dport=80)
    words = b"GET /100 HTTP/1.1\r\nHost: forum.test\r\n\r\n"
    talk = (
        crafting.syn(ends, seq=1000),
        crafting.segment(ends, seq=1001, ack=0, flags="A"),
        *crafting.split(ends, seq=1001, ack=0, payload=words, at=[10], backwards=True),
    )
    with on_the_wire(cable, tmp_path, raw=True, guarded=True) as carrier:
        replies = await carrier.perform(Crafted(packets=talk, address=address, user_space=True), listen_s=1)
        await carrier.flush()
    assert replies.outcome == "answered"
    sent = [p for p in packets(tmp_path) if p.tcp and p.tcp.source_port == replies.local_port]
    # The only reset is ours, at the end.
    assert [bool(p.tcp.flags & 4) for p in sent] == [False] * (len(sent) - 1) + [True]


async def test_crafted_packets_come_from_here_or_not_at_all(cable, server, tmp_path):
    from fingerprint.probing import crafting

    spoofed = crafting.syn(crafting.Ends(source="8.8.4.4", destination=SERVER, dport=80), seq=1)
    elsewhere = crafting.syn(crafting.Ends(destination=NOBODY, dport=80), seq=1)
    with on_the_wire(cable, tmp_path, raw=True) as carrier:
        for packet in (spoofed, elsewhere):
            replies = await carrier.perform(Crafted(packets=(packet,), address=SERVER), listen_s=0.3)
            assert replies.outcome == "failed"
            assert "crafted packet" in replies.why


@pytest.mark.parametrize(("dport", "outcome"), [(80, "answered"), (7999, "refused")])
async def test_a_lone_syn_with_odd_options_is_answered_or_refused(cable, server, tmp_path, dport, outcome):
    from fingerprint.probing import crafting

    packet = crafting.syn(crafting.Ends(destination=SERVER, dport=dport), seq=7, options=[("MSS", 77)])
    with on_the_wire(cable, tmp_path, raw=True) as carrier:
        replies = await carrier.perform(Crafted(packets=(packet,), address=SERVER), listen_s=0.3)
    assert replies.outcome == outcome


async def test_a_wrong_checksum_stays_wrong(cable, server, tmp_path):
    from fingerprint.probing import crafting

    packet = crafting.segment(crafting.Ends(destination=SERVER, dport=80), seq=7, ack=0, flags="S", wrong_checksum=True)
    with on_the_wire(cable, tmp_path, raw=True) as carrier:
        replies = await carrier.perform(Crafted(packets=(packet,), address=SERVER), listen_s=0.3)
    assert replies.outcome == "unanswered"


def test_the_guard_is_gone_after_a_kill(cable, tmp_path):
    import subprocess
    import sys

    code = (
        "from fingerprint.live.guard import Guard; from fingerprint.live.ports import PortRange; import time\n"
        "g = Guard(PortRange(61000, 61100), 7); print(g.verified, flush=True); time.sleep(60)"
    )
    child = subprocess.Popen(
        ["ip", "netns", "exec", cable.client, sys.executable, "-c", code], stdout=subprocess.PIPE, text=True
    )
    listed = ["ip", "netns", "exec", cable.client, "nft", "list", "ruleset"]
    with child:
        assert child.stdout.readline() == "True\n"
        assert "fingerprint_" in subprocess.check_output(listed, text=True)
        child.kill()
    for _ in range(50):
        if "fingerprint_" not in subprocess.check_output(listed, text=True):
            break
        asyncio.run(asyncio.sleep(0.1))
    assert "fingerprint_" not in subprocess.check_output(listed, text=True)


@pytest.mark.parametrize("listens", ["read line; ", ""], ids=["after it was told", "at once"])
def test_a_guard_that_cannot_be_had_says_what_to_do(tmp_path, listens):
    from captures.errors import PrivilegeError

    broken = tmp_path / "nft"
    broken.write_text(f"#!/bin/sh\n{listens}echo 'Error: Operation not permitted'\n")
    broken.chmod(0o755)
    with pytest.raises(PrivilegeError, match=r"Operation not permitted.*sudo"):
        Guard(PortRange(61000, 61100), 7, str(Path(broken)))
