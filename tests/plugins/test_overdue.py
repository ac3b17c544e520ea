"""Who does not come back is stopped; who was kept waiting by the machine is not."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from fingerprint.plugins.overdue import Overdue, bounded

# Stops itself as a whole, is woken 1.5 s later, and does 0.1 s of work: five times what it may take by the clock.
STOOD_STILL = """
import os, signal, subprocess, time
from fingerprint.plugins.overdue import bounded

def work():
    woken = subprocess.Popen(["sh", "-c", f"sleep 1.5; kill -CONT {os.getpid()}"])
    os.kill(os.getpid(), signal.SIGSTOP)
    time.sleep(0.1)
    woken.wait()
    return "done"

def within():
    with bounded(0.1):
        return work()

print(within())
"""


def nap() -> None:
    time.sleep(60.0)


def napped() -> None:
    with bounded(0.1):
        nap()


def test_a_machine_that_stood_still_stops_nobody() -> None:
    done = subprocess.run([sys.executable, "-c", STOOD_STILL], capture_output=True, text=True, check=False)
    assert (done.stdout.strip(), done.returncode) == ("done", 0), done.stderr


def test_who_sleeps_for_longer_than_that_is_stopped() -> None:
    with pytest.raises(Overdue):
        napped()
