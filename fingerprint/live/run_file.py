"""The run's file while it is being written: whole blocks only, whatever the disk does."""

from __future__ import annotations

import os


class RunFile:
    """Takes blocks and appends them when flushed. After a failed write it ends with the last whole block that fitted.

    Each `write` must be one whole block of the format.
    """

    def __init__(self, descriptor: int) -> None:
        """The file is open for writing; what it holds already stays."""
        self.descriptor = descriptor
        self._blocks: list[bytes] = []
        self.size_bytes = os.lseek(descriptor, 0, os.SEEK_END)
        self.full = False

    def write(self, block: bytes) -> int:
        """Keep the block until the next flush."""
        self._blocks.append(block)
        return len(block)

    def flush(self) -> None:
        """Append what was kept. Raises OSError if the disk does not take it."""
        blocks, self._blocks = self._blocks, []
        whole = memoryview(b"".join(blocks))
        written = 0
        try:
            while written < len(whole):
                written += os.write(self.descriptor, whole[written:])
        except OSError:
            self.full = True
            self._cut(blocks, written)
            raise
        self.size_bytes += written

    def _cut(self, blocks: list[bytes], written: int) -> None:
        """Back to the end of the last block of which all was written."""
        kept = 0
        for block in blocks:
            if kept + len(block) > written:
                break
            kept += len(block)
        self.size_bytes += kept
        os.ftruncate(self.descriptor, self.size_bytes)
        os.lseek(self.descriptor, self.size_bytes, os.SEEK_SET)
