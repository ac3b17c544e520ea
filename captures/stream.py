"""The bytes of a capture, front to back once and then from anywhere: plain, compressed, or from standard input."""

from __future__ import annotations

import hashlib
import importlib
import lzma
import os
import stat
import sys
import tempfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread
from typing import IO, Any, ClassVar, Protocol, cast

from captures.errors import CaptureError

BLOCK_BYTES = 1 << 20

# Spooled streams up to this size stay in memory.
_SPOOL_BYTES = 32 << 20

# A block this large around a frame is kept, because frames of one conversation lie close together.
_AROUND_BYTES = 1 << 13
# Files held open for reading frames again; POSIX guarantees 20 to a process, Linux gives 1024 by default.
_HELD_AT_MOST = 16
_BEFORE_BYTES = 1 << 12


class DamagedStream(Exception):
    """The compressed stream ends early or does not decompress; what came before is good."""


class Stream(Protocol):
    """A capture that is read once, then kept for reading frames again."""

    def readinto(self, buffer: memoryview) -> int:
        """Fills the buffer from where the last call stopped; 0 at the end. Raises DamagedStream."""

    def finish(self) -> str:
        """The SHA-256 of the stored file, once nothing more is read."""

    def close(self) -> None:
        """Gives up reading on, and the digest if it was not asked for."""

    def read(self, offset: int, size_bytes: int) -> bytes:
        """The bytes at ``offset`` of the uncompressed stream."""


def open_stream(path: Path | None) -> Stream:
    """A file, or standard input for None. Raises CaptureError if it cannot be opened."""
    if path is None:
        return SpooledStream(sys.stdin.buffer, "standard input")
    if path.is_dir():
        raise CaptureError(f"{path.name}: is a directory; name the captures in it, or expand it with inputs()")
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            return SpooledStream(path.open("rb"), path.name)
        with path.open("rb") as file:
            start = file.read(6)
        return SpooledStream(path.open("rb"), path.name, stored=path) if _decompressor(start) else PlainStream(path)
    except FileNotFoundError as error:
        raise CaptureError(f"{path.name}: there is no such file; check the path") from error
    except PermissionError as error:
        raise CaptureError(f"{path.name}: this user may not read it; change its permissions") from error
    except (OSError, ValueError) as error:
        raise CaptureError(f"{path.name or path}: cannot be opened; check the path") from error


def unpacked(path: Path) -> Iterator[bytes] | None:
    """The content of a compressed file in pieces, as far as it goes; None for a file that is not compressed.

    Raises CaptureError if it cannot be opened.
    """
    stream = open_stream(path)
    stream.close()
    return _pieces(path) if isinstance(stream, SpooledStream) else None


def _pieces(path: Path) -> Iterator[bytes]:
    stream, buffer = open_stream(path), bytearray(BLOCK_BYTES)
    try:
        while size := stream.readinto(memoryview(buffer)):
            yield bytes(buffer[:size])
    except DamagedStream:
        return
    finally:
        stream.close()


class _Digest:
    """SHA-256 of a stored file, computed in a thread of its own: hashing gives up the interpreter lock."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._hex = ""
        self._stopped = False
        self._thread = Thread(target=self._run, name="sha256", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        digest = hashlib.sha256()
        try:
            with self._path.open("rb", buffering=0) as file:
                while not self._stopped and (piece := file.read(BLOCK_BYTES)):
                    digest.update(piece)
        except OSError:
            return
        self._hex = digest.hexdigest()

    def stop(self) -> None:
        """Ends the thread without a result."""
        self._stopped = True
        self._thread.join()

    def result(self) -> str:
        """Waits for the thread. Raises CaptureError if the file was gone."""
        self._thread.join()
        if not self._hex:
            raise CaptureError(f"{self._path.name}: vanished while it was read; read it again")
        return self._hex


class PlainStream:
    """A regular file that is no archive. A few hold their file open between calls; thousands can be kept."""

    _held: ClassVar[int] = 0  # how many hold one

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[bytes] | None = path.open("rb", buffering=0)
        self._digest = _Digest(path)
        self._near: tuple[int, bytes] = (0, b"")
        self._again: IO[bytes] | None = None

    def __del__(self) -> None:
        if getattr(self, "_again", None) is not None:
            PlainStream._held -= 1
            cast("IO[bytes]", self._again).close()

    def readinto(self, buffer: memoryview) -> int:
        """The next bytes; see `Stream.readinto`."""
        if self._file is None:
            return 0
        try:
            return cast("int", self._file.readinto(buffer))  # type: ignore[attr-defined]
        except OSError as error:
            raise DamagedStream("cannot be read to its end; copy it to a sound disk") from error

    def finish(self) -> str:
        """Closes the file; see `Stream.finish`."""
        digest = self._digest.result()
        self.close()
        return digest

    def close(self) -> None:
        """Closes the file; frames can still be read."""
        self._digest.stop()
        if self._file is not None:
            self._file.close()
            self._file = None

    def read(self, offset: int, size_bytes: int) -> bytes:
        """The bytes of a frame; see `Stream.read`."""
        start, near = self._near
        if not start <= offset or offset + size_bytes > start + len(near):
            start = offset - offset % _BEFORE_BYTES
            near = self._around(start, offset - start + size_bytes)
            self._near = (start, near)
        return near[offset - start : offset - start + size_bytes]

    def _around(self, offset: int, size_bytes: int) -> bytes:
        try:
            if self._again is None and PlainStream._held < _HELD_AT_MOST:
                self._again = self._path.open("rb", buffering=0)
                PlainStream._held += 1
            if self._again is not None:
                return os.pread(self._again.fileno(), max(_AROUND_BYTES, size_bytes), offset)
            with self._path.open("rb", buffering=0) as file:
                file.seek(offset)
                return file.read(max(_AROUND_BYTES, size_bytes))
        except OSError as error:
            raise CaptureError(
                f"{self._path.name}: cannot be read again; keep it until the analysis is done"
            ) from error


class SpooledStream:
    """A stream without random access, written to a temporary file as it is read."""

    def __init__(self, file: IO[bytes], name: str, *, stored: Path | None = None) -> None:
        self._file = file
        self._spool = tempfile.SpooledTemporaryFile(max_size=_SPOOL_BYTES)  # noqa: SIM115 - lives as long as the recording
        self._digest = _Digest(stored) if stored else None
        self._running = hashlib.sha256()
        self._name = name
        self._pieces = self._decompressed()
        self._left = memoryview(b"")

    def _stored(self, size_bytes: int) -> bytes:
        try:
            piece = self._file.read(size_bytes)
        except OSError as error:
            raise DamagedStream("cannot be read to its end; copy it to a sound disk") from error
        if self._digest is None:
            self._running.update(piece)
        return piece

    def _decompressed(self) -> Iterator[bytes]:
        start = self._stored(6)
        scheme = _decompressor(start)
        if scheme is None:
            while start:
                yield start
                start = self._stored(BLOCK_BYTES)
            return
        make, chunk_bytes, broken = scheme
        unit = make(self._name)
        piece = start
        while piece:
            try:
                out = unit.decompress(piece)
            except broken as error:
                raise DamagedStream("does not decompress beyond this point; fetch it again") from error
            if out:
                yield out
            piece = b""
            if unit.eof:
                piece = unit.unused_data.lstrip(b"\0")
                piece = piece or self._stored(chunk_bytes).lstrip(b"\0")
                if not piece:
                    return
                unit = make(self._name)
                continue
            piece = self._stored(chunk_bytes)
        raise DamagedStream("is cut short inside the compressed stream; fetch it again")

    def readinto(self, buffer: memoryview) -> int:
        """The next bytes; see `Stream.readinto`."""
        while not self._left:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._left = memoryview(piece)
        size = min(len(buffer), len(self._left))
        buffer[:size] = self._left[:size]
        self._spool.write(self._left[:size])
        self._left = self._left[size:]
        return size

    def finish(self) -> str:
        """Closes the file; see `Stream.finish`."""
        if self._digest is not None:
            return self._digest.result()
        try:
            while self._stored(BLOCK_BYTES):
                pass
        except DamagedStream:
            pass
        return self._running.hexdigest()

    def close(self) -> None:
        """Closes the file; frames can still be read from the spool."""
        self._file.close()
        if self._digest is not None:
            self._digest.stop()

    def __del__(self) -> None:
        self._spool.close()

    def read(self, offset: int, size_bytes: int) -> bytes:
        """The bytes of a frame; see `Stream.read`."""
        self._spool.seek(offset)
        return self._spool.read(size_bytes)


def _zstd_module() -> Any:
    """The standard library's API of Python 3.14, from there or from its backport; None where neither is."""
    for module in ("compression.zstd", "backports.zstd"):
        try:
            return importlib.import_module(module)
        except ImportError:
            continue
    return None


def _zstd(name: str) -> Any:
    module = _zstd_module()
    if module is None:
        raise CaptureError(f"{name}: is compressed with zstd; install backports.zstd, or decompress it with unzstd")
    return module.ZstdDecompressor()


def _zstd_errors() -> tuple[type[Exception], ...]:
    module = _zstd_module()
    return (module.ZstdError,) if module else ()


def _decompressor(start: bytes) -> tuple[Callable[[str], Any], int, tuple[type[Exception], ...]] | None:
    """By its first bytes: what decompresses it, bytes to feed at once (small, for bombs), and what it raises."""
    if start[:3] == b"\x1f\x8b\x08":
        return lambda _: zlib.decompressobj(31), 4096, (zlib.error,)
    if start[:6] == b"\xfd7zXZ\0":
        return lambda _: lzma.LZMADecompressor(), 4096, (lzma.LZMAError,)
    if start[:4] == b"\x28\xb5\x2f\xfd":
        return _zstd, 1024, _zstd_errors()
    return None
