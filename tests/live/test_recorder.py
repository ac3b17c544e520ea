"""The recorder: the run's own packets, all of them, and nobody else's."""

from __future__ import annotations

import asyncio
import os
import socket

import pytest

import captures
from fingerprint.live import bpf, packet_sockets, recorder
from fingerprint.live.clock import Clock
from fingerprint.live.ports import PortRange
from fingerprint.live.recorder import Work
from tests.live.wires import SERVER, SERVER6, inside, ip, wire

PORTS = PortRange(61000, 62999)


@pytest.fixture(scope="module")
def cable():
    with wire() as made:
        yield made


def started(cable, path, *, addresses=(SERVER, SERVER6), interface="eth0", **more):
    with inside(cable.client):
        source = packet_sockets.open_on(interface, None if more.get("capture_all") else bpf.of_run(PORTS))
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL)
    work = Work(file=file, ports=PORTS, addresses=addresses, base_ns=Clock().base_ns, sockets=[source], **more)
    try:
        return recorder.start(work)
    finally:
        os.close(file)


def udp(cable, port, to=SERVER, content=b"asked", dport=9):
    with inside(cable.client):
        sock = socket.socket(socket.AF_INET6 if ":" in to else socket.AF_INET, socket.SOCK_DGRAM)
    with sock:
        sock.bind(("", port))
        sock.sendto(content, (to, dport))


def payloads(path):
    read = captures.read(path)
    assert not read.errors
    return [read.payload(row) for row in range(len(read.columns))]


async def test_what_the_run_sends_and_hears_is_in_the_file_after_sync(cable, tmp_path):
    run = started(cable, tmp_path / "run.pcapng")
    try:
        for number in range(100):
            udp(cable, 61000 + number, content=b"%03d" % number)
        sums = await run.sync()
        # Each datagram, and the ICMP error that quotes it, as far as the server's rate limit lets them out.
        assert sums.packets >= 100
        found = payloads(tmp_path / "run.pcapng")
        assert [p for p in found if len(p) == 3] == [b"%03d" % number for number in range(100)]
    finally:
        run.stop()
    assert not run.trouble


async def test_other_traffic_never_reaches_the_disk(cable, tmp_path):
    run = started(cable, tmp_path / "run.pcapng", addresses=[SERVER])
    udp(cable, 40000, content=b"somebody else's port")
    udp(cable, 61001, content=b"somebody else's address", to="45.83.220.77")
    udp(cable, 61001, content=b"somebody else's address", to=SERVER6)
    udp(cable, 61001, content=b"ours")
    await run.sync()
    run.stop()
    whole = (tmp_path / "run.pcapng").read_bytes()
    assert b"ours" in whole
    assert b"somebody" not in whole


async def test_an_address_may_be_admitted_later(cable, tmp_path):
    run = started(cable, tmp_path / "run.pcapng", addresses=[])
    udp(cable, 61001, content=b"before")
    await run.admit([SERVER6])
    udp(cable, 61001, content=b"after", to=SERVER6)
    await run.sync()
    run.stop()
    whole = (tmp_path / "run.pcapng").read_bytes()
    assert b"after" in whole
    assert b"before" not in whole


async def test_capture_all_takes_everything(cable, tmp_path):
    run = started(cable, tmp_path / "run.pcapng", capture_all=True)
    udp(cable, 40000, content=b"somebody else's port")
    await run.sync()
    run.stop()
    assert b"somebody" in (tmp_path / "run.pcapng").read_bytes()


@pytest.mark.parametrize("to", [SERVER, SERVER6])
async def test_fragments_of_an_admitted_datagram_are_admitted(cable, tmp_path, to):
    run = started(cable, tmp_path / "run.pcapng")
    udp(cable, 61001, content=bytes(4000), to=to)
    udp(cable, 40000, content=bytes(4000), to=to)
    await run.sync()
    run.stop()
    read = captures.read(tmp_path / "run.pcapng")
    assert read.fragments == {0: (1, 2)}


async def test_the_file_says_until_when_it_was_listened(cable, tmp_path):
    run = started(cable, tmp_path / "run.pcapng")
    udp(cable, 61001)
    await asyncio.sleep(0.3)
    before = Clock().now_ns()
    await run.sync()
    # Type 5, an Interface Statistics Block; the run may be killed now and the silence is witnessed.
    assert b"\x05\x00\x00\x00" in (tmp_path / "run.pcapng").read_bytes()
    run.stop()
    read = captures.read(tmp_path / "run.pcapng")
    assert read.interfaces[0].dropped_pkts == 0
    assert getattr(read.interfaces[0], "ended_ns", before) >= before


async def test_an_interface_that_goes_away_is_told_and_the_file_stays_readable(tmp_path):
    with wire() as cable:
        run = started(cable, tmp_path / "run.pcapng")
        told = asyncio.get_running_loop().create_future()
        run.on_trouble = told.set_result
        udp(cable, 61001, content=b"before it went")
        await run.sync()
        with inside(cable.server):
            ip("link", "del", "eth0")
        says = await asyncio.wait_for(told, 5)
        run.stop()
    assert "the interface went away" in says
    assert b"before it went" in payloads(tmp_path / "run.pcapng")


async def test_a_killed_run_leaves_a_readable_file_and_no_process(cable, tmp_path):
    run = started(cable, tmp_path / "run.pcapng")
    udp(cable, 61001, content=b"last words")
    run._channel.close()  # what the kernel does to a killed process
    await asyncio.to_thread(run._process.wait, 10)
    assert b"last words" in payloads(tmp_path / "run.pcapng")


async def test_loopback_packets_are_recorded_once(cable, tmp_path):
    run = started(cable, tmp_path / "run.pcapng", addresses=["127.0.0.1"], interface="lo")
    udp(cable, 61001, to="127.0.0.1", content=b"home")
    await run.sync()
    run.stop()
    assert payloads(tmp_path / "run.pcapng").count(b"home") == 1


async def test_packets_lost_by_the_recorder_are_counted(cable, tmp_path, monkeypatch):
    monkeypatch.setattr(packet_sockets, "BUFFER_BYTES", 4096)
    monkeypatch.setattr(
        packet_sockets, "enlarge", lambda sock: sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    )
    with inside(cable.client):
        source = packet_sockets.open_on("eth0", bpf.of_run(PORTS))
    for number in range(200):
        udp(cable, 61000 + number, content=bytes(1000))
    file = os.open(tmp_path / "run.pcapng", os.O_RDWR | os.O_CREAT)
    run = recorder.start(Work(file=file, ports=PORTS, addresses=[SERVER], base_ns=Clock().base_ns, sockets=[source]))
    os.close(file)
    sums = await run.sync()
    run.stop()
    assert sums.dropped > 100
    assert captures.read(tmp_path / "run.pcapng").interfaces[0].dropped_pkts == sums.dropped
