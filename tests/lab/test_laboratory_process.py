"""The laboratory as a process: what it takes, what it hands on, how it ends, and that nothing is left behind."""

from __future__ import annotations

import json
import os
import pty
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fingerprint.lab.laboratory import Settings, command_line
from fingerprint.lab.world import CLIENT, RESOLVER
from tests.lab.laboratories import as_client, needs_a_laboratory

# A process without privileges, whoever runs the tests, that can still read this checkout.
NOBODY_SPECIAL = ["unshare", "--user", "--map-user=1000", "--map-group=1000"] if os.geteuid() == 0 else []


@pytest.fixture(autouse=True)
def _laboratory():
    needs_a_laboratory()


def fingerprint(*arguments):
    return [sys.executable, "-m", "fingerprint", "lab", "run", *arguments]


def told(argv, **more):
    return subprocess.run(argv, capture_output=True, check=False, timeout=60, **more)


def test_the_exit_code_and_output_are_those_of_the_command():
    done = told(fingerprint("--", "sh", "-c", "echo out; echo err >&2; exit 7"))
    assert (done.returncode, done.stdout, done.stderr) == (7, b"out\n", b"err\n")


def test_a_command_that_a_signal_ends_ends_as_a_shell_says_it():
    assert told(fingerprint("--", "sh", "-c", "kill -9 $$")).returncode == 128 + signal.SIGKILL


WHO = """
import json, os, socket
packets = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
me = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
me.connect(("45.83.220.10", 9))
capabilities = next(line.split()[1] for line in open("/proc/self/status") if line.startswith("CapEff"))
print(json.dumps([os.getuid(), me.getsockname()[0], open("/etc/resolv.conf").read(), int(capabilities, 16) >> 13 & 1]))
"""


@pytest.mark.parametrize("prefix", [[], NOBODY_SPECIAL], ids=["as-it-is", "without-privileges"])
def test_the_client_is_root_in_there_with_raw_sockets_whoever_it_is_outside(prefix):
    done = told([*prefix, *command_line([sys.executable, "-c", WHO], Settings())])
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [0, CLIENT[0], f"nameserver {RESOLVER[0]}\n", 1]


def test_a_kernel_that_gives_no_namespaces_is_a_sentence_with_a_remedy():
    shut = 'echo 0 > /proc/sys/user/max_net_namespaces; exec "$@"'
    done = told(["unshare", "-Ur", "sh", "-c", shut, "sh", *fingerprint("--", "true")])
    assert done.returncode == 4
    assert b"refuses new namespaces" in done.stderr
    assert b"sudo" in done.stderr
    assert b"Traceback" not in done.stderr


def test_a_missing_server_is_a_sentence_with_the_package_that_brings_it(tmp_path):
    code = "import sys; from fingerprint.lab.kernel import host, servers; servers.SEARCHED = sys.argv[1]\n"
    code += "from fingerprint.lab.laboratory import Settings; sys.exit(host.run(Settings(), ['true']))"
    for name in ("ip", "nginx"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    done = told([sys.executable, "-c", code, str(tmp_path)])
    assert done.returncode == 4
    assert b"needs dnsmasq" in done.stderr
    assert b"sudo apt-get install dnsmasq-base" in done.stderr


def test_a_command_that_does_not_exist_is_a_sentence():
    done = told(fingerprint("--", "no-such-command-anywhere"))
    assert (done.returncode, b"Traceback" in done.stderr) == (127, False)


def test_a_box_that_raises_ends_the_laboratory_and_shows_its_author_where(tmp_path):
    (tmp_path / "bad.py").write_text(
        "class Bad:\n    def inspect(self, packet, direction):\n        raise KeyError(7)\n"
    )
    began = time.monotonic()
    ask = [sys.executable, "-c", "import socket; socket.create_connection(('45.83.220.10', 443), 30)"]
    done = told(fingerprint("--censor", f"{tmp_path}/bad.py:Bad", "--", *ask))
    assert done.returncode == 1
    assert b'bad.py", line 3' in done.stderr
    assert b"the wire ended" in done.stderr
    assert time.monotonic() - began < 20


HEARING = """
import signal, sys, time
heard = []
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, lambda n, _: heard.append(n))
print("ready", flush=True)
until = time.monotonic() + 20
while not heard and time.monotonic() < until:
    time.sleep(0.01)
time.sleep(0.2)
print(heard)
sys.exit(5)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_handed_on_once_and_the_command_decides(number):
    with subprocess.Popen(fingerprint("--", sys.executable, "-c", HEARING), stdout=subprocess.PIPE) as started:
        assert started.stdout.readline() == b"ready\n"
        started.send_signal(number)
        assert started.stdout.read().decode().strip() == str([int(number)])
    assert started.returncode == 5


def test_control_c_at_a_terminal_reaches_the_command_once():
    process, terminal = pty.fork()
    if process == 0:
        argv = fingerprint("--", sys.executable, "-c", HEARING)
        os.execv(argv[0], argv)
    said = b""
    with open(terminal, "r+b", buffering=0) as screen:  # noqa: PTH123  # a terminal, no path
        while b"ready" not in said:
            said += screen.read(1000)
        screen.write(b"\x03")
        try:
            while heard := screen.read(1000):
                said += heard
        except OSError:
            pass  # how Linux says that the other end of a terminal is closed
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 5
    assert b"[2]" in said


def test_a_signal_during_set_up_is_not_lost():
    with subprocess.Popen(fingerprint("--", "sleep", "60")) as started:
        time.sleep(0.35)
        started.send_signal(signal.SIGTERM)
        started.wait(timeout=20)
    assert started.returncode in (128 + signal.SIGTERM, -signal.SIGTERM)


def test_set_up_takes_less_than_a_second():
    """The best of three: other tests run beside this one."""
    took = []
    for _ in range(3):
        began = time.monotonic()
        as_client("")
        took.append(time.monotonic() - began)
    assert min(took) < 1.0, took


def marked(mark):
    """Processes that carry the mark in their environment: all that a laboratory started."""
    return [int(folder.name) for folder in Path("/proc").glob("[0-9]*") if mark.encode() in read(folder / "environ")]


def read(path):
    try:
        return path.read_bytes()
    except OSError:
        return b""


def networks(processes):
    """The network namespaces in which these processes are."""
    found = set()
    for process in processes:
        try:
            found.add(Path(f"/proc/{process}/ns/net").readlink().name)
        except OSError:
            continue
    return found


def everybodys_networks():
    return networks(int(folder.name) for folder in Path("/proc").glob("[0-9]*"))


def rules():
    """The rules of this namespace, but for tables that other tests of this machine make."""
    nft = shutil.which("nft", path="/usr/sbin:/sbin:/usr/bin")
    listed = subprocess.run([nft, "list", "tables"], capture_output=True, check=False).stdout if nft else b""
    return {line for line in listed.splitlines() if b"lab" in line}


def left_by_name():
    """Namespaces of the laboratory's names that are mounted outside of it."""
    mounts = [line.split()[4].decode() for line in read(Path("/proc/self/mountinfo")).splitlines() if b" nsfs " in line]
    folder = Path("/run/netns")
    names = {Path(m).name for m in mounts} | ({p.name for p in folder.iterdir()} if folder.exists() else set())
    return names & {"client", "far", "provider", *(f"r{n}" for n in range(1, 13))}


def gone(mark, within_s=3.0):
    until = time.monotonic() + within_s
    while marked(mark) and time.monotonic() < until:
        time.sleep(0.02)
    return marked(mark) == []


def test_the_laboratory_ends_with_whoever_asked_for_it():
    mark = f"laboratory-{os.getpid()}-asked"
    code = "from fingerprint.lab.laboratory import *; run(['sleep', '60'], Settings())"
    with subprocess.Popen([sys.executable, "-c", code], env={**os.environ, "FINGERPRINT_MARK": mark}) as asking:
        until = time.monotonic() + 10
        while len(marked(mark)) < 8 and time.monotonic() < until:
            time.sleep(0.05)
        assert len(marked(mark)) >= 8
        asking.kill()
    assert gone(mark)


@pytest.mark.slow
@pytest.mark.parametrize("prefix", [[], NOBODY_SPECIAL], ids=["as-it-is", "without-privileges"])
def test_nothing_is_left_behind_after_sigkill_at_any_moment(prefix, tmp_path):
    """Twenty times, at moments from before the first namespace to the middle of a run."""
    when = random.Random(20)
    before = rules()
    hit, entered = [], set()
    for number in range(20):
        mark = f"laboratory-{os.getpid()}-{len(prefix)}-{number}"
        started = subprocess.Popen(
            [*prefix, *command_line(["sh", "-c", "nft add table ip lab; sleep 60"], Settings(censor="gfw-rst"))],
            env={**os.environ, "FINGERPRINT_MARK": mark, "TMPDIR": str(tmp_path)},
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        time.sleep(when.uniform(0.02, 1.2))
        hit.append(len(marked(mark)))
        entered |= networks(marked(mark)) - networks([os.getpid()])
        started.kill()
        started.wait()
        assert gone(mark), f"try {number}"
    assert max(hit) > 5, f"never hit a whole laboratory: {hit}"
    assert entered
    # A namespace lives as long as a process, a mount or an open file holds it; the processes are gone.
    assert not entered & everybodys_networks()
    assert left_by_name() == set()
    assert list(tmp_path.iterdir()) == []
    assert rules() == before
