"""The line of this machine: its clock, and how a signal ends a watch that is only waiting."""

from __future__ import annotations

import os
import signal
import threading
import time

import pytest

from fingerprint.live.asking import Named, Wish
from fingerprint.plugins import registry
from fingerprint.vantages.vantage import Vantage
from fingerprint.watching.live import Line
from fingerprint.watching.schedule import NS


@pytest.fixture
def line():
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    yield Line(wish=Wish(targets=(Named(name="forum.test"),)), registry=registry.load(), vantage=Vantage())
    for number, handler in before.items():
        signal.signal(number, handler)


def test_it_waits_until_a_round_is_due(line):
    line.listen()
    assert line.wait_until(line.now_ns() + NS // 20)
    assert line.wait_until(line.now_ns() - NS)
    assert not line.ended


def test_a_signal_ends_the_waiting_at_once(line):
    line.listen()
    threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGTERM)).start()
    began = time.monotonic()
    assert line.wait_until(line.now_ns() + 3600 * NS) is False
    assert time.monotonic() - began < 10
    assert line.ended
    assert line.wait_until(line.now_ns() + 3600 * NS) is False


def test_a_signal_while_nobody_waits_is_remembered(line):
    line.listen()
    os.kill(os.getpid(), signal.SIGINT)
    assert line.ended
    assert line.wait_until(line.now_ns() + 3600 * NS) is False


def test_a_closed_terminal_ends_nothing_if_somebody_said_so_before(line):
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    line.listen()
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    os.kill(os.getpid(), signal.SIGHUP)
    assert not line.ended


def test_a_clock_that_is_set_moves_no_round(line, monkeypatch):
    before = line.now_ns()
    monkeypatch.setattr(time, "time_ns", lambda: 0)
    assert before <= line.now_ns() < before + 60 * NS
