"""The three segments that open a connection, and what they settle for everything after them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fingerprint.conversations.segments import ACK, RST, SYN, Segment


@dataclass(frozen=True, slots=True, kw_only=True)
class Handshake:
    """First SYN, first SYN-ACK, and the client's first segment that acknowledges it; None where it was not seen."""

    syn: Segment | None
    syn_ack: Segment | None
    ack: Segment | None

    @property
    def has_timestamps(self) -> bool:
        """Both sides offered the timestamp option, so every later segment but a RST must carry it (RFC 7323, 3.2)."""
        return all(s is not None and s.has_timestamps for s in (self.syn, self.syn_ack))

    def first_word_to(self, *, to_client: bool) -> Segment | None:
        """The earliest segment after which that side may end an open connection of its own accord."""
        if to_client:
            return self.syn_ack
        return self.ack or self.syn


def handshake(segments: Sequence[Segment]) -> Handshake:
    """The opening of a stream from its segments in time order."""
    syn = syn_ack = ack = None
    for s in segments:
        kind = s.flags & (SYN | ACK | RST)
        if syn is None and s.from_client and kind == SYN:
            syn = s
        elif syn_ack is None and not s.from_client and kind == SYN | ACK:
            syn_ack = s
        elif syn_ack is not None and s.from_client and kind == ACK and s.ack >= 1:
            ack = s
            break
    return Handshake(syn=syn, syn_ack=syn_ack, ack=ack)
