"""Namespaces of the tests' own, and what is needed to be inside one.

A test runs in this process; `inside` moves its thread into a network namespace for a while. Sockets stay where they
were opened. Without root a test is skipped, saying so; in CI it fails instead.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import subprocess
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

CLONE_NEWNET = 0x40000000
libc = ctypes.CDLL(None, use_errno=True)

CLIENT, SERVER = "81.17.24.10", "45.83.220.10"
CLIENT6, SERVER6 = "2a0d:5600:24::10", "2a0e:97c0:220::10"


def need_root():
    """Skip (in CI: fail) where namespaces cannot be made."""
    if os.geteuid() != 0:
        missing("network namespaces need root here")


def missing(why):
    if os.environ.get("CI"):
        pytest.fail(why)
    pytest.skip(why)


def ip(*words):
    subprocess.run(["ip", *words], check=True, capture_output=True)


@dataclass(frozen=True)
class Wire:
    """Two namespaces and one cable: `client` has eth0, `server` eth0 at the other end. A router may stand between."""

    client: str
    server: str
    router: str | None = None


@contextlib.contextmanager
def inside(name) -> Iterator[None]:
    """This thread, in that namespace."""
    with Path("/proc/thread-self/ns/net").open() as home, Path(f"/run/netns/{name}").open() as away:
        assert libc.setns(away.fileno(), CLONE_NEWNET) == 0
        try:
            yield
        finally:
            assert libc.setns(home.fileno(), CLONE_NEWNET) == 0


@contextlib.contextmanager
def wire(*, routed=False, six=True) -> Iterator[Wire]:
    """A fresh wire; gone afterwards."""
    need_root()
    tag = uuid.uuid4().hex[:6]
    names = [f"fpt-{tag}-{role}" for role in ("c", "r", "s") if routed or role != "r"]
    try:
        for name in names:
            ip("netns", "add", name)
            ip("-n", name, "link", "set", "lo", "up")
            # No second of waiting until an address of IPv6 may be used.
            subprocess.run(
                ["ip", "netns", "exec", name, "sysctl", "-qw", "net.ipv6.conf.default.accept_dad=0"], check=True
            )
        if routed:
            cable(names[0], "eth0", names[1], "left")
            cable(names[1], "right", names[2], "eth0")
            addresses(names[1], "left", "81.17.24.1/24", "2a0d:5600:24::1/64", six)
            addresses(names[1], "right", "45.83.220.1/24", "2a0e:97c0:220::1/64", six)
            for key in ("net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding"):
                subprocess.run(
                    ["ip", "netns", "exec", names[1], "sysctl", "-qw", f"{key.replace('/', '.')}=1"], check=True
                )
            subprocess.run(["ip", "netns", "exec", names[1], "sysctl", "-qw", "net.ipv4.icmp_ratelimit=0"], check=True)
            addresses(names[0], "eth0", f"{CLIENT}/24", f"{CLIENT6}/64", six)
            addresses(names[2], "eth0", f"{SERVER}/24", f"{SERVER6}/64", six)
            ip("-n", names[0], "route", "add", "default", "via", "81.17.24.1")
            ip("-n", names[2], "route", "add", "default", "via", "45.83.220.1")
            if six:
                ip("-n", names[0], "-6", "route", "add", "default", "via", "2a0d:5600:24::1")
                ip("-n", names[2], "-6", "route", "add", "default", "via", "2a0e:97c0:220::1")
        else:
            cable(names[0], "eth0", names[1], "eth0")
            addresses(names[0], "eth0", f"{CLIENT}/24", f"{CLIENT6}/64", six)
            addresses(names[1], "eth0", f"{SERVER}/24", f"{SERVER6}/64", six)
            ip("-n", names[0], "route", "add", "default", "dev", "eth0")
            ip("-n", names[1], "route", "add", "default", "dev", "eth0")
            if six:
                ip("-n", names[0], "-6", "route", "add", "default", "dev", "eth0")
                ip("-n", names[1], "-6", "route", "add", "default", "dev", "eth0")
        yield Wire(names[0], names[-1], names[1] if routed else None)
    finally:
        for name in names:
            subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)


def cable(one, here, other, there):
    ip("-n", one, "link", "add", here, "type", "veth", "peer", "name", there, "netns", other)
    ip("-n", one, "link", "set", here, "up")
    ip("-n", other, "link", "set", there, "up")
    for name, link in ((one, here), (other, there)):
        if Path("/usr/sbin/ethtool").exists():
            subprocess.run(
                [
                    "ip",
                    "netns",
                    "exec",
                    name,
                    "ethtool",
                    "-K",
                    link,
                    "tx",
                    "off",
                    "tso",
                    "off",
                    "gso",
                    "off",
                    "gro",
                    "off",
                ],
                check=False,
                capture_output=True,
            )


def addresses(name, link, four, six_address, six):
    ip("-n", name, "address", "add", four, "dev", link)
    if six:
        ip("-n", name, "address", "add", six_address, "dev", link, "nodad")
