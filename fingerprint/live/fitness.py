"""What this machine offers a live run and the laboratory, and how to mend what is missing."""

from __future__ import annotations

import importlib.metadata
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

from captures.errors import PrivilegeError
from fingerprint.live import dumpcap, guard, privileges, routes
from fingerprint.live.ports import PortRange
from fingerprint.live.resolving import system_resolvers

# Public addresses of a root name server (a.root-servers.net), of which only the route is asked; nothing is sent.
FAR_AWAY, FAR_AWAY6 = "198.41.0.4", "2001:503:ba3e::2:30"
PATIENCE_S = 10.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at; ``remedy`` is empty where nothing is to be mended."""

    what: str
    found: str
    remedy: str = ""


def findings() -> Iterator[Finding]:
    """Everything, in the order in which a run needs it."""
    yield recording()
    yield crafting()
    yield holding_back()
    yield resolver()
    yield from (way("IPv4 route", FAR_AWAY), way("IPv6 route", FAR_AWAY6))
    yield hello()
    yield user_namespaces()


def recording() -> Finding:
    """Sockets of our own, or dumpcap instead."""
    if privileges.holds(privileges.CAP_NET_RAW):
        return Finding("recording", "by this process (CAP_NET_RAW)")
    program = dumpcap.find()
    if program is None:
        return Finding("recording", "not possible", "run it with sudo, or apt-get install wireshark-common")
    # The group's name and the question are Debian's; other systems ask when the package is installed.
    join = "dpkg-reconfigure wireshark-common, then adduser $USER wireshark and log in again"
    may = dumpcap.may_record(program, "lo")
    return (
        Finding("recording", "by dumpcap", "")
        if may
        else Finding("recording", "not possible", f"run with sudo, or {join}")
    )


def crafting() -> Finding:
    """Decoys and packets made by hand."""
    if privileges.holds(privileges.CAP_NET_RAW):
        return Finding("crafted packets", "possible (CAP_NET_RAW)")
    return Finding(
        "crafted packets", "not possible", "run it with sudo; without, places beyond plain sweeps stay unknown"
    )


def holding_back() -> Finding:
    """The nft table of a run, tried: set up, read back, gone again."""
    if guard.find() is None:
        return Finding("own handshakes", "nft is absent", "apt-get install nftables")
    if not privileges.holds(privileges.CAP_NET_ADMIN):
        return Finding("own handshakes", "not possible", "run it with sudo (CAP_NET_ADMIN)")
    try:
        # Ports that no run uses: they lie below the lowest block.
        guard.Guard(PortRange(1, 1), mark=1).close()
    except PrivilegeError as error:
        return Finding("own handshakes", "nft refuses", str(error))
    return Finding("own handshakes", "possible (nft, flags owner)")


def resolver() -> Finding:
    """Who resolves names here."""
    found = system_resolvers()
    remedy = "" if found else "name one in /etc/resolv.conf, or give --resolver"
    return Finding("resolver", ", ".join(found) or "none", remedy)


def way(what: str, address: str) -> Finding:
    """Whether the outside is to be had in that protocol."""
    found = routes.route(address)
    if found.why_not:
        return Finding(what, "none", "without it that protocol is left out of a run; see ip route and ip -6 route")
    return Finding(what, f"over {found.interface}")


def hello() -> Finding:
    """Whose ClientHello is sent."""
    try:
        version = importlib.metadata.version("utls")
    except importlib.metadata.PackageNotFoundError:
        return Finding("utls", "absent", "hellos will look like Python's, not a browser's: pip install utls")
    return Finding("utls", version)


def user_namespaces() -> Finding:
    """The laboratory without root."""
    try:
        done = subprocess.run(["unshare", "-Urn", "true"], capture_output=True, check=False, timeout=PATIENCE_S)  # noqa: S607  # wherever it is
    except (OSError, subprocess.TimeoutExpired):
        return Finding(
            "user namespaces", "unshare is absent", "apt-get install util-linux, or run the laboratory as root"
        )
    if done.returncode == 0:
        return Finding("user namespaces", "allowed: the laboratory runs without root")
    remedy = "" if os.geteuid() == 0 else "run the laboratory with sudo, or sysctl kernel.unprivileged_userns_clone=1"
    return Finding("user namespaces", "not allowed", remedy)
