"""A capture file, read once: columns, flows, names, and the way back to any packet's bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from captures import dissect
from captures.columns import Columns, Flows
from captures.packet import Packet


@dataclass(frozen=True, slots=True, kw_only=True)
class Interface:
    """One capture interface; `dropped_pkts` is what the recorder says it lost, None where it does not say.

    `received_pkts` and `ended_ns` are the recorder's last words on how much it was given, and on when it stopped.
    """

    link_type: int
    name: str | None
    snaplen_bytes: int
    dropped_pkts: int | None
    received_pkts: int | None = None
    ended_ns: int | None = None


# A recorder that stopped more than a day after its last packet is less likely than a clock that was set.
LONGEST_SILENCE_NS = 86_400 * 10**9
# dumpcap 4.0 counts the times of its statistics in microseconds, also where its interface counts nanoseconds.
_UNITS_NS = (1, 1000)


class Source(Protocol):
    """Where the bytes of frames can be read again."""

    def read(self, offset: int, size_bytes: int) -> bytes:
        """The bytes at ``offset`` of the uncompressed stream."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decrypted:
    """What a key log shows in one packet: certificates as DER, hosts asked for, statuses answered; or none."""

    certificates: tuple[bytes, ...]
    hosts: tuple[str, ...]
    statuses: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """One capture at rest. `index` is its place in the report; `errors` are sentences that end a partial read."""

    index: int
    file: str
    sha256: str  # of the file as stored, compression included
    interfaces: tuple[Interface, ...]
    columns: Columns
    flows: Flows
    names: tuple[str, ...]
    errors: tuple[str, ...]
    source: Source
    # For the first row of each fragmented datagram: the rows of its later fragments, in order of offset.
    fragments: dict[int, tuple[int, ...]]
    decrypted: Mapping[int, Decrypted] = field(default_factory=dict)  # by row, where its reader had the keys

    @property
    def ended_ns(self) -> int:
        """When recording ended: the last packet, or later, where the recorder says that it went on listening.

        Its word is taken only of a file that holds all that it recorded: a slice of it was not listened to so long.
        """
        c = self.columns
        last_ns = int(c.time_ns.max()) if len(c) else 0
        kept = np.bincount(c.interface, minlength=len(self.interfaces))
        ends = [last_ns]
        for interface, held in zip(self.interfaces, kept.tolist(), strict=False):
            if interface.ended_ns is None or held < (interface.received_pkts or 0) - (interface.dropped_pkts or 0):
                continue
            told = (interface.ended_ns * unit_ns for unit_ns in _UNITS_NS)
            ends += [end_ns for end_ns in told if last_ns <= end_ns <= last_ns + LONGEST_SILENCE_NS]
        return max(ends)

    def frame(self, row: int) -> bytes:
        """The captured bytes of the packet in that row."""
        c = self.columns
        return self.source.read(int(c.offset[row]), int(c.captured_bytes[row]))

    def payload(self, row: int) -> bytes:
        """The transport payload as captured, of a fragmented datagram all that was seen up to the first hole."""
        return dissect.payload(self, row)

    def packet(self, row: int) -> Packet:
        """The packet in that row, decoded with care; its number is ``row + 1``. Raises IndexError beyond the last."""
        return dissect.packet(self, row)
