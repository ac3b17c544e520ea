"""Wireshark's recorder as the ears of ours, where it may open an interface and this process may not.

Distributions let members of a group run it with the capability that it needs. It pipes pcapng to the recording process,
which admits and writes exactly as it does with sockets of its own. It hands packets over in batches, so that asking
for everything up to now takes a moment, and it counts lost packets only when it ends.
"""

from __future__ import annotations

import os
import select
import shutil
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from struct import unpack, unpack_from

from captures.write import Link
from fingerprint.live.packet_sockets import ETHERNET_HEADER_BYTES, LINKTYPE_ETHERNET, LINKTYPE_RAW
from fingerprint.live.ports import PortRange

# dumpcap.c, CAP_READ_TIMEOUT: the kernel hands it a batch after a quarter of a second at the latest; measured: 0.23 s.
HANDED_OVER_S = 0.25
# How long its first block, which describes the interface, may take.
START_S = 10.0
# pcapng, draft-ietf-opsawg-pcapng section 11.1.
SECTION, INTERFACE, STATISTICS, ENHANCED = 0x0A0D0D0A, 1, 5, 6
RESOLUTION, DROPPED = 9, 5


def find() -> str | None:
    """Where dumpcap is; system folders are not always on a user's path."""
    return shutil.which("dumpcap") or next(
        (p for p in ("/usr/bin/dumpcap", "/usr/sbin/dumpcap") if Path(p).exists()), None
    )


def may_record(program: str, interface: str) -> bool:
    """Whether this user may record with it: it lists the interface's link types only then."""
    command = [program, "-L", "-i", interface]
    return subprocess.run(command, capture_output=True, check=False, timeout=START_S).returncode == 0  # noqa: S603


def command(program: str, interface: str, ports: PortRange, *, capture_all: bool) -> list[str]:
    """What records one interface to standard output."""
    chosen = (
        [] if capture_all else ["-f", f"portrange {ports.first}-{ports.last} or icmp or icmp6 or ip[6:2] & 0x1fff != 0"]
    )
    return [program, "-q", "-p", "-n", "-i", interface, *chosen, "-w", "-"]


class Piped:
    """What one dumpcap says."""

    def __init__(self, command: Sequence[str]) -> None:
        """Start it, and wait until it has described its interface. OSError if it does not."""
        self._process = subprocess.Popen(  # noqa: S603  # Wireshark's own program
            list(command), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        assert self._process.stdout is not None
        self._pipe = self._process.stdout.fileno()
        os.set_blocking(self._pipe, False)
        self._heard = bytearray()
        self._ticks_per_s = 1_000_000
        self._dropped = 0
        self.link, self._ended = Link(link_type=LINKTYPE_RAW), False
        self.header_bytes = 0
        self._ready: list[tuple[bytes, int, int]] = []
        self._begin(list(command)[command.index("-i") + 1])

    def _begin(self, interface: str) -> None:
        until = time.monotonic() + START_S
        self._described = False
        while not self._described:
            if not select.select([self._pipe], [], [], max(0.0, until - time.monotonic()))[0]:
                raise OSError("dumpcap says nothing")
            self._read()
        self.link = Link(link_type=self.link.link_type, name=interface)
        self.header_bytes = ETHERNET_HEADER_BYTES if self.link.link_type == LINKTYPE_ETHERNET else 0

    def fileno(self) -> int:
        """Of the pipe."""
        return self._pipe

    def batch(self, limit: int) -> list[tuple[bytes, int, int]]:
        """What came through the pipe. OSError if dumpcap ended by itself."""
        if not self._ready and not self._ended:
            self._read()
        out, self._ready = self._ready[:limit], self._ready[limit:]
        return out

    def settle(self) -> None:
        """Wait until it has handed over what it holds."""
        time.sleep(1.5 * HANDED_OVER_S)

    def dropped_pkts(self) -> int:
        """As it told when it ended; 0 before."""
        return self._dropped

    def finish(self) -> None:
        """Let it end, and take in what it says last."""
        self._process.terminate()
        try:
            while not self._ended:
                select.select([self._pipe], [], [], START_S)
                self._read()
        except OSError:
            pass
        self._process.wait(START_S)

    def _read(self) -> None:
        try:
            while told := os.read(self._pipe, 1 << 18):
                self._heard += told
                self._blocks()
        except BlockingIOError:
            return
        self._ended = True
        raise OSError("dumpcap ended")

    def _blocks(self) -> None:
        at = 0
        while len(self._heard) - at >= 12:
            kind, length = unpack_from("=II", self._heard, at)
            if length < 12 or len(self._heard) - at < length:
                break
            self._block(kind, bytes(self._heard[at + 8 : at + length - 4]))
            at += length
        del self._heard[:at]

    def _block(self, kind: int, body: bytes) -> None:
        if kind == ENHANCED:
            _, high, low, kept, wire = unpack_from("=IIIII", body)
            self._ready.append((body[20 : 20 + kept], (high << 32 | low) * 1_000_000_000 // self._ticks_per_s, wire))
        elif kind == INTERFACE:
            (link_type,) = unpack_from("=H", body)
            resolution = options(body[8:]).get(RESOLUTION, b"\x06")[0]
            # Section 4.2, if_tsresol: a negative power of 2 if the top bit is set, else of 10.
            self._ticks_per_s = 2 ** (resolution & 0x7F) if resolution & 0x80 else 10**resolution
            self.link, self._described = Link(link_type=link_type), True
        elif kind == STATISTICS:
            dropped = options(body[12:]).get(DROPPED)
            self._dropped = unpack("=Q", dropped)[0] if dropped else self._dropped


def options(body: bytes) -> dict[int, bytes]:
    """The options of a block."""
    out: dict[int, bytes] = {}
    at = 0
    while len(body) - at >= 4:
        code, length = unpack_from("=HH", body, at)
        if code == 0:
            break
        out[code] = body[at + 4 : at + 4 + length]
        at += 4 + length + -length % 4
    return out
