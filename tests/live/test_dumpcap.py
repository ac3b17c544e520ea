"""Wireshark's recorder, where it may record and this process may not."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest

import captures
from captures.errors import PrivilegeError
from fingerprint.live import dumpcap, packet_sockets, recorder, rig
from fingerprint.live.clock import Clock
from fingerprint.live.ports import PortRange
from fingerprint.live.recorder import Work
from tests.live.test_recorder import udp
from tests.live.wires import SERVER, SERVER6, inside, missing, wire

PORTS = PortRange(61000, 62999)


@pytest.fixture(scope="module")
def cable():
    if not dumpcap.find():
        missing("dumpcap is not installed")
    with wire() as made:
        yield made


async def test_what_dumpcap_hears_is_admitted_and_written_as_exactly(cable, tmp_path):
    file = os.open(tmp_path / "run.pcapng", os.O_RDWR | os.O_CREAT)
    command = dumpcap.command(dumpcap.find(), "eth0", PORTS, capture_all=False)
    with inside(cable.client):
        work = Work(file=file, ports=PORTS, addresses=[SERVER, SERVER6], base_ns=Clock().base_ns, dumpcap=[command])
        run = recorder.start(work)
    os.close(file)
    before_ns = Clock().now_ns()
    udp(cable, 61001, content=b"ours")
    udp(cable, 61001, to=SERVER6, content=b"ours too")
    udp(cable, 61001, to="45.83.220.77", content=b"somebody else's address")
    udp(cable, 40000, content=b"somebody else's port")
    await run.sync()
    read = captures.read(tmp_path / "run.pcapng")
    found = [read.payload(row) for row in range(len(read.columns))]
    run.stop()
    assert not run.trouble
    assert [p for p in found if p.startswith(b"ours")] == [b"ours", b"ours too"]
    assert not any(b"somebody" in p for p in found)
    assert abs(int(read.columns.time_ns[0]) - before_ns) < 5_000_000_000
    assert captures.read(tmp_path / "run.pcapng").interfaces[0].dropped_pkts == 0
    assert recording(cable) == []


def recording(cable):
    """Processes that are left in the client's namespace."""
    return subprocess.run(
        ["ip", "netns", "pids", cable.client], capture_output=True, text=True, check=True
    ).stdout.split()


def test_it_is_chosen_only_where_sockets_of_our_own_are_refused(monkeypatch, tmp_path):
    monkeypatch.setattr(dumpcap, "may_record", lambda program, name: True)
    monkeypatch.setattr(dumpcap, "find", lambda: "/usr/bin/dumpcap")
    (command,) = rig.dumpcap_instead(["eth0"], PORTS, capture_all=False)
    assert command[0] == "/usr/bin/dumpcap"
    assert command[-2:] == ["-w", "-"]
    monkeypatch.setattr(dumpcap, "may_record", lambda program, name: False)
    with pytest.raises(PrivilegeError, match="neither this process nor dumpcap"):
        rig.dumpcap_instead(["eth0"], PORTS, capture_all=False)
    monkeypatch.setattr(dumpcap, "find", lambda: None)
    with pytest.raises(PrivilegeError, match=r"not installed.*sudo"):
        rig.dumpcap_instead(["eth0"], PORTS, capture_all=False)


def test_options_of_blocks_are_read():
    assert dumpcap.options(b"\x09\x00\x01\x00\x06\x00\x00\x00\x00\x00\x00\x00") == {9: b"\x06"}
    assert dumpcap.options(b"") == {}


def test_a_user_without_the_right_may_not():
    program = dumpcap.find()
    if not program or not shutil.which("setpriv") or os.geteuid() != 0:
        missing("dumpcap, setpriv and root are needed")
    shut = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--bounding-set=-all", "--"]
    done = subprocess.run([*shut, program, "-L", "-i", "lo"], capture_output=True, check=False)
    assert done.returncode != 0
    assert dumpcap.may_record(program, "lo")
    assert packet_sockets.LINKTYPE_ETHERNET == 1
