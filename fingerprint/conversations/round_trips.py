"""How long the way to an address and back takes, from every sample that a capture holds.

All samples are measured at the capture point, so they hold for client, server and router views alike: the time
from a packet towards an address to the first packet from there that answers it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from fingerprint.conversations.segments import ACK, FIN, RST, SYN, Segment
from fingerprint.conversations.streams import Stream

# Samples beyond the first segments of a stream add little to a minimum and cost time on long downloads.
LOOKED_AT_PKTS = 80


def handshake_sample(stream: Stream, *, to_server: bool) -> tuple[float, Segment, Segment] | None:
    """SYN to SYN-ACK (or SYN-ACK to the client's ACK) in seconds with both packets; None if either was repeated."""
    syns = [s for s in stream.head[:LOOKED_AT_PKTS] if s.from_client and s.flags & SYN and not s.flags & ACK]
    answers = [s for s in stream.head[:LOOKED_AT_PKTS] if not s.from_client and s.flags & SYN and s.flags & ACK]
    if len(answers) != 1 or (to_server and len(syns) != 1):
        return None
    if to_server:
        return _pair(syns[0], answers[0])
    after = next(
        (
            s
            for s in stream.head
            if s.from_client and s.time_ns >= answers[0].time_ns and not s.flags & (SYN | RST) and s.ack >= 1
        ),
        None,
    )
    return _pair(answers[0], after) if after else None


def acknowledgement_samples(stream: Stream, *, to_server: bool) -> Iterator[tuple[float, Segment, Segment]]:
    """Data to its first acknowledgement, for data that was sent once, up to the first RST or FIN."""
    waiting: list[Segment] = []
    seen: set[int] = set()
    for s in stream.head[:LOOKED_AT_PKTS]:
        if s.flags & (RST | FIN):
            return
        if s.flags & SYN:
            continue
        if s.from_client == to_server:
            if not s.payload_bytes:
                continue
            if s.seq in seen:
                waiting = [w for w in waiting if w.seq != s.seq]
            else:
                seen.add(s.seq)
                waiting.append(s)
        elif s.flags & ACK:
            answered = [w for w in waiting if w.end <= s.ack]
            waiting = [w for w in waiting if w.end > s.ack]
            if answered and s.ack <= max(w.end for w in answered):
                yield _pair(answered[-1], s)


def samples(streams: Iterable[Stream], *, to_server: bool) -> tuple[float, ...]:
    """All round-trip samples in seconds between the capture point and that side of the streams, smallest first."""
    out: list[float] = []
    for stream in streams:
        first = handshake_sample(stream, to_server=to_server)
        if first:
            out.append(first[0])
        out.extend(sample for sample, _, _ in acknowledgement_samples(stream, to_server=to_server))
    return tuple(sorted(s for s in out if s > 0))


def by_server(streams: Sequence[Stream]) -> dict[str, list[Stream]]:
    """Streams by the server's address."""
    out: dict[str, list[Stream]] = {}
    for stream in streams:
        out.setdefault(stream.server.address, []).append(stream)
    return out


def by_client(streams: Sequence[Stream]) -> dict[str, list[Stream]]:
    """Streams by the client's address."""
    out: dict[str, list[Stream]] = {}
    for stream in streams:
        out.setdefault(stream.client.address, []).append(stream)
    return out


def _pair(asked: Segment, answered: Segment) -> tuple[float, Segment, Segment]:
    return (answered.time_ns - asked.time_ns) / 1e9, asked, answered
