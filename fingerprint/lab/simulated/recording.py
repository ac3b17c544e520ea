"""What the client's interface saw, as pcapng with virtual times."""

from __future__ import annotations

from pathlib import Path

from captures.write import Frame, Link, block, opening, statistics
from fingerprint.lab.packet import Packet
from fingerprint.lab.simulated.clock import Clock

# libpcap's registry: 101 is raw IP.
_RAW = 101


class SimulatedRecording:
    """Packets by the virtual clock; `flush` appends to one file and witnesses the time up to now."""

    def __init__(self, clock: Clock, file: Path) -> None:
        self._clock, self.file = clock, file
        self._began_ns = clock.time_ns
        self._pending: list[bytes] = [opening([Link(link_type=_RAW, name="simulated")], application="simulated path")]
        self.count = 0
        self._started = False

    def see(self, packet: Packet) -> None:
        """A packet passes the interface."""
        self.count += 1
        self._pending.append(block(Frame(content=packet.to_bytes(), time_ns=self._clock.time_ns)))

    def flush(self) -> Path:
        """The file, complete up to now."""
        ended_ns = self._clock.time_ns
        self._pending.append(
            statistics(
                interface=0, received_pkts=self.count, dropped_pkts=0, began_ns=self._began_ns, ended_ns=ended_ns
            )
        )
        with self.file.open("ab" if self._started else "wb") as file:
            file.write(b"".join(self._pending))
        self._pending.clear()
        self._started = True
        return self.file
