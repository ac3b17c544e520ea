"""Sockets first, then no privilege is left, and what was opened still works."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
import traceback
from pathlib import Path

import pytest

from captures.errors import PrivilegeError
from fingerprint.live import bpf, insertion, packet_sockets, privileges, rig
from fingerprint.live.ports import PortRange
from fingerprint.live.privileges import Account
from tests.live.wires import SERVER, inside, missing, need_root, wire

NOBODY = Account(uid=65534, gid=65534)
PORTS = PortRange(61000, 62999)


def in_a_child(work):
    """Run it in a forked child, for it gives up what this process still needs; its assertions become ours."""
    need_root()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            work()
            code = 0
        except BaseException:  # noqa: BLE001  # whatever it is, the parent tells it
            os.write(writing, traceback.format_exc().encode())
        finally:
            os._exit(code)
    os.close(writing)
    with os.fdopen(reading) as told:
        said = told.read()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0, said


def test_after_the_drop_nothing_is_left():
    def work():
        privileges.drop(NOBODY)
        found = privileges.state()
        assert (found.uid, found.gid, found.groups) == (65534, 65534, ())
        assert found.sets == dict.fromkeys(privileges.SETS, 0)
        assert found.bounding == 0
        assert found.no_new_privs
        with pytest.raises(PermissionError):
            os.setuid(0)

    in_a_child(work)


def test_what_was_opened_before_works_and_nothing_new_can_be_opened():
    with wire() as cable, inside(cable.client):

        def work():
            heard = packet_sockets.open_on("eth0", bpf.of_run(PORTS))
            raw = insertion.open_raw()
            rig.load()
            privileges.drop(NOBODY)
            sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            sock.bind(("", 61007))
            sock.sendto(b"still heard", (SERVER, 9))
            frames = []
            while frame := heard.read():
                frames.append(frame.content)
            assert any(b"still heard" in content for content in frames)
            from fingerprint.probing import crafting

            ends = crafting.Ends(source="81.17.24.10", destination=SERVER, sport=61008, dport=80)
            raw.send(crafting.syn(ends, seq=1), SERVER)
            time.sleep(0.1)
            assert heard.read() is not None
            for family, kind, protocol in (
                (socket.AF_PACKET, socket.SOCK_RAW, 0),
                (socket.AF_INET, socket.SOCK_RAW, 255),
            ):
                with pytest.raises(PermissionError):
                    socket.socket(family, kind, protocol)
            with pytest.raises(PrivilegeError, match="sudo"):
                packet_sockets.open_on("eth0", None)

        in_a_child(work)


def test_a_thread_that_keeps_something_is_noticed():
    def work():
        held = threading.Event()
        threading.Thread(target=held.wait, daemon=True).start()
        with pytest.raises(PrivilegeError, match="thread"):
            privileges.drop(NOBODY)

    in_a_child(work)


def test_the_invoking_user_is_who_called_sudo(monkeypatch):
    need_root()
    monkeypatch.setenv("SUDO_UID", "12345")
    monkeypatch.setenv("SUDO_GID", "12346")
    assert privileges.chosen(()) == Account(uid=12345, gid=12346)
    monkeypatch.setenv("SUDO_UID", "0")
    assert privileges.chosen(()).uid == privileges.nobody().uid


def test_without_sudo_it_is_nobody(monkeypatch):
    need_root()
    monkeypatch.delenv("SUDO_UID", raising=False)
    assert privileges.chosen((Path("/"),)) == privileges.nobody()


def test_a_folder_that_nobody_can_read_keeps_the_user_and_says_so(monkeypatch, tmp_path):
    need_root()
    monkeypatch.delenv("SUDO_UID", raising=False)
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    found = privileges.chosen((closed,))
    assert found.uid == 0
    assert "cannot read" in found.why_not


def test_where_only_root_is_mapped_the_capabilities_go_alone():
    if subprocess.run(["unshare", "-Ur", "true"], check=False, capture_output=True).returncode:
        missing("user namespaces are switched off here")
    code = (
        "from fingerprint.live import privileges as p\n"
        "a = p.chosen(()); assert a.uid == 0 and 'no other user' in a.why_not, a\n"
        "assert p.holds(p.CAP_NET_RAW); p.drop(a); s = p.state()\n"
        "assert not any(s.sets.values()) and not s.bounding and s.no_new_privs, s\n"
        "import socket\n"
        "try: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)\n"
        "except PermissionError: print('closed')"
    )
    done = subprocess.run(
        ["unshare", "-Urn", sys.executable, "-c", code],
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout == "closed\n", done.stderr
