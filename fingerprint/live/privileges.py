"""Giving up what is no longer needed: sockets first, then this, then the untrusted bytes.

After `drop` the process is an ordinary user's, its capability sets and its bounding set are empty, and no program that
it starts can gain any. What is open stays open. Where the kernel maps one user only (a user namespace without root)
there is nobody to become, and the capabilities go alone.

A short door of our own to prctl and capset: five calls of an interface that never changes.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from captures.errors import PrivilegeError

# linux/capability.h, linux/prctl.h
CAP_SETPCAP, CAP_NET_ADMIN, CAP_NET_RAW = 8, 12, 13
CAPABILITY_VERSION_3 = 0x20080522
PR_CAPBSET_READ, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS, PR_CAP_AMBIENT = 23, 24, 38, 47
PR_CAP_AMBIENT_CLEAR_ALL = 4
# The highest number that a 64-bit set can hold; the kernel says which exist.
HIGHEST_CAPABILITY = 63
# Debian and the BSDs alike; asked of the password file first.
NOBODY_ID = 65534
SETS = ("CapInh", "CapPrm", "CapEff", "CapAmb")


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Who to become. ``why_not`` says why this process stays who it is, if it does."""

    uid: int
    gid: int
    why_not: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What a thread may do, from its status."""

    uid: int
    gid: int
    groups: tuple[int, ...]
    sets: dict[str, int]
    bounding: int
    no_new_privs: bool


def chosen(must_reach: Iterable[Path]) -> Account:
    """The invoking user of sudo, else nobody; this user if there is nobody to become or nobody could reach the files.

    ``must_reach`` are folders to be entered and read, and files to be read, after the drop.
    """
    here = Account(uid=os.geteuid(), gid=os.getegid())
    if here.uid != 0:
        return here
    wanted = invoking() or nobody()
    if not mapped(wanted.uid) or not mapped(wanted.gid, "gid_map"):
        return Account(uid=0, gid=here.gid, why_not="this namespace has no other user")
    for path in must_reach:
        if not reaches(wanted, path):
            says = f"{pwd_name(wanted.uid)} cannot read {path}, so that root stays root, without any capability"
            return Account(uid=0, gid=here.gid, why_not=says)
    return wanted


def invoking() -> Account | None:
    """Who called sudo."""
    try:
        uid, gid = int(os.environ["SUDO_UID"]), int(os.environ["SUDO_GID"])
    except (KeyError, ValueError):
        return None
    return Account(uid=uid, gid=gid) if uid > 0 and gid > 0 else None


def nobody() -> Account:
    """The account that owns nothing."""
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError:
        return Account(uid=NOBODY_ID, gid=NOBODY_ID)
    return Account(uid=entry.pw_uid, gid=entry.pw_gid)


def pwd_name(uid: int) -> str:
    """The name of a user, or its number."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"


def mapped(number: int, which: str = "uid_map") -> bool:
    """Whether this user namespace knows that number."""
    try:
        lines = Path(f"/proc/self/{which}").read_text(encoding="ascii").splitlines()
    except OSError:
        return True
    return any(int(first) <= number < int(first) + int(count) for first, _, count in map(str.split, lines))


def reaches(account: Account, path: Path) -> bool:
    """Whether that account could read ``path`` (a folder: enter it as well), tried by a child that becomes it."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    code = 1
    try:
        os.setgroups([])
        os.setresgid(account.gid, account.gid, account.gid)
        os.setresuid(account.uid, account.uid, account.uid)
        need = os.R_OK | (os.X_OK if path.is_dir() else 0)
        code = 0 if os.access(path, need) else 1
    finally:
        os._exit(code)


def drop(account: Account) -> None:
    """Become that account, without any capability, for good; and make sure of it.

    Call it before any thread was started: the kernel keeps these things for each thread apart. Raises PrivilegeError
    if afterwards anything is left.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    bounded = empty_bounding_set(libc)
    if account.uid != os.geteuid():
        os.setgroups([])
        os.setresgid(account.gid, account.gid, account.gid)
        os.setresuid(account.uid, account.uid, account.uid)
    libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    libc.capset(header, (ctypes.c_uint32 * 6)())
    libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    verify(account, bounded=bounded)


def empty_bounding_set(libc: ctypes.CDLL) -> bool:
    """What no program may ever have. False without the right to say so; then no_new_privs alone must do."""
    for capability in range(HIGHEST_CAPABILITY + 1):
        if libc.prctl(PR_CAPBSET_READ, capability, 0, 0, 0) == 1 and libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0):
            return False
    return True


def verify(account: Account, *, bounded: bool) -> None:
    """Look at every thread. Raises PrivilegeError if one of them kept something."""
    for task in Path("/proc/self/task").iterdir():
        found = state(task / "status")
        kept = [name for name in SETS if found.sets[name]]
        if found.uid != account.uid or found.gid != account.gid:
            kept.append(f"user {found.uid}")
        if bounded and found.bounding:
            kept.append("bounding set")
        if not found.no_new_privs:
            kept.append("the right to gain privileges")
        if kept:
            raise PrivilegeError(
                f"privileges could not be dropped ({', '.join(kept)} left in thread {task.name}); "
                "run it without --plugins, and report this"
            )


def state(status: Path = Path("/proc/self/status")) -> State:
    """What a thread may do."""
    told = dict(line.split(":", 1) for line in status.read_text(encoding="utf-8", errors="replace").splitlines())
    return State(
        uid=int(told["Uid"].split()[1]),
        gid=int(told["Gid"].split()[1]),
        groups=tuple(int(group) for group in told["Groups"].split()),
        sets={name: int(told[name], 16) for name in SETS},
        bounding=int(told["CapBnd"], 16),
        no_new_privs=told["NoNewPrivs"].strip() == "1",
    )


def holds(capability: int) -> bool:
    """Whether this process has that capability now."""
    return bool(state().sets["CapEff"] >> capability & 1)


def code_folders() -> tuple[Path, ...]:
    """What must stay readable: the interpreter, and every folder that modules come from."""
    folders = {Path(folder).resolve() for folder in sys.path if folder and Path(folder).is_dir()}
    return (Path(sys.executable), Path(__file__).resolve().parents[1], *sorted(folders))
