"""One TCP segment, and arrays of them: the units that streams are made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from captures.columns import State
from captures.recording import Recording

# RFC 9293 section 3.1: the control bits of the TCP header.
FIN, SYN, RST, PSH, ACK = 0x01, 0x02, 0x04, 0x08, 0x10


class Endpoint(NamedTuple):
    """An address and a port."""

    address: str
    port: int

    def __str__(self) -> str:
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"


class Segment(NamedTuple):
    """One TCP segment. Sequence numbers are relative: a SYN has 0 and the first byte of data 1."""

    capture: int
    number: int
    time_ns: int
    from_client: bool
    seq: int  # may be negative or far off in a forged segment
    ack: int  # 0 where the ACK flag is not set
    raw_ack: int
    flags: int
    window: int
    payload_bytes: int
    ttl_hops: int
    ip_id: int
    ip_flags: int  # 4 reserved, 2 DF, 1 MF
    traffic_class: int
    tsval: int
    tsecr: int
    has_timestamps: bool
    mark: int

    @property
    def end(self) -> int:
        """Relative sequence number after the payload."""
        return self.seq + self.payload_bytes

    @property
    def is_reset(self) -> bool:
        """The RST flag is set."""
        return bool(self.flags & RST)

    @property
    def row(self) -> int:
        """The row of the recording."""
        return self.number - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """All segments of one direction as arrays of equal length, in time order; sequence numbers relative, unwrapped."""

    number: NDArray[np.int64]  # packet numbers
    time_s: NDArray[np.float64]  # since the stream's first packet
    seq: NDArray[np.int64]
    ack: NDArray[np.int64]
    payload_bytes: NDArray[np.int64]
    window: NDArray[np.int64]  # unscaled
    tsval: NDArray[np.int64]  # 0 where absent
    tsecr: NDArray[np.int64]
    flags: NDArray[np.int64]


def unwrap(numbers: NDArray[np.uint32], base: int) -> NDArray[np.int64]:
    """Sequence numbers relative to ``base`` without the wrap at 2**32 (RFC 1982 arithmetic between neighbours)."""
    if not len(numbers):
        return np.empty(0, np.int64)
    # A difference of two uint32 read as int32 is the signed distance.
    steps = np.diff(numbers).astype(np.uint32).view(np.int32).astype(np.int64)
    out: NDArray[np.int64] = relative(int(numbers[0]), base) + np.concatenate((np.zeros(1, np.int64), np.cumsum(steps)))
    return out


def relative(number: int, base: int) -> int:
    """``number - base`` as a signed 32-bit difference."""
    return (number - base + (1 << 31)) % (1 << 32) - (1 << 31)


SEGMENT_COLUMNS = (
    "time_ns", "seq", "ack", "tcp_flags", "window", "payload_bytes", "ttl", "ip_id", "ip_flags", "dscp",
    "tsval", "tsecr", "state", "mark", "direction",
)  # fmt: skip


def segments(
    recording: Recording, rows: NDArray[np.int64], *, client_is_a: bool, client_base: int, server_base: int
) -> tuple[Segment, ...]:
    """The rows as segments, with sequence numbers relative to the two bases."""
    columns = [getattr(recording.columns, name)[rows].tolist() for name in SEGMENT_COLUMNS]
    index, out = recording.index, []
    client_direction = 0 if client_is_a else 1
    stamps = int(State.TIMESTAMPS)
    for row, time_ns, seq, ack, flags, window, size, ttl, ip_id, ip_flags, dscp, tsval, tsecr, state, mark, way in zip(
        rows.tolist(), *columns, strict=True
    ):
        from_client = way == client_direction
        mine, theirs = (client_base, server_base) if from_client else (server_base, client_base)
        out.append(
            Segment(
                index, row + 1, time_ns, from_client, relative(seq, mine), relative(ack, theirs) if flags & ACK else 0,
                ack, flags, window, size, ttl, ip_id, ip_flags, dscp, tsval, tsecr, bool(state & stamps), mark,
            )
        )  # fmt: skip
    return tuple(out)
