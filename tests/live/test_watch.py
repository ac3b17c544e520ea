"""A watch on a real wire, as a user meets it: agreed to once, interrupted, killed, begun again, cut off."""

from __future__ import annotations

import json
import shutil
import signal
import stat
import time

import pytest

from fingerprint import store
from fingerprint.accounts.stored import accounts
from tests.live.internet import internet
from tests.live.wires import ip, missing, need_root

QUICK = ("--control", "herbs.test", "--yes", "--residual", "0", "--technique", "tcp-rst-injection", "--seed", "7")
LONG = ("--control", "herbs.test", "--yes", "--residual", "0", "--technique", "sni-filtering", "--seed", "7")


@pytest.fixture(scope="module")
def net(tmp_path_factory):
    need_root()
    if not shutil.which("nft"):
        missing("nft is not installed")
    with internet(tmp_path_factory.mktemp("net")) as made:
        yield made


def watching(net, folder, *words):
    return net.start("watch", "forum.test", "--store", "w", *words, folder=folder)


def until(happened, process=None, seconds=30):
    """Wait for something to happen; with a process, no longer than it lives."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := happened():
            return found
        if process is not None and process.poll() is not None:
            break
        time.sleep(0.05)
    raise AssertionError(process.communicate()[1] if process else "it did not happen")


def kept(folder):
    try:
        return len(store.entries(folder / "w")[0])
    except ValueError:
        return 0


def memory(folder):
    [path] = (folder / "w").glob("watch-*.json")
    return json.loads(path.read_text())


def test_a_pipe_without_yes_stops_before_the_first_packet(net, tmp_path):
    done = net.run(
        "watch", "forum.test", "--every", "5m", "--for", "24h", "--store", "w", folder=tmp_path, given="yes\n"
    )
    assert done.returncode == 2
    assert "288 rounds within 23.9 hours: at most" in done.stderr
    assert "the name forum.test to" in done.stderr
    assert "nothing was sent" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_rounds_are_agreed_to_once_recorded_judged_and_kept(net, tmp_path):
    done = net.run(
        "watch", "forum.test", "--every", "15s", "--rounds", "2", "--no-jitter", "--keep", "all", "--store", "w", "--vantage",
        "cafe", "--country", "PK", *QUICK, folder=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("This is going to send") == 1
    assert "round 2 of 2" in done.stderr
    assert "2 rounds, 0 of them came to nothing" in done.stderr
    found, problems = accounts(tmp_path / "w")
    assert problems == ()
    assert [(a.vantage.name, a.vantage.country) for a in found] == [("cafe", "PK")] * 2
    assert all(a.captures[0].is_file() for a in found)
    assert len(list((tmp_path / "w" / "runs").glob("*.vantage.toml"))) == 2
    first, second = (a.document["captures"][0]["first"] for a in found)
    assert first < second
    assert {t["state"] for a in found for t in a.document["targets"]} <= {"ok", "insufficient"}


def test_captures_that_were_kept_are_in_the_store_already_for_analyse(net, tmp_path):
    net.run(
        "watch",
        "forum.test",
        "--every",
        "1s",
        "--rounds",
        "1",
        "--keep",
        "all",
        "--store",
        "w",
        *QUICK,
        folder=tmp_path,
    )
    net.run("analyse", "w/runs", "--store", "w", "--technique", "tcp-rst-injection", folder=tmp_path)
    lines = [json.loads(line) for line in (tmp_path / "w" / store.FILE).read_text().splitlines()]
    # One line, unless somebody edits the code meanwhile, which must be the only difference.
    codes = [line["made_by"].pop("code") for line in lines]
    assert len(lines) == len(set(codes))
    assert [line["made_by"] for line in lines] == [lines[0]["made_by"]] * len(lines)
    assert len({json.dumps(line["vantage"]) for line in lines}) == 1


def test_who_records_is_nobody_and_who_keeps_is_root(net, tmp_path):
    tmp_path.chmod(0o755)
    net.run(
        "watch",
        "forum.test",
        "--every",
        "1s",
        "--rounds",
        "1",
        "--keep",
        "all",
        "--store",
        "w",
        *QUICK,
        folder=tmp_path,
    )
    told = (tmp_path / "w" / store.FILE).stat()
    assert (told.st_uid, stat.S_IMODE(told.st_mode)) == (0, 0o600)
    [capture] = (tmp_path / "w" / "runs").glob("*.pcapng")
    assert stat.S_IMODE(capture.stat().st_mode) == 0o600


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_between_rounds_ends_it_in_good_order(net, tmp_path, number):
    process = watching(net, tmp_path, "--every", "1h", *QUICK)
    until(lambda: kept(tmp_path) and not memory(tmp_path)["under_way"], process)
    process.send_signal(number)
    _, said = process.communicate(timeout=10)
    assert process.returncode == 130
    assert "1 rounds, 0 of them came to nothing" in said
    assert net.processes() == []


def test_a_signal_in_mid_round_keeps_what_was_recorded_until_then(net, tmp_path):
    process = watching(net, tmp_path, "--every", "1h", "--keep", "all", *LONG)
    captures = tmp_path / "w" / "runs"
    until(lambda: any(p.stat().st_size > 3000 for p in captures.glob("*.pcapng")), process)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "cut short: interrupted" in said
    found, _ = accounts(tmp_path / "w")
    assert [a.document["partial"] for a in found] == ["interrupted"]
    assert net.processes() == []
    assert "fingerprint" not in net.rules()


def test_killed_and_begun_again_it_goes_on_and_names_the_broken_round(net, tmp_path):
    process = watching(net, tmp_path, "--every", "3s", "--no-jitter", "--rounds", "60", *LONG)
    until(lambda: (tmp_path / "w").is_dir() and any((tmp_path / "w" / "runs").glob("*.pcapng")), process)
    process.kill()
    process.communicate()
    until(lambda: net.processes() == [])
    assert memory(tmp_path)["under_way"]
    again = watching(net, tmp_path, "--every", "3s", "--no-jitter", "--rounds", "60", *LONG)
    until(lambda: kept(tmp_path) >= 2, again, seconds=60)
    again.send_signal(signal.SIGINT)
    _, said = again.communicate(timeout=20)
    assert "goes on after round 1" in said
    assert "round 1: the watch was killed" in said
    _, problems = accounts(tmp_path / "w")
    assert "a round came to nothing: the watch was killed" in problems[0].says


def test_a_round_that_finds_no_network_is_kept_as_failed_and_the_watch_goes_on(tmp_path):
    need_root()
    with internet(tmp_path) as other:
        ip("-n", other.cable.client, "link", "set", "eth0", "down")
        process = watching(other, tmp_path, "--every", "4s", "--no-jitter", *QUICK)
        until(lambda: kept(tmp_path) >= 1, process)
        ip("-n", other.cable.client, "link", "set", "eth0", "up")
        ip("-n", other.cable.client, "route", "replace", "default", "via", "81.17.24.1")
        until(lambda: (tmp_path / "w" / store.FILE).read_text().count('"targets":[{') >= 1, process, seconds=60)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)
    found, problems = accounts(tmp_path / "w")
    assert len(found) >= 1
    assert "check the network" in problems[0].says


def test_what_makes_every_round_impossible_is_told_at_once(net, tmp_path):
    done = net.run("watch", "forum.test", "-i", "nosuch0", "--every", "1s", "--store", "w", *QUICK, folder=tmp_path)
    assert done.returncode == 2
    assert "there is no such interface" in done.stderr


def test_the_same_watch_is_not_begun_twice(net, tmp_path):
    process = watching(net, tmp_path, "--every", "1h", *QUICK)
    until(lambda: kept(tmp_path), process)
    second = net.run("watch", "forum.test", "--store", "w", "--every", "1h", *QUICK, folder=tmp_path)
    assert second.returncode == 2
    assert "running already" in second.stderr
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=10)
