"""Captures as nobody wants them: cut, out of order, one-sided, doubled, overwritten at random. Seeded.

Each takes a recording and returns the bytes of a pcap file. Whatever a technique makes of them, it comes to an end.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable
from random import Random

from captures import Recording

# More packets than this only take longer.
MOST_PKTS = 600
# What a recorder keeps that was told to keep headers only.
SNAPLEN_BYTES = 60

Frames = list[tuple[int, bytes, int]]  # time in ns, bytes, length on the wire


def pcap(link_type: int, frames: Iterable[tuple[int, bytes, int]]) -> bytes:
    """A nanosecond pcap of (time in ns, captured bytes, length on the wire)."""
    out = [struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262144, link_type)]
    for time_ns, content, wire_bytes in frames:
        seconds, rest = divmod(max(0, time_ns), 10**9)
        out.append(struct.pack("<IIII", seconds & 0xFFFFFFFF, rest, len(content), wire_bytes) + content)
    return b"".join(out)


def frames(recording: Recording) -> Frames:
    """The first frames of a recording."""
    times, wire = recording.columns.time_ns.tolist(), recording.columns.wire_bytes.tolist()
    return [(times[row], recording.frame(row), wire[row]) for row in range(min(MOST_PKTS, len(times)))]


def _halved(held: Frames, _dice: Random) -> Frames:
    return held[: len(held) // 2]


def _begun_late(held: Frames, _dice: Random) -> Frames:
    return held[len(held) // 3 :]


def _headers_only(held: Frames, _dice: Random) -> Frames:
    return [(time_ns, content[:SNAPLEN_BYTES], wire) for time_ns, content, wire in held]


def _cut_anywhere(held: Frames, dice: Random) -> Frames:
    return [(time_ns, content[: dice.randint(1, len(content))], wire) for time_ns, content, wire in held]


def _shuffled(held: Frames, dice: Random) -> Frames:
    return dice.sample(held, len(held))


def _reordered(held: Frames, dice: Random) -> Frames:
    return sorted(((t + dice.randint(-(10**8), 10**8), content, wire) for t, content, wire in held), key=lambda f: f[0])


def _doubled(held: Frames, _dice: Random) -> Frames:
    return [frame for frame in held for _ in range(2)]


def _thinned(held: Frames, dice: Random) -> Frames:
    return [frame for frame in held if dice.random() < 0.5]


def _at_one_time(held: Frames, _dice: Random) -> Frames:
    return [(held[0][0], content, wire) for _, content, wire in held]


def _backwards(held: Frames, _dice: Random) -> Frames:
    return [(time_ns, content, wire) for (time_ns, _, _), (_, content, wire) in zip(held, reversed(held), strict=True)]


def _overwritten(held: Frames, dice: Random) -> Frames:
    """Some bytes of some packets, headers included."""
    out: Frames = []
    for time_ns, content, wire in held:
        raw = bytearray(content)
        for _ in range(dice.randint(0, 6)):
            raw[dice.randrange(len(raw))] = dice.randrange(256)
        out.append((time_ns, bytes(raw), wire))
    return out


def _other_payloads(held: Frames, dice: Random) -> Frames:
    """Everything behind the headers."""
    return [
        (time_ns, content[:SNAPLEN_BYTES] + dice.randbytes(max(0, len(content) - SNAPLEN_BYTES)), wire)
        for time_ns, content, wire in held
    ]


def _noise(held: Frames, dice: Random) -> Frames:
    return [(time_ns, dice.randbytes(len(content)), wire) for time_ns, content, wire in held]


def _empty(_held: Frames, _dice: Random) -> Frames:
    return []


HOW: dict[str, Callable[[Frames, Random], Frames]] = {
    "ended early": _halved,
    "begun late": _begun_late,
    "headers only": _headers_only,
    "cut anywhere": _cut_anywhere,
    "shuffled": _shuffled,
    "reordered": _reordered,
    "doubled": _doubled,
    "every other packet lost": _thinned,
    "all at one time": _at_one_time,
    "backwards": _backwards,
    "overwritten": _overwritten,
    "other payloads": _other_payloads,
    "noise": _noise,
    "empty": _empty,
}


def mangled(recording: Recording, how: str, *, seed: int = 1) -> bytes:
    """The recording damaged in one of the ways of `HOW`. Raises KeyError for another."""
    held = frames(recording)
    link_type = recording.interfaces[0].link_type if recording.interfaces else 101
    return pcap(link_type, HOW[how](held, Random(f"{seed}:{how}")) if held else [])  # noqa: S311  # damage, no secret
