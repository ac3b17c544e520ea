"""Answers that trickle: too small for a transfer, too slow by far, and held back on the way and not by their server.

A TLS record is encrypted whole before any of it is sent (RFC 8446 section 5.2): a sender that pauses within one had the
rest ready. What stands between is the path, or the receiver's window.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from fingerprint.conversations.segments import FIN, RST, SYN, Segment
from fingerprint.conversations.streams import Stream
from fingerprint.conversations.transfers.transfers import LEAST_BYTES
from fingerprint.messages.tls import records
from fingerprint.messages.tls_records import Record

# Less than this holds little more than a handshake.
SMALL_BYTES = 3_000
# Ten times the time for as many bytes, and at least this long: RFC 6298 gives lost segments one second each at first.
SLOWER = 10.0
LONG_S = 1.5
# A pause: longer than the smallest retransmission timer in use, and not a matter of round trips.
PAUSE_S = 0.15
PAUSED_SHARE = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Starved:
    """An answer that trickled, and another name's of the same place that did not."""

    stream: Stream
    control: Stream
    size_bytes: int
    took_s: float
    control_s: float  # for as many bytes
    paused_s: float  # within TLS records
    turns: int  # how often target and control took turns
    shown: tuple[Segment, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    stream: Stream
    steps: tuple[tuple[float, int], ...]  # seconds since the request, and bytes in order by then

    @property
    def size_bytes(self) -> int:
        return self.steps[-1][1]

    def time_for(self, size_bytes: int) -> float | None:
        """When that many bytes were there."""
        return next((at for at, got in self.steps if got >= size_bytes), None)


def starved(streams: Iterable[Stream]) -> Iterator[Starved]:
    """Every answer under a name of which all trickle where another name's do not, in turns."""
    places: dict[tuple[str, str, int], list[Stream]] = {}
    for s in streams:
        if s.protocol == "tls" and s.name and s.server_bytes >= SMALL_BYTES and s.request_ttl_hops is None:
            places.setdefault((s.client.address, s.server.address, s.server.port), []).append(s)
    for here in places.values():
        if len({s.name for s in here}) > 1 and any(
            _lasted_s(s) >= LONG_S and s.server_bytes < LEAST_BYTES for s in here
        ):
            yield from _at([a for s in here if (a := _answer(s))])


def _lasted_s(s: Stream) -> float:
    return (s.last_ns - s.first_ns) / 1e9


def _answer(s: Stream) -> _Answer | None:
    asked = next((x.time_ns for x in s.head if x.from_client and x.payload_bytes), None)
    left = next((x.time_ns for x in s.head if x.from_client and x.flags & (FIN | RST)), s.end_ns)
    got, steps = 0, []
    early: dict[int, int] = {}
    for x in s.head:
        if x.from_client or not x.payload_bytes or x.flags & (SYN | RST) or asked is None or x.time_ns > left:
            continue
        early[x.seq - 1] = max(early.get(x.seq - 1, 0), x.end - 1)
        before = got
        while (following := max((end for start, end in early.items() if start <= got), default=got)) > got:
            got = following
        if got > before:
            steps.append(((x.time_ns - asked) / 1e9, got))
    return _Answer(stream=s, steps=tuple(steps)) if got >= SMALL_BYTES else None


def _at(answers: Sequence[_Answer]) -> Iterator[Starved]:
    for name in dict.fromkeys(a.stream.name for a in answers):
        mine, others = [a for a in answers if a.stream.name == name], [a for a in answers if a.stream.name != name]
        compared = [(a, *_control(a, others)) for a in mine]
        if not all(control is not None for _, control, _ in compared):
            continue
        turns = _turns(mine, others)
        for a, control, control_s in compared:
            pauses = _pauses(a)
            paused_s = sum(until - since for since, until in pauses)
            if control is None or paused_s < PAUSED_SHARE * a.steps[-1][0] or a.size_bytes >= LEAST_BYTES:
                continue
            shown = tuple(x for x in a.stream.from_server if x.payload_bytes)[-4:]
            yield Starved(
                stream=a.stream, control=control.stream, size_bytes=a.size_bytes, took_s=a.steps[-1][0],
                control_s=control_s, paused_s=paused_s, turns=turns, shown=shown,
            )  # fmt: skip


def _control(a: _Answer, others: Sequence[_Answer]) -> tuple[_Answer | None, float]:
    """The fastest of the others for as many bytes, if this one took far longer."""
    near = [(o.time_for(min(a.size_bytes, o.size_bytes)), i) for i, o in enumerate(others)]
    times = [(at, i) for at, i in near if at is not None and 2 * others[i].size_bytes >= a.size_bytes]
    if not times:
        return None, 0.0
    control_s, at = min(times)
    slow = a.steps[-1][0] >= max(LONG_S, SLOWER * control_s)
    return (others[at] if slow else None), control_s


def _pauses(a: _Answer) -> list[tuple[float, float]]:
    """When nothing came although a record was not through."""
    begun = a.stream.first_bytes(from_client=False, limit_bytes=LEAST_BYTES)
    ends = {0} | {r.at_byte + len(r.body) for r in records(begun) if isinstance(r, Record)}
    out, since, got = [], a.steps[0][0], a.steps[0][1]
    for at, size in a.steps[1:]:
        if at - since >= PAUSE_S and got not in ends:
            out.append((since, at))
        since, got = at, size
    return out


def _turns(mine: Sequence[_Answer], others: Sequence[_Answer]) -> int:
    """How often one followed the other."""
    order = sorted([(a.stream.first_ns, True) for a in mine] + [(a.stream.first_ns, False) for a in others])
    return sum(one[1] != other[1] for one, other in pairwise(order))
