"""Armed sweeps: an innocent request behind decoys of growing reach, for boxes that need the server's answer.

The server answers the true request, which names somebody else. If the connection suffers all the same from some reach
of the decoy on, and passes below and without one, then a box at that distance read the decoy: whatever the server
would say to the decoy's name, it never saw it.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from captures.recording import Recording
from fingerprint.conversations.openings import Opening, opening
from fingerprint.conversations.path.expired import Expired
from fingerprint.conversations.path.limited import Armed
from fingerprint.conversations.segments import FIN, RST
from fingerprint.conversations.streams import Stream, address_text
from fingerprint.conversations.tls.names_and_addresses import FAILURES
from fingerprint.conversations.transfers.freezes import freeze, may_have_frozen

# Silence shorter than this after a request is none; the first retransmission is due after one (RFC 6298).
SILENT_S = 2.0
# Below this share of the slowest free one a connection counts as slowed: well below the 0.33 that told throttled from
# free transfers in the laboratory, for here nothing is averaged.
SLOW_RATIO = 0.2
# What is compared in pace must be about as large.
COMPARABLE_RATIO = 0.5

Routers = Mapping[tuple[str, str], Mapping[int, str]]
Place = tuple[str, str, int, str | None]  # client, address, port, name on the decoy


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One armed connection and what became of it: reset, close, alert, timeout, throttle, or None if it passed."""

    armed: Armed
    suffered: str | None
    reported: bool  # a router reported the decoy


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmedSweep:
    """Where decoys for ``name`` begin to do harm to connections that name others."""

    name: str
    address: str
    port: int
    protocol: str
    action: str
    hop: int
    link: tuple[int, int]
    router: str | None
    hits: tuple[Trial, ...]
    unreported: int  # hits whose decoy no router reported, at a distance where routers report other requests
    misses: tuple[Trial, ...]
    free: tuple[Stream, ...]  # connections to the same place with the same true name and no decoy, that passed


def armed_sweeps(
    found: Iterable[Armed], streams: Sequence[Stream], reports: Sequence[Expired], reported: Routers
) -> Iterator[ArmedSweep]:
    """Every armed sweep that names a link; ``reported`` is what `routers_heard` gives."""
    places: dict[Place, list[Armed]] = {}
    dead = {(r.capture, r.row) for r in reports}
    for one in found:
        place = (one.stream.client.address, one.stream.server.address, one.stream.server.port, one.name)
        # A decoy that may have come as far as the server proves nothing.
        if one.name and one.name != one.stream.name and one.ttl_hops <= max(reported.get(place[:2], {}), default=0):
            places.setdefault(place, []).append(one)
    for place, several in places.items():
        names = {a.stream.name for a in several}
        free = [
            s for s in streams if (s.client.address, s.server.address, s.server.port) == place[:3] and s.name in names
        ]
        trials = [_trial(a, dead) for a in several]
        sweep = _sweep(trials, free, reported.get(place[:2], {}))
        if sweep is not None:
            yield sweep


def routers_heard(recordings: Sequence[Recording], reports: Iterable[Expired]) -> Routers:
    """Client and address → TTL → who reported such a packet on the way there: it is known not to have arrived."""
    of_index = {r.index: r for r in recordings}
    out: dict[tuple[str, str], dict[int, str]] = {}
    for report in reports:
        recording = of_index[report.capture]
        f, family = recording.flows, int(recording.flows.family[report.flow])
        ends = [address_text(side[report.flow].tobytes(), family) for side in (f.address_a, f.address_b)]
        sender, sink = ends if not recording.columns.direction[report.row] else ends[::-1]
        out.setdefault((sender, sink), {}).setdefault(int(recording.columns.ttl[report.row]), report.router)
    return out


def _trial(armed: Armed, dead: Container[tuple[int, int]]) -> Trial:
    reported = any((armed.stream.capture, s.row) in dead for s in armed.decoys)
    return Trial(armed=armed, suffered=_suffered(armed.stream), reported=reported)


def _suffered(stream: Stream) -> str | None:
    if may_have_frozen(stream) and (freeze(stream, from_client=False) or freeze(stream, from_client=True)):
        return "throttle"
    o = opening(stream)
    action = FAILURES.get(o.outcome)
    return action if action != "timeout" or _long_silent(o) else None


def _long_silent(o: Opening) -> bool:
    return o.outcome == "stalled" or o.span_s + o.waited_s >= SILENT_S


def _sweep(trials: Sequence[Trial], beside: Sequence[Stream], routers: Mapping[int, str]) -> ArmedSweep | None:
    passing = [s for s in beside if opening(s).outcome == "answered"]
    hits = [t for t in trials if t.suffered] or _slowed(trials, passing)
    if not hits:
        return None
    actions = [t.suffered or "throttle" for t in hits]
    action = max(actions, key=actions.count)
    hits = [t for t, did in zip(hits, actions, strict=True) if did == action]
    hop = min(t.armed.ttl_hops for t in hits)
    others = [t for t in trials if t not in hits]
    below = [t for t in others if t.armed.ttl_hops < hop]
    if len(others) - len(below) > len(hits) or not (below or (hop == 1 and passing)):
        return None
    first = hits[0].armed
    return ArmedSweep(
        name=first.name or "",
        address=first.stream.server.address,
        port=first.stream.server.port,
        protocol=first.stream.protocol,
        action=action,
        hop=hop,
        link=(max((t.armed.ttl_hops for t in below), default=0), hop),
        router=routers.get(hop),
        hits=tuple(hits),
        unreported=sum(not t.reported and t.armed.ttl_hops in routers for t in hits),
        misses=tuple(below),
        free=tuple(passing),
    )


def _slowed(trials: Sequence[Trial], passing: Sequence[Stream]) -> list[Trial]:
    """The trials from some reach on, if all of them are far slower than all below and than those without a decoy."""
    ranked = sorted(trials, key=lambda t: t.armed.ttl_hops)
    paces = [_pace(t.armed.stream) for t in ranked]
    moved = max((_moved(t.armed.stream) for t in ranked), default=0)
    without = [_pace(s) for s in passing if COMPARABLE_RATIO * moved <= _moved(s) <= moved / COMPARABLE_RATIO]
    for i in range(len(ranked)):
        starts = not i or ranked[i].armed.ttl_hops > ranked[i - 1].armed.ttl_hops
        free = paces[:i] + without
        if starts and free and max(paces[i:]) <= SLOW_RATIO * min(free):
            return ranked[i:]
    return []


def _moved(stream: Stream) -> int:
    return max(stream.server_bytes, stream.client_bytes)


def _pace(stream: Stream) -> float:
    """Bytes a second from the request to the last word, or to where the client left: waiting in vain counts."""
    left = next((s.time_ns for s in stream.head if s.from_client and s.flags & (FIN | RST)), stream.last_ns)
    begun = int(stream.recording.columns.time_ns[stream.request_row])
    return _moved(stream) / max(1e-3, (left - begun) / 1e9)
