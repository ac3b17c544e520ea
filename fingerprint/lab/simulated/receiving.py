"""The receiver's half of TCP: bytes put in order, and what of them is told in selective acknowledgements."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Inbox:
    """Numbers count from 0 at the peer's SYN. The first copy of a byte counts, as in Linux."""

    next: int = 0
    early: dict[int, bytes] = field(default_factory=dict)
    fin_at: int = -1
    _recent: int = -1

    def take(self, start: int, data: bytes) -> bytes:
        """Bytes of a segment; what is in order now."""
        end = start + len(data)
        if end <= self.next:
            return b""
        if start > self.next:
            if start not in self.early:
                self.early[start] = data
            self._recent = start
            return b""
        out = [data[self.next - start :]]
        self.next = end
        while self.early and (at := min(self.early)) <= self.next:
            piece = self.early.pop(at)
            if at + len(piece) > self.next:
                out.append(piece[self.next - at :])
                self.next = at + len(piece)
        return b"".join(out)

    def blocks(self) -> list[tuple[int, int]]:
        """Up to three ranges beyond the first gap, that of the latest segment first (RFC 2018 section 4)."""
        if not self.early:
            return []
        merged: list[list[int]] = []
        for start in sorted(self.early):
            end = start + len(self.early[start])
            if merged and merged[-1][1] >= start:
                merged[-1][1] = max(end, merged[-1][1])
            else:
                merged.append([start, end])
        merged.sort(key=lambda b: not b[0] <= self._recent < b[1])
        return [(a, b) for a, b in merged[:3]]
