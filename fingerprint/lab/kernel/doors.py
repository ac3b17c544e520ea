"""Calls into the kernel that Python has no words for: namespaces, mounts, offloads, a signal at a parent's death.

Python 3.12 has `os.unshare` and `os.setns`; this package still serves 3.11.
"""

from __future__ import annotations

import array
import ctypes
import errno
import fcntl
import os
import signal
import socket
import struct
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from captures.errors import PrivilegeError

# linux/sched.h
NEWNS, NEWIPC, NEWUSER, NEWPID, NEWNET = 0x00020000, 0x08000000, 0x10000000, 0x20000000, 0x40000000
# linux/mount.h
_BIND, _RECURSIVE, _PRIVATE = 4096, 16384, 1 << 18
# linux/prctl.h
_PR_SET_PDEATHSIG = 1
# linux/ethtool.h and linux/sockios.h: SET_RXCSUM, TXCSUM, SG, TSO, GSO, GRO.
_SIOCETHTOOL = 0x8946
_OFFLOADS = (0x15, 0x17, 0x19, 0x1F, 0x24, 0x2C)

# Settings that keep namespaces from people who are not root (user_namespaces(7), and what Debian and Ubuntu add), with
# the value that does so and one that does not.
_GATES = (
    ("user/max_user_namespaces", "0", "10000"), ("kernel/unprivileged_userns_clone", "0", "1"),
    ("kernel/apparmor_restrict_unprivileged_userns", "1", "0"),
)  # fmt: skip

_libc = ctypes.CDLL(None, use_errno=True)


def _call(name: str, *arguments: object) -> None:
    if getattr(_libc, name)(*arguments) != 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{name}: {os.strerror(error)}")


def unshare(flags: int) -> None:
    """Leave the namespaces in ``flags`` for new ones. Raises PrivilegeError where the kernel refuses."""
    try:
        _call("unshare", flags)
    except OSError as error:
        raise refused(error) from None


def become_root() -> None:
    """Root inside a user namespace of our own, nobody else there. Raises PrivilegeError where the kernel refuses."""
    uid, gid = os.geteuid(), os.getegid()
    unshare(NEWUSER)
    try:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"0 {uid} 1")
        Path("/proc/self/gid_map").write_text(f"0 {gid} 1")
    except OSError as error:
        raise refused(error) from None


def refused(error: OSError) -> PrivilegeError:
    """The sentence about a kernel that gives no namespaces, with the settings that stand in the way."""
    mend = " ".join(
        f"{name.replace('/', '.')}={open_}"
        for name, shut, open_ in _GATES
        if (setting := Path("/proc/sys", name)).exists() and setting.read_text().strip() == shut
    )
    # unshare(2): ENOSPC is a limit on their number, nothing about a disk.
    why = "their number is limited" if error.errno == errno.ENOSPC else error.strerror
    how = f", or: sudo sysctl {mend}" if mend else ""
    return PrivilegeError(f"the kernel refuses new namespaces ({why}); run it with sudo{how}")


def enter(namespace: int) -> None:
    """Join the network namespace behind an open file."""
    _call("setns", namespace, NEWNET)


@contextmanager
def inside(path: str) -> Iterator[None]:
    """Be in the network namespace at ``path`` for a while, this thread alone."""
    home, there = os.open("/proc/thread-self/ns/net", os.O_RDONLY), os.open(path, os.O_RDONLY)
    try:
        enter(there)
        yield
    finally:
        enter(home)
        os.close(home)
        os.close(there)


def mount(source: str, target: str, kind: str) -> None:
    """Mount a fresh filesystem of that kind (tmpfs, proc)."""
    _call("mount", source.encode(), target.encode(), kind.encode(), 0, None)


def bind(source: str, target: str) -> None:
    """Let ``source`` be seen at ``target``."""
    _call("mount", source.encode(), target.encode(), None, _BIND, None)


def keep_mounts_private() -> None:
    """Nothing that is mounted from here on is seen outside."""
    _call("mount", b"none", b"/", None, _RECURSIVE | _PRIVATE, None)


def die_with_parent(alive: int) -> None:
    """Be killed when the parent dies, however it dies.

    ``alive`` is the read end of a pipe of which the parent alone holds the other end: if it is gone already, leave now.
    """
    _die_with_whoever_made_me()
    os.set_blocking(alive, False)
    try:
        if os.read(alive, 1) == b"":
            os._exit(1)
    except BlockingIOError:
        return


def die_with(parent: int) -> None:
    """Be killed when that parent dies, or leave now if it is gone already."""
    _die_with_whoever_made_me()
    if os.getppid() != parent:
        os._exit(1)


def _die_with_whoever_made_me() -> None:
    _call("prctl", _PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)


def offloads_off(interfaces: Iterable[str]) -> None:
    """What leaves an interface is what a capture shows: no segmentation or checksums left to a card that is none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as door:
        for name in interfaces:
            for command in _OFFLOADS:
                value = array.array("B", struct.pack("II", command, 0))
                request = struct.pack("16sP", name.encode(), value.buffer_info()[0])
                try:
                    fcntl.ioctl(door, _SIOCETHTOOL, request)
                except OSError:
                    continue  # this kernel has no such offload, so that it is off
