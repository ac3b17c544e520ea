"""What was sent with a TTL too small to arrive: probes of a path, which say nothing about the far end.

Three kinds are told from the packets themselves. A stream whose handshake travelled and whose request did not keeps its
place among the streams, and `Stream.request_ttl_hops` says so. A stream whose first packet was limited, and a DNS query
that was, never met the far end: their silence is no silence. And an armed stream: a request that dies on the way (the
decoy) goes before another one under the same sequence number. Boxes on the way read the first, the server the second.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from captures.columns import Mark
from captures.recording import Recording
from fingerprint.conversations.dns.lookups import Lookup
from fingerprint.conversations.resets.endings import INITIAL_TTLS_HOPS
from fingerprint.conversations.segments import RST, SYN, Segment
from fingerprint.conversations.streams import REQUESTS, Shelf, Stream, firsts
from fingerprint.messages.http import read_request
from fingerprint.messages.tls import client_hello

# Traceroute's default is 30 hops, and longer paths are hardly seen; no system starts with so little.
MOST_HOPS = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Armed:
    """A stream with a decoy. ``stream`` is what the server saw of it, if the decoys died before the server."""

    stream: Stream
    name: str | None  # that the decoy carries
    ttl_hops: int  # of the decoy, the largest if there are several
    decoys: tuple[Segment, ...]


def with_limited_request(streams: Sequence[Stream]) -> list[Stream]:
    """The streams whose first payload has a smaller TTL than their first packet."""
    out: list[Stream] = []
    for index in dict.fromkeys(s.capture for s in streams):
        mine = [s for s in streams if s.capture == index and s.request_row >= 0]
        if not mine:
            continue
        c = mine[0].recording.columns
        asked = np.array([s.request_row for s in mine])
        first = np.array([s.rows[0] for s in mine])
        lower = (c.ttl[asked] < c.ttl[first]) | (c.direction[asked] != c.direction[first])
        out += [mine[i] for i in np.flatnonzero(lower).tolist() if mine[i].request_ttl_hops is not None]
    return out


def armed(stream: Stream) -> Armed | None:
    """The stream as an armed one; None if no limited request of it was followed by an unlimited one in its place."""
    limit = stream.request_ttl_hops
    if limit is None:
        return None
    mine = [s for s in stream.head if s.from_client and s.payload_bytes and not s.flags & (SYN | RST)]
    usual = max((s.ttl_hops for s in stream.head if s.from_client), default=limit)
    true = next((s for s in mine if s.ttl_hops == usual), None)
    decoys = tuple(s for s in mine if s.ttl_hops < usual)
    if true is None or not decoys or true.seq > min(s.seq for s in decoys):
        return None
    c, dead = stream.recording.columns, {s.row for s in decoys}
    rows = stream.rows[~np.isin(stream.rows, sorted(dead))]
    marked = next((s for s in mine if s.row not in dead and c.mark[s.row] in REQUESTS), true)
    return Armed(
        stream=replace(
            stream, rows=rows, request=firsts(stream.recording, [marked.row])[0], shelf=Shelf(),
            client_bytes=stream.client_bytes - sum(s.payload_bytes for s in decoys),
        ),
        name=_name(stream.recording, decoys),
        ttl_hops=max(s.ttl_hops for s in decoys),
        decoys=decoys,
    )  # fmt: skip


def _name(recording: Recording, decoys: Sequence[Segment]) -> str | None:
    """SNI or Host of a decoy."""
    c = recording.columns
    for s in decoys:
        at = int(c.name[s.row])
        if at >= 0 and c.mark[s.row] in REQUESTS:
            return recording.names[at] or None
    begun = b"".join(recording.payload(s.row) for s in {s.seq: s for s in reversed(decoys)}.values())
    if c.mark[decoys[0].row] == Mark.HTTP_REQUEST:
        request = read_request(begun)
        return request.host if request is not None else None
    hello = client_hello(begun)
    return hello.sni if hello is not None else None


def limited_streams(streams: Sequence[Stream]) -> frozenset[str]:
    """Trials of the streams whose very SYN was sent to die: its client sends others with a TTL that systems start with.

    Such a TTL shows that the capture was taken beside the client, so that a smaller one was chosen.
    """
    first = [(s, int(s.recording.columns.ttl[s.rows[0]])) for s in streams if s.role_from == "syn"]
    beside = {(s.capture, s.client.address) for s, ttl in first if ttl in INITIAL_TTLS_HOPS}
    return frozenset(
        s.trial
        for s, ttl in first
        if ttl <= MOST_HOPS and (s.capture, s.client.address) in beside and not s.server_flags
    )


def limited_lookups(lookups: Iterable[Lookup], streams: Sequence[Stream]) -> frozenset[str]:
    """Trials of the DNS transactions over UDP whose every query was sent to die, told as `limited_streams` does."""
    asked = [x for x in lookups if x.protocol == "udp" and x.queries]
    beside = {(x.capture, x.client.address) for x in asked if any(q.ttl_hops in INITIAL_TTLS_HOPS for q in x.queries)}
    few = [x for x in asked if max(q.ttl_hops for q in x.queries) <= MOST_HOPS]
    if few:
        beside |= {
            (s.capture, s.client.address)
            for s in streams
            if s.role_from == "syn" and int(s.recording.columns.ttl[s.rows[0]]) in INITIAL_TTLS_HOPS
        }
    return frozenset(x.trial for x in few if (x.capture, x.client.address) in beside)
