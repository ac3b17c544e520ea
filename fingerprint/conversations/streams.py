"""TCP connections: who opened them, every segment of both directions, and the arrays behind them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from captures.recording import Recording


class Endpoint(NamedTuple):
    """An address and a port."""

    address: str
    port: int


class Segment(NamedTuple):
    """One TCP segment as a technique sees it. Sequence numbers are relative to the sender's first one, unwrapped."""

    capture: int
    number: int
    time_ns: int
    from_client: bool
    seq: int  # relative; may be negative or far off in a forged segment
    ack: int  # relative to the other side's first sequence number; 0 where the ACK flag is not set
    raw_ack: int
    flags: int
    window: int
    payload_bytes: int
    ttl_hops: int
    ip_id: int
    ip_flags: int
    traffic_class: int
    tsval: int
    tsecr: int
    has_timestamps: bool
    mark: int


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


@dataclass(frozen=True, kw_only=True)
class Stream:
    """One TCP connection: a 4-tuple between two SYNs.

    ``role_from`` says how the client was told from the server: syn, synack, payload, port or first.
    """

    recording: Recording
    flow: int
    rows: NDArray[np.int64]  # rows of the recording, in time order
    client: Endpoint
    server: Endpoint
    client_is_a: bool
    role_from: str

    @property
    def capture(self) -> int:
        """Index of the file."""
        return self.recording.index

    @cached_property
    def segments(self) -> tuple[Segment, ...]:
        """Every segment of both directions, in time order."""
        raise NotImplementedError

    def series(self, *, from_client: bool) -> Series:
        """One direction as arrays."""
        raise NotImplementedError

    def first_bytes(self, *, from_client: bool, limit_bytes: int = 65536) -> bytes:
        """The reassembled start of one direction, up to the first hole."""
        raise NotImplementedError

    # Also, as properties: name (SNI, Host or None), protocol ("tls", "http", "tcp" ...), hello, request,
    # server_rtt_s / client_rtt_s (smallest sample of this stream or None), opened_ns, first_ns, last_ns.
