"""``fingerprint doctor``: what this machine offers, and how to mend what is missing."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from fingerprint import exits
from fingerprint.terminal import clean, console

# linux/capability.h: the bits that raw packets and firewall rules need.
CAP_NET_ADMIN, CAP_NET_RAW = 12, 13


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing looked at. ``remedy`` is empty where nothing is to be mended."""

    what: str
    found: str
    good: bool
    required: bool = False
    remedy: str = ""


def report() -> int:
    """Print every check and return the exit code: 4 only if something required is missing."""
    found = list(checks())
    out = console(sys.stdout)
    for check in found:
        sign, style = ("✓", "green") if check.good else ("✗", "bold red") if check.required else ("·", "yellow")
        out.print(f"[{sign}]" if out.encoding != "utf-8" else sign, style=style, end=" ")
        out.print(clean(f"{check.what:<18}{check.found}"), soft_wrap=True)
        if check.remedy:
            out.print(clean(f"{'':<20}{check.remedy}"), style="dim", soft_wrap=True)
    missing = [c for c in found if c.required and not c.good]
    out.print()
    out.print("Next: mend the lines marked ✗." if missing else "Next: fingerprint demo", style="dim")
    return exits.MISSING if missing else exits.ANSWERED


def checks() -> Iterator[Check]:
    """All checks, in the order in which they matter."""
    yield python()
    yield from packages()
    yield core()
    yield from (zstd(), scipy())
    yield from (tool(name, use, package) for name, use, package in TOOLS)
    yield privilege()
    yield from live()


def python() -> Check:
    """3.11 or newer."""
    good = sys.version_info >= (3, 11)
    remedy = "" if good else "install Python 3.11 or newer"
    return Check(what="python", found=sys.version.split()[0], good=good, required=True, remedy=remedy)


def packages() -> Iterator[Check]:
    """The packages that it is built on."""
    wanted = ("numpy", "cryptography", "dnspython", "h11", "scapy", "pyshark", "rich", "typer")
    versions = {name: installed(name) for name in wanted}
    missing = [name for name, version in versions.items() if version is None]
    said = ", ".join(f"{name} {version}" for name, version in versions.items() if version)
    remedy = f"pip install {' '.join(missing)}" if missing else ""
    yield Check(what="packages", found=said, good=not missing, required=True, remedy=remedy)


def installed(name: str) -> str | None:
    """The version of a distribution, or None."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def core() -> Check:
    """Which of the two readers runs."""
    import captures

    used = captures.core_in_use()
    good = used == "compiled"
    remedy = "" if good else "captures read slower; install gcc and python3-dev, then install this package again"
    return Check(what="reader", found=used, good=good, remedy=remedy)


def zstd() -> Check:
    """Reading .zst captures."""
    found = next((name for name in ("compression.zstd", "backports.zstd", "zstandard") if importable(name)), None)
    remedy = "" if found else "for .zst captures: pip install 'censorship-fingerprint[zstd]'"
    return Check(what="zstd", found=found or "absent", good=found is not None, remedy=remedy)


def scipy() -> Check:
    """Statistics beyond the basics."""
    version = installed("scipy")
    remedy = "" if version else "for more statistics: pip install 'censorship-fingerprint[stats]'"
    return Check(what="scipy", found=version or "absent", good=version is not None, remedy=remedy)


def importable(name: str) -> bool:
    """Whether a module is there, without importing it."""
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False


# (program, what it is for, Debian package); none is needed to analyse captures.
TOOLS = (
    ("tshark", "a second opinion on cited packets", "tshark"),
    ("dumpcap", "recording probes without root", "wireshark-common"),
    ("nft", "holding back the kernel's own resets while probing", "nftables"),
    ("ip", "the laboratory's namespaces", "iproute2"),
    ("nginx", "the laboratory's web server", "nginx-light"),
    ("dnsmasq", "the laboratory's name server", "dnsmasq-base"),
)


def tool(name: str, use: str, package: str, which: Callable[[str], str | None] = shutil.which) -> Check:
    """A program that some later step would use."""
    path = which(name) or next((p for p in (f"/usr/sbin/{name}", f"/sbin/{name}") if Path(p).exists()), None)
    remedy = "" if path else f"optional, for {use}: apt-get install {package}"
    return Check(what=name, found=path or "absent", good=path is not None, remedy=remedy)


def privilege() -> Check:
    """Root or capabilities: analysis needs none, probing does."""
    held = capabilities()
    names = [name for name, bit in (("CAP_NET_RAW", CAP_NET_RAW), ("CAP_NET_ADMIN", CAP_NET_ADMIN)) if held >> bit & 1]
    who = "root" if os.geteuid() == 0 else "not root"
    remedy = "" if names else "analysis needs no privilege; probing does: sudo fingerprint probe"
    return Check(
        what="privilege", found=f"{who}, {' '.join(names) or 'no capability'}", good=bool(names), remedy=remedy
    )


def live() -> Iterator[Check]:
    """What live probing and the laboratory need."""
    from fingerprint.live import fitness

    for seen in fitness.findings():
        yield Check(what=seen.what, found=seen.found, good=not seen.remedy, remedy=seen.remedy)


def capabilities() -> int:
    """The effective capability set of this process as a bit mask; 0 where the system does not tell."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1], 16) for line in lines if line.startswith("CapEff:")), 0)
