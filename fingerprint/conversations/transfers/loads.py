"""Which directions of which streams may be transfers, and which of them ran beside which, by their totals alone.

A capture holds many streams and few slow transfers. What only needs a stream's totals is asked first; a look at its
packets, which costs a hundred times more, is taken once and only for those that the totals leave in question.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from fingerprint.conversations.streams import Stream
from fingerprint.conversations.transfers.transfers import LEAST_BYTES, Transfer, transfer

# DESIGN, "What a qualifier needs": a control elsewhere counts within a minute.
BESIDE_S = 60.0
BESIDE_NS = int(BESIDE_S * 1e9)
# So many neighbours on either side, in order of start, are looked at: more could only refine what they say.
MOST_NEIGHBOURS = 200


class Load(NamedTuple):
    """One direction of a stream that carried at least `LEAST_BYTES`, retransmissions included."""

    first_ns: int  # of the stream
    order: int  # of the direction among all of the capture
    last_ns: int
    size_bytes: int
    from_client: bool
    stream: Stream

    @property
    def lasted_s(self) -> float:
        """From the stream's first packet to its last."""
        return (self.last_ns - self.first_ns) / 1e9

    def gap_ns(self, other: Load) -> int:
        """Time between the end of one stream and the start of the other, 0 where they overlap."""
        return max(0, self.first_ns - other.last_ns, other.first_ns - self.last_ns)


class Loads:
    """The loads of a capture by client and by address, in order of start; each becomes a transfer at most once."""

    def __init__(self, streams: Iterable[Stream]) -> None:
        self.all: list[Load] = []
        for order, s in enumerate(streams):
            if s.server_bytes >= LEAST_BYTES:
                self.all.append(Load(s.first_ns, 2 * order, s.last_ns, s.server_bytes, stream=s, from_client=False))
            if s.client_bytes >= LEAST_BYTES:
                self.all.append(Load(s.first_ns, 2 * order + 1, s.last_ns, s.client_bytes, stream=s, from_client=True))
        self._of_client: dict[tuple[str, bool], list[Load]] = {}
        self._at_address: dict[tuple[str, bool, str], list[Load]] = {}
        for load in self.all:
            client, up = load.stream.client.address, load.from_client
            self._of_client.setdefault((client, up), []).append(load)
            self._at_address.setdefault((client, up, load.stream.server.address), []).append(load)
        for group in (*self._of_client.values(), *self._at_address.values()):
            group.sort()
        self._transfers: dict[int, Transfer | None] = {}

    def transfer(self, load: Load) -> Transfer | None:
        """The load looked at; None where too little of it was new."""
        if load.order not in self._transfers:
            self._transfers[load.order] = transfer(load.stream, from_client=load.from_client)
        return self._transfers[load.order]

    def groups(self) -> Iterable[Sequence[Load]]:
        """The loads of each client and direction, in order of start."""
        return self._of_client.values()

    def beside(self, load: Load, *, same_address: bool) -> list[Load]:
        """Loads of the same client and direction within a minute, nearest first, on the same address or on any."""
        client, up = load.stream.client.address, load.from_client
        if same_address:
            group = self._at_address[client, up, load.stream.server.address]
        else:
            group = self._of_client[client, up]
        at = bisect_left(group, load)
        near = [*group[max(0, at - MOST_NEIGHBOURS) : at], *group[at + 1 : at + 1 + MOST_NEIGHBOURS]]
        found = [(load.gap_ns(other), other.order, other) for other in near]
        return [other for gap_ns, _, other in sorted(found) if gap_ns <= BESIDE_NS]

    def overlapping(self, client: str, *, from_client: bool, since_ns: int, until_ns: int) -> Iterator[Load]:
        """Loads of a client that began by one time and ended after another, in the order of the capture."""
        group = self._of_client.get((client, from_client), ())
        yield from sorted((o for o in group if o.last_ns >= since_ns and o.first_ns <= until_ns), key=lambda o: o.order)

    def nearest(
        self, target: Transfer, loads: Sequence[Load], *, most: int, fits: Callable[[Transfer], bool]
    ) -> list[Transfer]:
        """The transfers nearest to the target in time that fit, looking at no more of ``loads`` than it takes.

        ``loads`` come nearest first by their streams; data begin later and end sooner, so a transfer is never nearer.
        """
        mine = Load(target.stream.first_ns, 0, target.stream.last_ns, 0, target.from_client, target.stream)
        found: list[tuple[float, int, Transfer]] = []
        for load in loads:
            if len(found) >= most and found[most - 1][:2] <= (mine.gap_ns(load) / 1e9, load.order):
                break
            t = self.transfer(load)
            if t is not None and fits(t):
                insort(found, (gap_s(target, t), load.order, t), key=lambda f: f[:2])
        return [t for _, _, t in found[:most]]


def gap_s(a: Transfer, b: Transfer) -> float:
    """Time between the end of one and the start of the other, 0 where they overlap."""
    return max(0, a.start_ns - b.end_ns, b.start_ns - a.end_ns) / 1e9
