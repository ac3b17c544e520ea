"""What the tests of the laboratory share: whether one can be had here, and commands run in it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from fingerprint.lab.laboratory import Settings, run

ROOT = Path(__file__).parents[2]
TOOLS = ("ip", "nginx", "dnsmasq")
SEARCHED = "/usr/sbin:/sbin:/usr/bin:/bin"


def needs_a_laboratory() -> None:
    """Skip, saying why, where no laboratory can be had; in CI that is a failure."""
    missing = [tool for tool in TOOLS if shutil.which(tool, path=SEARCHED) is None]
    why = f"{', '.join(missing)} missing" if missing else ""
    if not why:
        tried = subprocess.run(["unshare", "-Urnm", "true"], capture_output=True, check=False)
        why = "" if os.geteuid() == 0 or tried.returncode == 0 else "the kernel refuses user namespaces"
    if why and os.environ.get("CI"):
        pytest.fail(f"no laboratory in CI: {why}")
    if why:
        pytest.skip(f"no laboratory here: {why}")


def as_client(code: str, settings: Settings | None = None, *arguments: str) -> str:
    """What a piece of Python prints that the client of a fresh laboratory runs."""
    done = run([sys.executable, "-c", code, *arguments], settings or Settings(), timeout_s=60)
    assert done.returncode == 0, done.stderr
    return done.stdout
