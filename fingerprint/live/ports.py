"""The source ports of a run: a block outside the system's own range, so that nobody else's traffic looks like ours.

A block is held by an abstract Unix socket that carries its first port in the name. Such names are kept per network
namespace and vanish with the process, so that two runs never share ports and a killed one leaves nothing behind.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from captures.errors import PrivilegeError

# Ports in a block: a run takes a fresh one for every step and begins again only when all were used.
BLOCK_PORTS = 2000
# The last ones of a block are for packets made by hand; only there are the kernel's own resets held back.
CRAFTED_PORTS = 200
# RFC 6335 section 6: system ports end at 1023, and few services beyond 20000 are well known.
LOWEST_PORT, HIGHEST_PORT = 20_000, 65_535
LOCAL_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")


@dataclass(frozen=True, slots=True)
class PortRange:
    """Ports from ``first`` to ``last``, both included."""

    first: int
    last: int

    def __contains__(self, port: object) -> bool:
        return isinstance(port, int) and self.first <= port <= self.last

    @property
    def crafted(self) -> PortRange:
        """Those for packets made by hand."""
        return PortRange(self.last - CRAFTED_PORTS + 1, self.last)


class Ports:
    """A reserved block, and the next port of it. Close it to give it back."""

    def __init__(self, block: PortRange, lock: socket.socket) -> None:
        """Use `reserve`."""
        self.block = block
        self._lock = lock
        self._next = block.first
        self._next_crafted = block.crafted.first

    def fresh(self) -> int:
        """The port that was not used for longest."""
        port = self._next
        self._next = port + 1 if port + 1 < self.block.crafted.first else self.block.first
        return port

    def fresh_crafted(self) -> int:
        """The same among the ports for packets made by hand."""
        port = self._next_crafted
        self._next_crafted = port + 1 if port < self.block.last else self.block.crafted.first
        return port

    def close(self) -> None:
        """Give the block back."""
        self._lock.close()


def reserve() -> Ports:
    """A block that no other run in this network namespace holds. Raises PrivilegeError if every block is taken."""
    for block in blocks(*local_range()):
        if lock := held(block):
            return Ports(block, lock)
    raise PrivilegeError("every block of source ports is in use by other runs; wait until one has ended")


def local_range() -> tuple[int, int]:
    """The ports that the kernel gives to sockets that ask for any."""
    try:
        first, last = LOCAL_RANGE.read_text(encoding="ascii").split()
        return int(first), int(last)
    except (OSError, ValueError):
        # Linux, Documentation/networking/ip-sysctl: the default.
        return 32_768, 60_999


def blocks(first: int, last: int) -> Iterator[PortRange]:
    """Blocks above the system's range, then below it, then, if there is no room, at the top of it."""
    for start in range(last + 1, HIGHEST_PORT - BLOCK_PORTS + 2, BLOCK_PORTS):
        yield PortRange(start, start + BLOCK_PORTS - 1)
    for end in range(min(first, HIGHEST_PORT) - 1, LOWEST_PORT + BLOCK_PORTS - 2, -BLOCK_PORTS):
        yield PortRange(end - BLOCK_PORTS + 1, end)
    if last >= HIGHEST_PORT - BLOCK_PORTS and first < LOWEST_PORT + BLOCK_PORTS:
        yield PortRange(HIGHEST_PORT - BLOCK_PORTS + 1, HIGHEST_PORT)


def held(block: PortRange) -> socket.socket | None:
    """The lock on a block, None if somebody else has it."""
    lock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        lock.bind(f"\0fingerprint-ports-{block.first}")
    except OSError:
        lock.close()
        return None
    return lock
