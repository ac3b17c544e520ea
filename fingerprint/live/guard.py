"""Holds back the resets that the kernel would send for handshakes that it knows nothing of.

The rule lives in a table of nft that belongs to the process that made it (``flags owner``): the kernel removes it when
that process ends, however it ends. That process is an interactive nft, which ends when its input is closed. Once the
table stands, this run gives that input away to a keeper, a shell that does nothing but wait for the end of the run: nft
keeps its rights, and whoever took over the run must not be able to tell it anything. Only the source ports that are
kept for packets made by hand are concerned, and packets that we mark ourselves pass.
"""

from __future__ import annotations

import contextlib
import os
import re
import select
import shutil
import subprocess
import time
from pathlib import Path

from captures.errors import PrivilegeError
from fingerprint.live.ports import PortRange

START_S = 10.0
REMEDY = "install nftables and run it with sudo, or leave out what needs handshakes of our own"


def find() -> str | None:
    """Where nft is; it stands in a folder that is not on every path."""
    return shutil.which("nft") or next((p for p in ("/usr/sbin/nft", "/sbin/nft") if Path(p).exists()), None)


class Guard:
    """The table of a run. `verified` only after it was read back."""

    def __init__(self, ports: PortRange, mark: int, program: str | None = None) -> None:
        """Set it up and read it back. Raises PrivilegeError if nft is missing, refuses, or shows something else."""
        program = program or find()
        if program is None:
            raise PrivilegeError(f"nft is missing; {REMEDY}")
        self.table = f"fingerprint_{os.getpid()}_{ports.first}"
        self.verified = False
        self._keeper: subprocess.Popen[bytes] | None = None
        try:
            self._process = subprocess.Popen(  # noqa: S603  # nft itself
                [program, "-i"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                bufsize=0,
                cwd="/",
            )
        except OSError as error:
            raise PrivilegeError(f"nft does not start ({error.strerror}); {REMEDY}") from None
        try:
            with contextlib.suppress(BrokenPipeError):  # one that is gone already has said why
                self._say(rules(self.table, ports, mark))
                self._say(f"list table inet {self.table}\n")
            self._verify(self._heard(), ports, mark)
            self._keeper = self._give_away()
        except (OSError, PrivilegeError) as error:
            self.close()
            says = str(error) if isinstance(error, PrivilegeError) else f"nft does not answer; {REMEDY}"
            raise PrivilegeError(says) from None

    def close(self) -> None:
        """The table goes with its owner."""
        self.verified = False
        for process in (self._keeper, self._process):
            if process is None:
                continue
            for pipe in (process.stdin, process.stdout):
                if pipe:
                    pipe.close()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(START_S)

    def _give_away(self) -> subprocess.Popen[bytes]:
        """Let a process that only waits hold nft's input; it lets go when ours is closed, by us or by the kernel."""
        held = self._process.stdin
        assert held is not None
        keeper = subprocess.Popen(
            ["/bin/sh", "-c", "read _"], stdin=subprocess.PIPE, pass_fds=[held.fileno()], bufsize=0, cwd="/"
        )
        held.close()
        return keeper

    def _say(self, words: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(words.encode())

    def _heard(self) -> str:
        """What nft lists, up to the brace that closes the table."""
        assert self._process.stdout is not None
        heard, until = "", time.monotonic() + START_S
        while (left := until - time.monotonic()) > 0:
            if not select.select([self._process.stdout], [], [], left)[0]:
                break
            told = os.read(self._process.stdout.fileno(), 1 << 16)
            heard += told.decode(errors="replace")
            if not told or re.search(r"^}", heard, re.MULTILINE) or "Error" in heard:
                return heard
        return heard

    def _verify(self, listed: str, ports: PortRange, mark: int) -> None:
        wanted = (
            rf"table inet {self.table}.*flags owner.*hook output.*tcp sport {ports.first}-{ports.last}.*rst"
            rf".*meta mark != 0x0*{mark:x}.*drop"
        )
        if not re.search(wanted, listed, re.DOTALL):
            said = next((line for line in listed.splitlines() if "rror" in line), "another table than was asked for")
            raise PrivilegeError(f"nft did not set the guard up ({said.strip()}); {REMEDY}")
        self.verified = True


def rules(table: str, ports: PortRange, mark: int) -> str:
    """One line, as an interactive nft reads it; version 1.0.6 wants a semicolon before every closing brace."""
    return (
        f"add table inet {table} {{ flags owner; chain output {{ type filter hook output priority 0; policy accept; "
        f"tcp sport {ports.first}-{ports.last} tcp flags & rst == rst meta mark != {mark:#x} drop; }}; }}\n"
    )
