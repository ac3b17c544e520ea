"""Writes pcapng: one section, its interfaces with nanosecond clocks, packets with comments, what the recorder counted.

Format: draft-ietf-opsawg-pcapng, sections 3.5, 4.1, 4.2, 4.3 and 4.6.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from struct import pack
from typing import IO

_SECTION, _INTERFACE, _STATISTICS, _ENHANCED_PACKET = 0x0A0D0D0A, 1, 5, 6
_END_OF_OPTIONS, _COMMENT, _NAME, _APPLICATION, _RESOLUTION = 0, 1, 2, 4, 9
# Section 4.6: isb_starttime, isb_endtime, isb_ifrecv, isb_ifdrop.
_BEGAN, _ENDED, _RECEIVED, _DROPPED = 2, 3, 4, 5

# Section 3.5: the length of an option has 16 bits. Longer comments are cut at a character.
_LONGEST_OPTION_BYTES = 65535


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """An interface to write: its link type, and a name if it has one."""

    link_type: int
    name: str | None = None
    snaplen_bytes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A packet to write. ``time_ns`` is since the epoch and not negative; ``interface`` counts from 0."""

    content: bytes
    time_ns: int
    wire_bytes: int | None = None  # as many as were captured, if not told
    interface: int = 0
    comments: tuple[str, ...] = ()


def write(path: Path, frames: Iterable[Frame], *, links: Sequence[Link], application: str | None = None) -> int:
    """Writes the frames in the order given; returns how many. An existing file is replaced.

    Raises ValueError if a frame names an interface that ``links`` does not hold.
    """
    with path.open("wb") as file:
        return write_to(file, frames, links=links, application=application)


def write_to(file: IO[bytes], frames: Iterable[Frame], *, links: Sequence[Link], application: str | None = None) -> int:
    """As `write`, to a file that is open already."""
    writer = Writer(file, links=links, application=application)
    for frame in frames:
        writer.frame(frame)
    return writer.count


class Writer:
    """A capture that grows: the file is readable after every call, whenever its buffer has been flushed."""

    def __init__(
        self, file: IO[bytes], *, links: Sequence[Link], application: str | None = None, comments: Sequence[str] = ()
    ) -> None:
        self._file = file
        self._interfaces = len(links)
        self.count = 0  # frames written so far
        file.write(opening(links, application=application, comments=comments))

    def frame(self, frame: Frame) -> None:
        """Writes one packet. Raises ValueError if it names an interface that was not described."""
        if not 0 <= frame.interface < self._interfaces:
            raise ValueError(f"packet {self.count + 1} names interface {frame.interface}; describe it in links")
        self._file.write(block(frame))
        self.count += 1

    def statistics(
        self, *, interface: int, received_pkts: int, dropped_pkts: int | None, began_ns: int, ended_ns: int
    ) -> None:
        """Writes what the recorder counted on an interface, and from when to when it listened.

        ``received_pkts`` are those that were meant for this file, ``dropped_pkts`` those of them that it lacks, None
        where nobody counted. Written again, the last one counts. The silence up to ``ended_ns`` is thereby witnessed by
        the file itself.
        """
        if not 0 <= interface < self._interfaces:
            raise ValueError(f"statistics name interface {interface}; describe it in links")
        self._file.write(
            statistics(
                interface=interface, received_pkts=received_pkts, dropped_pkts=dropped_pkts, began_ns=began_ns,
                ended_ns=ended_ns,
            )
        )  # fmt: skip


def opening(links: Sequence[Link], *, application: str | None = None, comments: Sequence[str] = ()) -> bytes:
    """What a file begins with, for a recorder that appends to it block by block."""
    return _section(application, comments) + b"".join(_interface(link) for link in links)


def block(frame: Frame) -> bytes:
    """One packet, to be appended to a file that has an `opening`."""
    return _enhanced(frame)


def statistics(*, interface: int, received_pkts: int, dropped_pkts: int | None, began_ns: int, ended_ns: int) -> bytes:
    """What was counted on an interface, to be appended to a file that has an `opening`; see `Writer.statistics`."""
    options = [
        (_BEGAN, _time(began_ns)),
        (_ENDED, _time(ended_ns)),
        (_RECEIVED, pack("<Q", received_pkts)),
    ]
    if dropped_pkts is not None:
        options.append((_DROPPED, pack("<Q", dropped_pkts)))
    return _block(_STATISTICS, pack("<I", interface) + _time(ended_ns), options)


def _time(time_ns: int) -> bytes:
    return pack("<II", time_ns >> 32, time_ns & 0xFFFFFFFF)


def _section(application: str | None, comments: Sequence[str]) -> bytes:
    options = [(_COMMENT, comment.encode()) for comment in comments]
    if application:
        options.append((_APPLICATION, application.encode()))
    return _block(_SECTION, pack("<IHHq", 0x1A2B3C4D, 1, 0, -1), options)


def _interface(link: Link) -> bytes:
    # if_tsresol 9: a billionth of a second.
    options = [(_RESOLUTION, b"\x09")]
    if link.name:
        options.append((_NAME, link.name.encode()))
    return _block(_INTERFACE, pack("<HHI", link.link_type, 0, link.snaplen_bytes), options)


def _enhanced(frame: Frame) -> bytes:
    captured = len(frame.content)
    wire = captured if frame.wire_bytes is None else frame.wire_bytes
    header = pack("<IIIII", frame.interface, frame.time_ns >> 32, frame.time_ns & 0xFFFFFFFF, captured, wire)
    comments = [(_COMMENT, comment.encode()) for comment in frame.comments]
    return _block(_ENHANCED_PACKET, header + frame.content + bytes(-captured % 4), comments)


def _block(kind: int, body: bytes, options: list[tuple[int, bytes]]) -> bytes:
    if options:
        body += b"".join(_option(code, value) for code, value in options) + pack("<HH", _END_OF_OPTIONS, 0)
    length = 12 + len(body)
    return pack("<II", kind, length) + body + pack("<I", length)


def _option(code: int, value: bytes) -> bytes:
    if len(value) > _LONGEST_OPTION_BYTES:
        value = value[:_LONGEST_OPTION_BYTES].decode(errors="ignore").encode()
    return pack("<HH", code, len(value)) + value + bytes(-len(value) % 4)
