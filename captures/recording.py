"""A capture file, read once: columns, flows, names, and the way back to any packet's bytes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from captures import dissect
from captures.columns import Columns, Flows
from captures.packet import Packet


@dataclass(frozen=True, slots=True, kw_only=True)
class Interface:
    """One capture interface; `dropped_pkts` is what the recorder says it lost, None where it does not say."""

    link_type: int
    name: str | None
    snaplen_bytes: int
    dropped_pkts: int | None


class Source(Protocol):
    """Where the bytes of frames can be read again."""

    def read(self, offset: int, size_bytes: int) -> bytes:
        """The bytes at ``offset`` of the uncompressed stream."""


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
