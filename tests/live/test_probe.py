"""The verbs that send, as a user meets them: asked first, recorded, interrupted, killed, starved."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from random import Random

import pytest

import captures
from fingerprint import script
from tests.live.internet import internet
from tests.live.wires import SERVER, SERVER6, ip, missing, need_root

QUICK = ("--control", "herbs.test", "--yes", "--residual", "0", "--technique", "tcp-rst-injection", "--seed", "7")
NOBODY = "45.83.220.99"
LONG = ("--control", "herbs.test", "--yes", "--residual", "0", "--technique", "sni-filtering")


@pytest.fixture(scope="module")
def net(tmp_path_factory):
    need_root()
    if not shutil.which("nft"):
        missing("nft is not installed")
    with internet(tmp_path_factory.mktemp("net")) as made:
        yield made


def test_a_pipe_without_yes_stops_before_the_first_packet(net, tmp_path):
    done = net.run("probe", "forum.test", "--control", "herbs.test", folder=tmp_path, given="yes\n")
    assert done.returncode == 2
    assert "nothing was sent" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_before_the_first_packet_names_cost_and_risk_are_told(net, tmp_path):
    said = net.run("probe", "forum.test", "--control", "herbs.test", folder=tmp_path, given="").stderr
    assert "the name forum.test to" in said
    assert SERVER in said
    assert "packets and" in said
    assert "the provider included" in said


def test_probe_records_and_says_where(net, tmp_path):
    done = net.run("probe", "forum.test", "-w", "run.pcapng", *QUICK, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "run.pcapng\n"
    told = script.read(tmp_path / "run.script.json")
    assert told.partial is None
    assert told.recorder == "af-packet"
    assert told.targets[0].addresses
    assert {s.outcome for s in told.steps} == {"answered"}
    read = captures.read(tmp_path / "run.pcapng")
    assert not read.errors
    assert read.interfaces[0].dropped_pkts == 0


def test_the_default_name_is_made_of_target_and_time(net, tmp_path):
    done = net.run("probe", "forum.test", *QUICK, folder=tmp_path)
    assert done.stdout.startswith("forum.test-20")
    assert (tmp_path / done.stdout.strip()).is_file()


def test_run_is_probe_and_analyse(net, tmp_path):
    ran = net.run("run", "forum.test", "-w", "run.pcapng", "--json", *QUICK, folder=tmp_path)
    assert ran.returncode == 0, ran.stderr
    again = net.run("analyse", "run.pcapng", "--json", "--technique", "tcp-rst-injection", folder=tmp_path)
    assert json.loads(ran.stdout) == json.loads(again.stdout)


def test_nothing_is_overwritten(net, tmp_path):
    (tmp_path / "run.script.json").write_text("precious")
    done = net.run("probe", "forum.test", "-w", "run.pcapng", *QUICK, folder=tmp_path)
    assert done.returncode == 2
    assert "not overwritten" in done.stderr
    assert [p.name for p in tmp_path.iterdir()] == ["run.script.json"]


def begun(net, folder, *words):
    """A run that has sent its first steps."""
    process = net.start("probe", "forum.test", "-w", "run.pcapng", *words, folder=folder)
    until = time.monotonic() + 20
    while time.monotonic() < until and process.poll() is None:
        if (folder / "run.pcapng").exists() and (folder / "run.pcapng").stat().st_size > 3000:
            return process
        time.sleep(0.02)
    raise AssertionError(process.communicate()[1])


def test_an_interrupted_run_is_readable_marked_partial_and_leaves_nothing_behind(net, tmp_path):
    process = begun(net, tmp_path, *LONG)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "cut short: interrupted" in said
    assert script.read(tmp_path / "run.script.json").partial == "interrupted"
    assert not captures.read(tmp_path / "run.pcapng").errors
    assert "fingerprint" not in net.rules()
    assert net.processes() == []


def test_a_killed_run_leaves_a_readable_file_and_no_rule_and_no_process(net, tmp_path):
    process = begun(net, tmp_path, *LONG)
    assert "fingerprint" in net.rules()
    process.kill()
    process.communicate()
    until = time.monotonic() + 10
    while net.processes() and time.monotonic() < until:
        time.sleep(0.05)
    assert net.processes() == []
    assert "fingerprint" not in net.rules()
    assert not captures.read(tmp_path / "run.pcapng").errors
    assert "killed" in script.read(tmp_path / "run.script.json").partial


def test_a_full_disk_ends_the_run_with_a_sentence_and_both_files_are_readable(net, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=76k", "tmpfs", disk], check=True)
    try:
        done = net.run("probe", "forum.test", "-w", "disk/run.pcapng", *LONG, folder=tmp_path)
        assert done.returncode == 3, done.stderr
        assert "free some space" in done.stderr
        assert not captures.read(disk / "run.pcapng").errors
        assert "free some space" in script.read(disk / "run.script.json").partial
    finally:
        subprocess.run(["umount", disk], check=True)


def test_an_interface_that_goes_away_ends_the_run_with_a_sentence(tmp_path):
    need_root()
    with internet(tmp_path) as other:
        process = begun(other, tmp_path, *LONG)
        ip("-n", other.cable.client, "link", "del", "eth0")
        _, said = process.communicate(timeout=20)
    assert process.returncode == 3
    assert "the interface went away" in said
    assert not captures.read(tmp_path / "run.pcapng").errors


def test_a_name_that_does_not_resolve_is_told_and_dns_is_still_asked(net, tmp_path):
    net.resolvers(NOBODY)
    done = net.run(
        "probe", "no-such.test", "--control", "herbs.test", "--yes", "-w", "run.pcapng", "--technique", "dns-injection",
        "--set", "dns-injection.repeats=1", "--residual", "0", "--order", "fixed",
        "--resolver", SERVER, folder=tmp_path,
    )  # fmt: skip
    net.resolvers(SERVER)
    assert done.returncode == 0, done.stderr
    assert "no-such.test does not resolve" in done.stderr
    told = script.read(tmp_path / "run.script.json")
    assert any(s.kind == "Query" for s in told.steps)


def test_without_any_address_nor_resolver_there_is_a_sentence(net, tmp_path):
    net.resolvers()
    try:
        done = net.run("probe", "no-such.test", "--control", "no-other.test", "--yes", folder=tmp_path)
    finally:
        net.resolvers(SERVER)
    assert done.returncode == 1
    assert "no resolver in /etc/resolv.conf" in done.stderr
    assert "cannot be probed" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_no_ipv6_is_told_and_ipv4_goes_on(net, tmp_path):
    ip("-n", net.cable.client, "-6", "route", "del", "default")
    try:
        done = net.run("probe", "forum.test", "-w", "run.pcapng", *QUICK, folder=tmp_path)
    finally:
        ip("-n", net.cable.client, "-6", "route", "add", "default", "via", "2a0d:5600:24::1")
    assert done.returncode == 0
    assert f"there is no IPv6 route to {SERVER6}" in done.stderr
    assert script.read(tmp_path / "run.script.json").targets[0].addresses == (SERVER,)


def test_no_route_at_all_is_a_sentence(net, tmp_path):
    ip("-n", net.cable.client, "route", "del", "default")
    try:
        done = net.run("probe", "203.0.113.7", "--control", "herbs.test", "--yes", folder=tmp_path)
    finally:
        ip("-n", net.cable.client, "route", "add", "default", "via", "81.17.24.1")
    assert "there is no IPv4 route to 203.0.113.7" in done.stderr


def test_a_target_that_refuses_everything_is_recorded_as_such(net, tmp_path):
    done = net.run("probe", f"{SERVER}:7999", "-w", "run.pcapng", *QUICK, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    outcomes = {s.outcome for s in script.read(tmp_path / "run.script.json").steps if s.message["address"] == SERVER}
    assert outcomes == {"refused"}


def test_an_interface_that_does_not_exist_is_a_sentence(net, tmp_path):
    done = net.run("probe", "forum.test", "-i", "eth7", *QUICK, folder=tmp_path)
    assert done.returncode == 2
    assert "choose from" in done.stderr


def test_without_privilege_nor_dumpcap_the_remedy_is_told(net, tmp_path):
    shut = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs", "--"]
    command = net.command("probe", "forum.test", *QUICK)
    # Behind `ip netns exec`, which needs its privileges itself.
    done = subprocess.run(
        [*command[:4], *shut, *command[4:]], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 4
    assert "sudo" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_without_nft_the_run_goes_on_and_says_what_is_left_out(net, tmp_path):
    # In a mount namespace of its own, something that is no program stands in nft's place.
    hide = 'mount --bind /dev/null /usr/sbin/nft && exec "$@"'
    command = net.command("probe", "forum.test", "-w", "run.pcapng", *QUICK)
    done = subprocess.run(
        [*command[:4], "unshare", "-m", "sh", "-c", hide, "sh", *command[4:]],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "handshakes of our own are left out" in done.stderr


def test_forget_deletes_the_run_and_nothing_else(net, tmp_path):
    net.run("probe", "forum.test", "-w", "run.pcapng", *QUICK, folder=tmp_path)
    (tmp_path / "run.txt").write_text("a note")
    done = net.run("forget", "run.pcapng", folder=tmp_path)
    assert done.returncode == 0
    assert [p.name for p in tmp_path.iterdir()] == ["run.txt"]


def readable_python():
    """This interpreter if everybody may run it, else the system's, with our packages."""
    from fingerprint.live.privileges import Account, code_folders, reaches

    account = Account(uid=12345, gid=12345)
    if all(reaches(account, path) for path in code_folders()):
        return Path(sys.executable), {}
    version = f"python3.{sys.version_info.minor}"
    system = Path("/usr/bin") / version
    folders = [
        p for p in sys.path if p and Path(p).is_dir() and ("site-packages" in p or Path(p, "fingerprint").is_dir())
    ]
    if not system.exists():
        missing(f"no {version} that everybody may run")
    if not all(reaches(account, Path(folder)) for folder in folders):
        pytest.skip("this checkout and its environment lie where others may not read")
    return system, {"PYTHONPATH": ":".join(folders)}


def test_the_run_goes_on_as_the_one_who_called_sudo_without_any_right(net, tmp_path):
    tmp_path.chmod(0o777)
    for folder in [f for f in tmp_path.parents if "pytest-" in str(f)]:
        folder.chmod(folder.stat().st_mode | 0o011)
    python, environment = readable_python()
    environment |= {"SUDO_UID": "12345", "SUDO_GID": "12345"}
    words = net.command("run", "forum.test", "-w", "run.pcapng", *LONG)
    words[words.index(sys.executable)] = str(python)
    run = subprocess.Popen(
        words, cwd=tmp_path, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, **environment},
    )  # fmt: skip
    seen = set()
    while run.poll() is None:
        seen |= {rights(pid) for pid in net.processes()}
        time.sleep(0.05)
    report, said = run.communicate()
    assert run.returncode == 0, said
    assert "forum.test" in report
    assert "cannot read" not in said
    # The run and its recorder, once they had dropped everything; nft and the shell beside it keep theirs.
    assert ("12345", 0, 0, "1") in seen
    assert {Path(p).stat().st_uid for p in tmp_path.iterdir()} == {12345}


def rights(pid):
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return None
    told = dict(line.split(":\t", 1) for line in lines)
    return told["Uid"].split()[0], int(told["CapPrm"], 16), int(told["CapBnd"], 16), told["NoNewPrivs"]


@pytest.mark.slow
def test_nothing_is_left_after_a_kill_at_any_moment(net, tmp_path):
    draw = Random(1)
    for number in range(20):
        process = net.start("probe", "forum.test", "-w", f"{number}.pcapng", *LONG, folder=tmp_path)
        time.sleep(draw.uniform(0.1, 2.5))
        process.kill()
        process.communicate()
        until = time.monotonic() + 10
        while (net.processes() or "fingerprint" in net.rules()) and time.monotonic() < until:
            time.sleep(0.05)
        assert net.processes() == []
        assert "fingerprint" not in net.rules()
        run = tmp_path / f"{number}.pcapng"
        if run.exists() and run.stat().st_size:
            assert not captures.read(run).errors
        if run.exists():
            assert net.run("forget", run, folder=tmp_path).returncode == 0
    assert list(tmp_path.iterdir()) == []
