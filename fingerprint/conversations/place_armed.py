"""Armed sweeps: an innocent request behind decoys of growing reach, for boxes that need the server's answer.

The server answers the true request, which names somebody else. If the connection suffers all the same from some reach
of the decoy on, and passes below and without one, then a box at that distance read the decoy: whatever the server
would say to the decoy's name, it never saw it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from captures.recording import Recording
from fingerprint.conversations.expired import Expired
from fingerprint.conversations.limited import Armed
from fingerprint.conversations.names_and_addresses import FAILURES
from fingerprint.conversations.openings import Opening, opening
from fingerprint.conversations.streams import Stream, address_text
from fingerprint.conversations.transfer_freezes import freeze, may_have_frozen
from fingerprint.conversations.transfers import Transfer, transfer

# Silence shorter than this after a request is none; the first retransmission is due after one (RFC 6298).
SILENT_S = 2.0
# Below this share of the slowest free transfer a connection counts as slowed, as in the laboratory's comparison of
# throttled and free transfers (0.33), with room for what bisection leaves of the samples.
SLOW_RATIO = 0.4

Place = tuple[str, str, int, str | None]  # client, address, port, name on the decoy


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One armed connection and what became of it: reset, close, alert, timeout, throttle, or None if it passed."""

    armed: Armed
    suffered: str | None
    moved: Transfer | None  # what was transferred, in the larger direction


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
    misses: tuple[Trial, ...]
    free: tuple[Stream, ...]  # connections to the same place with the same true name and no decoy, that passed


def armed_sweeps(
    found: Iterable[Armed], streams: Sequence[Stream], reports: Sequence[Expired], proven: Mapping[tuple[str, str], int]
) -> Iterator[ArmedSweep]:
    """Every armed sweep that names a link. ``proven``: client and address → the largest TTL known to die on the way."""
    places: dict[Place, list[Armed]] = {}
    for one in found:
        place = (one.stream.client.address, one.stream.server.address, one.stream.server.port, one.name)
        # A decoy that may have come as far as the server proves nothing.
        if one.name and one.name != one.stream.name and one.ttl_hops <= proven.get(place[:2], 0):
            places.setdefault(place, []).append(one)
    for place, several in places.items():
        names = {a.stream.name for a in several}
        free = [
            s for s in streams if (s.client.address, s.server.address, s.server.port) == place[:3] and s.name in names
        ]
        sweep = _sweep([_trial(a) for a in several], free, _routers(reports, several))
        if sweep is not None:
            yield sweep


def proven(recordings: Sequence[Recording], reports: Iterable[Expired]) -> Mapping[tuple[str, str], int]:
    """Client and address → the largest TTL that is known not to bring a packet there."""
    of_index = {r.index: r for r in recordings}
    out: dict[tuple[str, str], int] = {}
    for report in reports:
        recording = of_index[report.capture]
        f, family = recording.flows, int(recording.flows.family[report.flow])
        ends = [address_text(side[report.flow].tobytes(), family) for side in (f.address_a, f.address_b)]
        sender, sink = ends if not recording.columns.direction[report.row] else ends[::-1]
        out[sender, sink] = max(out.get((sender, sink), 0), int(recording.columns.ttl[report.row]))
    return out


def _trial(armed: Armed) -> Trial:
    s = armed.stream
    up = s.client_bytes > s.server_bytes
    return Trial(armed=armed, suffered=_suffered(s), moved=transfer(s, from_client=up))


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
        misses=tuple(below),
        free=tuple(passing),
    )


def _slowed(trials: Sequence[Trial], passing: Sequence[Stream]) -> list[Trial]:
    """The transfers from some reach on, if all of them are far slower than all below and than those without a decoy."""
    moved = sorted((t for t in trials if t.moved), key=lambda t: t.armed.ttl_hops)
    if not moved:
        return []
    ups = {t.moved.from_client for t in moved if t.moved}
    alone = [m for up in ups for s in passing if (m := transfer(s, from_client=up))]
    largest = max(t.moved.new_bytes for t in moved if t.moved)
    without = [m.goodput_bytes_s for m in alone if 2 * m.new_bytes >= largest]
    for i in range(len(moved)):
        slow = [t.moved.goodput_bytes_s for t in moved[i:] if t.moved]
        free = [t.moved.goodput_bytes_s for t in moved[:i] if t.moved] + without
        starts = not i or moved[i].armed.ttl_hops > moved[i - 1].armed.ttl_hops
        if starts and free and max(slow) <= SLOW_RATIO * min(free):
            return moved[i:]
    return []


def _routers(reports: Sequence[Expired], several: Sequence[Armed]) -> Mapping[int, str]:
    """TTL → router, from reports about the decoys themselves."""
    of_row = {(a.stream.capture, s.row): s.ttl_hops for a in several for s in a.decoys}
    return {of_row[r.capture, r.row]: r.router for r in reports if (r.capture, r.row) in of_row}
