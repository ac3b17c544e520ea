"""Measurements in a file, one after the other: JSON lines as OONI publishes them, or one JSON document.

Plain, gzip, xz or zstd. A line that is no measurement costs itself; what was wrong with it is kept with its number.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from captures.errors import CaptureError
from captures.stream import BLOCK_BYTES, DamagedStream, Stream, open_stream

# The longest measurement of web_connectivity carries bodies of 1 << 19 bytes for ten redirects, in base64 or escaped
# (ts-017); whatever is longer than four times as much is no measurement.
LONGEST_LINE_BYTES = 32 << 20
# Fields that stand at the top of every measurement (ooni/spec, df-000), before `test_keys` in the alphabet, and are in
# no document of ours.
MARKS = (b'"probe_asn"', b'"probe_cc"')
# ooni/backend, `measurement_meta`: what OONI Explorer is answered about one measurement, and asks the whole of with it.
HELD = "raw_measurement"
NEWLINE, OPENERS = b"\n", (b"{", b"[", b"[{")


@dataclass(slots=True, kw_only=True)
class Reading:
    """One pass over a file. `sha256` (of the file as it is stored) is known once `documents` has come to its end."""

    path: Path
    sha256: str = ""
    broken: list[tuple[int, str]] = field(default_factory=list)  # (line, what is wrong with it)

    @property
    def name(self) -> str:
        """The file as a report names it."""
        return self.path.name

    def documents(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """(line, measurement) in the file's order. Raises CaptureError if the file cannot be opened."""
        stream = open_stream(self.path)
        try:
            for number, text in self._texts(stream):
                yield from self._parsed(number, text)
            self.sha256 = stream.finish()
        finally:
            stream.close()

    def _texts(self, stream: Stream) -> Iterator[tuple[int, bytes]]:
        """Lines with their numbers; a document that is indented over many lines is one, with the number 1."""
        lines = self._lines(stream)
        for number, line in lines:
            if number == 1 and line.strip() in OPENERS:
                whole = bytearray(line)
                for _, more in lines:
                    whole += NEWLINE + more
                    if len(whole) > LONGEST_LINE_BYTES:
                        self.broken.append((1, f"it is longer than {LONGEST_LINE_BYTES >> 20} MiB; write JSON lines"))
                        return
                yield 1, bytes(whole)
                return
            yield number, line

    def _lines(self, stream: Stream) -> Iterator[tuple[int, bytes]]:
        number, held, too_long = 1, bytearray(), False
        for block in self._blocks(stream):
            *whole, rest = block.split(NEWLINE)
            for piece in whole:
                if too_long or len(held) + len(piece) > LONGEST_LINE_BYTES:
                    self.broken.append((number, f"it is longer than {LONGEST_LINE_BYTES >> 20} MiB"))
                else:
                    yield number, bytes(held) + piece
                held, too_long, number = bytearray(), False, number + 1
            if too_long or len(held) + len(rest) > LONGEST_LINE_BYTES:
                held, too_long = bytearray(), True
            else:
                held += rest
        if too_long:
            self.broken.append((number, f"it is longer than {LONGEST_LINE_BYTES >> 20} MiB"))
        elif held.strip():
            yield number, bytes(held)

    def _blocks(self, stream: Stream) -> Iterator[bytes]:
        buffer = bytearray(BLOCK_BYTES)
        while True:
            try:
                got = stream.readinto(memoryview(buffer))
            except DamagedStream as error:
                self.broken.append((0, str(error)))
                return
            if not got:
                return
            yield bytes(buffer[:got])

    def _parsed(self, number: int, text: bytes) -> Iterator[tuple[int, dict[str, Any]]]:
        if not text.strip():
            return
        try:
            found = json.loads(text)
        except (ValueError, RecursionError) as error:
            self.broken.append((number, f"it is no JSON ({type(error).__name__})"))
            return
        if isinstance(found, list):
            for place, one in enumerate(found, 1):
                if isinstance(one, dict):
                    yield from self._unwrapped(place, one)
                else:
                    self.broken.append((place, "it is no JSON object"))
        elif isinstance(found, dict):
            yield from self._unwrapped(number, found)
        else:
            self.broken.append((number, "it is no JSON object"))

    def _unwrapped(self, number: int, found: dict[str, Any]) -> Iterator[tuple[int, dict[str, Any]]]:
        """A measurement itself, or the one that an answer of OONI's API holds as text."""
        held = found.get(HELD)
        if "test_keys" in found or not isinstance(held, str):
            yield number, found
            return
        yield from self._parsed(number, held.encode())


def is_ooni(path: Path) -> bool:
    """Whether the file begins as measurements of OONI do. False too for what cannot be read."""
    buffer = bytearray(BLOCK_BYTES)
    try:
        stream = open_stream(path)
        try:
            got = stream.readinto(memoryview(buffer))
        finally:
            stream.close()
    except (CaptureError, DamagedStream, OSError):
        return False
    start = bytes(buffer[:got]).lstrip()
    return start[:1] in (b"{", b"[") and any(mark in start for mark in MARKS)
