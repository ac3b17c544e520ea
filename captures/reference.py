"""The pass over a capture in plain Python: what the compiled core must equal, byte for byte."""

from __future__ import annotations

from collections.abc import Iterable
from struct import Struct
from typing import Any

import numpy as np

from captures.columns import COLUMNS, Columns, Flows
from captures.decode import decode
from captures.marks import printable
from captures.records import Walk

_CODES = {np.uint8: "B", np.uint16: "H", np.uint32: "I", np.int32: "i", np.int64: "q"}
_ROW = Struct("=" + "".join(_CODES[kind] for kind in COLUMNS.values()))
_TABLE = np.dtype(list(COLUMNS.items()))


class Pass:
    """Takes frames from a walk, keeps rows, flows and names."""

    def __init__(self, walk: Walk) -> None:
        self._walk = walk
        self._rows = bytearray()
        self._count = 0
        self._flow_rows: dict[tuple[Any, ...], tuple[int, int]] = {}
        self._flows: list[tuple[int, int, bytes, bytes, int, int]] = []
        self._name_rows: dict[bytes, int] = {}

    def __len__(self) -> int:
        return self._count

    def feed(self, block: memoryview, base: int) -> int:
        """Reads whole records from a block that starts at offset ``base``; returns how many bytes they took.

        Raises Fault at the first record that is broken.
        """
        at, step = 0, self._walk.step
        while True:
            following = step(block, at, base, self)
            if following == at:
                return at
            at = following

    def add(self, frame: bytes, time_ns: int, offset: int, wire_bytes: int, interface: int, link_type: int) -> None:
        """One frame: decoded, and appended to every column."""
        row = decode(frame, link_type, wire_bytes)
        flow, direction = -1, 0
        if row.flow is not None:
            flow, direction = self._flow(row.flow)
        name = -1
        if row.name is not None:
            name = self._name_rows.setdefault(row.name, len(self._name_rows))
        self._count += 1
        self._rows += _ROW.pack(
            time_ns, offset, len(frame), wire_bytes, interface, *row[:6], flow, direction, *row[6:19], name
        )

    def _flow(self, key: tuple[int, int, bytes, bytes, int, int]) -> tuple[int, int]:
        known = self._flow_rows.get(key)
        if known is not None:
            return known
        number = len(self._flows)
        self._flows.append(key)
        family, protocol, source, destination, source_port, destination_port = key
        self._flow_rows[family, protocol, destination, source, destination_port, source_port] = (number, 1)
        self._flow_rows[key] = (number, 0)
        return number, 0

    def columns(self) -> Columns:
        """The columns filled so far."""
        table = np.frombuffer(self._rows, dtype=_TABLE)
        arrays = {name: table[name].copy() for name in COLUMNS}
        return Columns(**arrays)

    def flows(self) -> Flows:
        """The flows seen so far."""
        flows = self._flows

        def column(place: int, kind: type[np.generic]) -> Any:
            return np.array([flow[place] for flow in flows], dtype=kind)

        def addresses(each: Iterable[bytes]) -> Any:
            return np.frombuffer(b"".join(each), dtype=np.uint8).reshape(len(flows), 16)

        return Flows(
            family=column(0, np.uint8),
            protocol=column(1, np.uint8),
            address_a=addresses(flow[2] for flow in flows),
            address_b=addresses(flow[3] for flow in flows),
            port_a=column(4, np.uint16),
            port_b=column(5, np.uint16),
        )

    def names(self) -> tuple[str, ...]:
        """The names, escaped."""
        return tuple(printable(name) for name in self._name_rows)
