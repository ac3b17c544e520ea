"""Where something stands on the way: requests of growing reach, what each drew, and which died on the way unharmed.

A `Shot` is one request that was sent with a small TTL. The smallest reach at which a name draws interference, while
less does not, names a link. That holds only where the request cannot have come as far as the server.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from fingerprint.conversations.dns.lookups import Lookup
from fingerprint.conversations.openings import Opening, opening
from fingerprint.conversations.path.expired import Expired
from fingerprint.conversations.segments import FIN, RST, Segment
from fingerprint.conversations.streams import Stream
from fingerprint.technique import Citable

# Outcome of an opening → what the request drew, if the server cannot have had it.
DREW = {"reset": "reset", "closed": "close", "alert": "alert"}

Reports = Mapping[tuple[int, int], Sequence[Expired]]  # by file and flow


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """One request with a small TTL, and all that followed from it."""

    name: str
    client: str
    address: str
    port: int
    protocol: str  # tls, http or dns
    ttl_hops: int
    trial: str
    sent: tuple[Citable, ...]  # the request, copies included
    drew: str | None  # reset, close, alert or answer
    replies: tuple[Citable, ...]
    arrived_hops: tuple[int, ...]  # TTLs of the replies, as they arrived
    died: tuple[Expired, ...]  # reports on the request itself
    acknowledged: bool  # something in the server's name covers the request
    listened_s: float
    limited: bool = True  # False: sent with the host's own TTL, beside the others

    @property
    def place(self) -> tuple[str, str, int, str]:
        """Shots of one place are compared."""
        return self.client, self.address, self.port, self.protocol

    @property
    def router(self) -> str | None:
        """Who reported the request."""
        return self.died[0].router if self.died else None


def by_flow(reports: Iterable[Expired]) -> Reports:
    """The reports by the flow that they are about."""
    out: dict[tuple[int, int], list[Expired]] = {}
    for report in reports:
        out.setdefault((report.capture, report.flow), []).append(report)
    return out


def of_streams(streams: Iterable[Stream], reports: Reports) -> Iterator[Shot]:
    """The shots among the streams: those whose handshake travelled and whose request was limited."""
    for stream in streams:
        ttl_hops = stream.request_ttl_hops
        if ttl_hops is None or not stream.name or stream.protocol not in ("tls", "http"):
            continue
        o = opening(stream)
        sent = (*o.request, *o.repeats)
        rows = {s.row for s in sent}
        drew, replies = _drew(o)
        yield Shot(
            name=stream.name,
            client=stream.client.address,
            address=stream.server.address,
            port=stream.server.port,
            protocol=stream.protocol,
            ttl_hops=ttl_hops,
            trial=stream.trial,
            sent=sent,
            drew=drew,
            replies=replies,
            arrived_hops=tuple(dict.fromkeys(s.ttl_hops for s in replies)),
            died=tuple(e for e in reports.get((stream.capture, stream.flow), ()) if e.row in rows),
            acknowledged=o.covered >= o.request_end or o.outcome == "answered",
            listened_s=o.span_s + o.waited_s,
        )


def _drew(o: Opening) -> tuple[str | None, tuple[Segment, ...]]:
    """What came in the server's name, before the client had ended the connection itself."""
    asked_ns = o.request[0].time_ns if o.request else 0
    head = o.stream.head
    left = next((s.time_ns for s in head if s.from_client and s.flags & (FIN | RST) and s.time_ns > asked_ns), None)
    if o.outcome == "answered" and o.answer is not None and o.stream.protocol == "http":
        return "answer", (o.answer,)
    said = o.answer if o.outcome == "alert" else o.ending
    if o.outcome not in DREW or said is None or (left is not None and left < said.time_ns):
        return None, ()
    more = [s for s in head if not s.from_client and s.flags & RST and s is not said] if o.outcome == "reset" else []
    return DREW[o.outcome], (said, *more)


def of_lookups(lookups: Iterable[Lookup], reports: Reports, limited: frozenset[str]) -> Iterator[Shot]:
    """DNS queries over UDP as shots; those whose trial is not ``limited`` had the host's own TTL."""
    for lookup in lookups:
        if lookup.protocol != "udp" or not lookup.queries or not lookup.name:
            continue
        rows = {q.number - 1 for q in lookup.queries}
        yield Shot(
            name=lookup.name,
            client=lookup.client.address,
            address=lookup.resolver.address,
            port=lookup.resolver.port,
            protocol="dns",
            ttl_hops=max(q.ttl_hops for q in lookup.queries),
            trial=lookup.trial,
            sent=lookup.queries,
            drew="answer" if lookup.answers else None,
            replies=lookup.answers,
            arrived_hops=tuple(dict.fromkeys(a.ttl_hops for a in lookup.answers)),
            died=tuple(e for e in reports.get((lookup.capture, lookup.flow), ()) if e.row in rows),
            acknowledged=bool(lookup.answers),
            listened_s=lookup.listened_s,
            limited=lookup.trial in limited,
        )


def routers(shots: Iterable[Shot]) -> dict[int, tuple[str, ...]]:
    """TTL → the routers that reported requests with it; several at one distance are several paths."""
    out: dict[int, dict[str, None]] = {}
    for shot in shots:
        for report in shot.died:
            out.setdefault(shot.ttl_hops, {})[report.router] = None
    return {ttl: tuple(found) for ttl, found in sorted(out.items())}
