"""Opens a capture, makes one pass over it, and says what could not be read.

Whatever bytes a file holds, `read` returns or raises CaptureError.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from captures.blocks import SECTION_HEADER, PcapngWalk
from captures.errors import CaptureError
from captures.fragments import later_fragments
from captures.recording import Recording
from captures.records import Fault, PcapWalk, Walk, pcap_order
from captures.reference import Pass
from captures.stream import BLOCK_BYTES, DamagedStream, Stream, open_stream

# Other formats that are met under the name of a capture, by their first bytes.
_FOREIGN = {
    b"snoop\0\0\0": "a Solaris snoop file",
    b"GMBU": "a Network Monitor file",
    b"RTSS": "a Network Monitor file",
    b"\x04\x22\x4d\x18": "compressed with lz4",
    b"BZh": "compressed with bzip2",
    b"PK\x03\x04": "a zip archive",
}


def read(path: str | os.PathLike[str], *, index: int = 0) -> Recording:
    """The capture in a file, or on standard input if the path is ``-``: pcap or pcapng, plain, gz, xz or zst.

    ``index`` is the recording's place among those of one report. A file that breaks off is read up to there, and
    `Recording.errors` says so. Raises CaptureError if not one packet could be read.
    """
    name = "standard input" if os.fspath(path) == "-" else Path(path).name
    stream = open_stream(None if os.fspath(path) == "-" else Path(path))
    try:
        return _read(stream, name, index)
    finally:
        stream.close()


def core_in_use() -> str:
    """Which of the two passes reads captures: ``compiled`` or ``plain Python``."""
    return "plain Python" if _pass_class() is Pass else "compiled"


def _pass_class() -> Any:
    """The compiled pass where it was built, unless FINGERPRINT_CORE=python asks for the reference."""
    if os.environ.get("FINGERPRINT_CORE") == "python":
        return Pass
    try:
        from captures import _core  # type: ignore[attr-defined]  # built or not, by hatch_build.py
    except ImportError:
        return Pass
    return _core.Pass


def _read(stream: Stream, name: str, index: int) -> Recording:
    buffer = bytearray(BLOCK_BYTES)
    filled, complaint = _fill(stream, buffer, 0)
    if complaint and filled < 4:
        raise CaptureError(f"{name}: {complaint}")
    walk = _walk(bytes(buffer[:16]) if filled >= 16 else bytes(buffer[:filled]), name)
    passing = _pass_class()(walk)
    complaint = _walk_through(stream, buffer, filled, walk, passing, complaint)
    if complaint and not len(passing):
        raise CaptureError(f"{name}: {complaint}")
    columns, sha256 = passing.columns(), stream.finish()
    return Recording(
        index=index,
        file=name,
        sha256=sha256,
        interfaces=tuple(walk.interfaces),
        columns=columns,
        flows=passing.flows(),
        names=passing.names(),
        errors=(f"{name}: {complaint}",) if complaint else (),
        source=stream,
        fragments=later_fragments(columns, stream),
    )


def _walk(start: bytes, name: str) -> Walk:
    """The walk that fits the first bytes. Raises CaptureError if none does."""
    if not start:
        raise CaptureError(f"{name}: is empty; capture again, and let the recorder finish")
    order = pcap_order(start)
    if order is not None:
        return PcapWalk(order)
    if int.from_bytes(start[:4], "little") == SECTION_HEADER:
        return PcapngWalk()
    for magic, what in _FOREIGN.items():
        if start.startswith(magic):
            raise CaptureError(f"{name}: is {what}; convert it to pcapng with editcap, or unpack it")
    raise CaptureError(f"{name}: is neither pcap nor pcapng; convert it with editcap -F pcapng")


def _fill(stream: Stream, buffer: bytearray, filled: int) -> tuple[int, str | None]:
    """Reads until the buffer is full or the stream ends; returns the bytes in it and what is wrong with the stream."""
    view = memoryview(buffer)
    try:
        while filled < len(buffer):
            size = stream.readinto(view[filled:])
            if not size:
                break
            filled += size
    except DamagedStream as error:
        return filled, str(error)
    finally:
        view.release()
    return filled, None


def _walk_through(
    stream: Stream, buffer: bytearray, filled: int, walk: Walk, passing: Any, complaint: str | None
) -> str | None:
    """Feeds the whole stream to the pass; returns what stopped it early, None if nothing did."""
    base = 0
    while True:
        view = memoryview(buffer)[:filled]
        try:
            used = passing.feed(view, base)
            at_end = filled < len(buffer)
            if at_end:
                return complaint or walk.tail(view, used, passing)
        except Fault as fault:
            return str(fault)
        finally:
            view.release()
        base += used
        left = filled - used
        buffer[:left] = buffer[used:filled]
        if left == len(buffer):
            buffer.extend(bytes(len(buffer)))
        filled, complaint = _fill(stream, buffer, left)
