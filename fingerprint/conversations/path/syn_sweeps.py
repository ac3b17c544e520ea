"""How far connection requests come: SYNs with small TTLs, and the routers that report them.

Two places are compared, the one that does not answer and one that does: the same routers report the SYNs to both up to
some distance, and from there on only those to the second. What dropped the first stands between the two, unless the
first lies nearer by itself: how much farther the second is, `Dies.beyond_hops` says.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from fingerprint.conversations.dns.answers import is_owned
from fingerprint.conversations.path.expired import Expired
from fingerprint.conversations.path.limited import MOST_HOPS
from fingerprint.conversations.path.unreachable import Unreachable
from fingerprint.conversations.reachability import ROUTED_BITS, Reach, Requests, are_neighbours
from fingerprint.conversations.resets.endings import INITIAL_TTLS_HOPS
from fingerprint.conversations.segments import RST, SYN
from fingerprint.conversations.streams import Stream
from fingerprint.technique import Cited

# Routers leave out a report now and then (RFC 1812 section 4.3.2.8); so many SYNs without one are no accident.
UNREPORTED_SYNS = 2
# RFC 1812 section 4.3.2.8 and host ARP time-outs aside, a router that reports does so within a round trip.
LISTEN_S = 0.3

# From the last router of the first way on: its own link, and more than one router of the second way.
PORT_BEYOND_HOPS, NEIGHBOUR_BEYOND_HOPS = 2, 3

Place = tuple[str, str, int]  # client, address, port
Report = TypeVar("Report", Expired, Unreachable)


@dataclass(frozen=True, slots=True, kw_only=True)
class SynShot:
    """A connection request that was sent with a small TTL, its copies included."""

    stream: Stream
    ttl_hops: int
    died: Expired | None
    refused: Unreachable | None
    met: bool  # something in the server's name answered
    reset: bool  # by a reset, and by nothing else

    @property
    def place(self) -> Place:
        """Shots of one place belong together."""
        return self.stream.client.address, self.stream.server.address, self.stream.server.port

    @property
    def syns(self) -> tuple[Cited, ...]:
        """The SYNs that were sent."""
        s = self.stream
        c = s.recording.columns
        return tuple(Cited(s.capture, int(r) + 1) for r in s.rows if int(c.tcp_flags[r]) & (SYN | RST) == SYN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dies:
    """Where the requests to one place end, and those to another go on."""

    hop: int
    link: tuple[int, int]
    router: str | None  # that reports the other's requests at this distance
    last: Expired  # the last report about the first's
    beyond_hops: int  # from that router on, as far as the other's requests were seen to come
    misses: tuple[SynShot, ...]  # to the first place, beyond the last report
    others: tuple[SynShot, ...]  # to the second place, from that distance on
    shared: int  # routers on the way to both
    silent: int  # routers between there and the second's far end that never report


def syn_shots(
    streams: Sequence[Stream], expired: Iterable[Expired], refused: Iterable[Unreachable]
) -> tuple[SynShot, ...]:
    """The streams whose SYN had a TTL that no system starts with, of clients that send others with one that some do."""
    first = [(s, int(s.recording.columns.ttl[s.rows[0]])) for s in streams if s.client_flags & SYN]
    beside = {(s.capture, s.client.address) for s, ttl in first if ttl in INITIAL_TTLS_HOPS}
    few = [(s, ttl) for s, ttl in first if ttl <= MOST_HOPS and (s.capture, s.client.address) in beside]
    if not few:
        return ()
    died, said = _by_flow(expired), _by_flow(refused)
    return tuple(
        SynShot(
            stream=s,
            ttl_hops=ttl,
            died=_about(s, died.get((s.capture, s.flow), ())),
            refused=_about(s, said.get((s.capture, s.flow), ())),
            met=bool(s.server_flags),
            reset=bool(s.server_flags & RST) and not s.server_flags & SYN,
        )
        for s, ttl in few
    )


def _by_flow(reports: Iterable[Report]) -> Mapping[tuple[int, int], Sequence[Report]]:
    out: dict[tuple[int, int], list[Report]] = {}
    for report in reports:
        out.setdefault((report.capture, report.flow), []).append(report)
    return out


def _about(s: Stream, reports: Sequence[Report]) -> Report | None:
    rows = set(s.rows.tolist())
    return next((r for r in reports if r.row in rows), None)


def by_place(shots: Iterable[SynShot]) -> Mapping[Place, Sequence[SynShot]]:
    """The shots of each place, nearest first."""
    out: dict[Place, list[SynShot]] = {}
    for shot in shots:
        out.setdefault(shot.place, []).append(shot)
    return {place: sorted(several, key=lambda s: s.ttl_hops) for place, several in out.items()}


def dies(mine: Sequence[SynShot], others: Sequence[SynShot]) -> Dies | None:
    """Where requests to the first place end on a way that those to the second go on; None if that is not shown."""
    heard = [s for s in mine if s.died is not None]
    if any(s.met or s.refused for s in mine) or not heard:
        return None
    last = max(heard, key=lambda s: s.ttl_hops)
    assert last.died is not None
    ways = _routers(others)
    shared = _shared(_routers(heard), ways, last.ttl_hops)
    further = [s for s in others if s.ttl_hops > last.ttl_hops and (s.died or s.met)]
    silent = [k for k in range(last.ttl_hops + 1, _end(others)) if k not in ways]
    at = {s.ttl_hops for s in further}
    misses = [s for s in mine if s.ttl_hops in at and not s.died and _listened_s(s) >= LISTEN_S]
    if not shared or sum(len(s.syns) for s in misses) < UNREPORTED_SYNS:
        return None
    hop = misses[0].ttl_hops
    routers = ways.get(hop, frozenset())
    return Dies(
        hop=hop,
        link=(last.ttl_hops, hop),
        router=next(iter(routers)) if len(routers) == 1 else None,
        last=last.died,
        beyond_hops=_end(others) - last.ttl_hops,
        misses=tuple(misses),
        others=tuple(further),
        shared=shared,
        silent=len(silent),
    )


def _listened_s(shot: SynShot) -> float:
    return (shot.stream.end_ns - shot.stream.last_ns) / 1e9


def _routers(shots: Iterable[SynShot]) -> Mapping[int, frozenset[str]]:
    out: dict[int, set[str]] = {}
    for shot in shots:
        if shot.died is not None:
            out.setdefault(shot.ttl_hops, set()).add(shot.died.router)
    return {ttl: frozenset(found) for ttl, found in out.items()}


def _shared(mine: Mapping[int, frozenset[str]], others: Mapping[int, frozenset[str]], last: int) -> int:
    """How many routers both ways have in common; 0 if the last one of the first is not on the second, or they part."""
    both = [ttl for ttl in mine if ttl in others]
    if last not in both or any(not mine[ttl] & others[ttl] for ttl in both):
        return 0
    return len(both)


def _end(shots: Iterable[SynShot]) -> int:
    """The distance of the far end, or of the last router that was heard."""
    return min((s.ttl_hops for s in shots if s.met), default=max((s.ttl_hops for s in shots if s.died), default=0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """From where on SYNs are reset that cannot have come as far as the address."""

    hop: int
    hits: tuple[SynShot, ...]
    below: SynShot | None  # died one router before without drawing anything
    reach: SynShot  # the nearest SYN to another port of the address that was answered: so far away it is

    def at_home(self, reach: Reach) -> bool:
        """Whether whoever resets stands at the first hop, or behind a router of the client's own network."""
        router = self.below.died.router if self.below and self.below.died else None
        return self.hop <= 1 or (router is not None and is_owned(reach.client, router))


def drawn(mine: Sequence[SynShot], others: Sequence[SynShot]) -> Drawn | None:
    """Resets of SYNs that died on the way; ``others`` went to another port of the same address."""
    reach = next((s for s in others if s.met and not s.reset), None)
    hits = [s for s in mine if s.reset and reach is not None and s.ttl_hops < reach.ttl_hops]
    if reach is None or not hits:
        return None
    hop = hits[0].ttl_hops
    missed = [s for s in mine if not s.met and s.ttl_hops < hop]
    if any(not s.met and s.ttl_hops >= hop and _listened_s(s) >= LISTEN_S for s in mine):
        return None
    below = missed[-1] if missed and missed[-1].ttl_hops == hop - 1 else None
    return Drawn(hop=hop, hits=tuple(hits), below=below, reach=reach) if below or hop == 1 else None


def refusals(mine: Sequence[SynShot]) -> Iterator[tuple[int, SynShot]]:
    """The smallest TTL with which requests are refused by ICMP, where less is reported as expired."""
    said = [s for s in mine if s.refused is not None]
    if not said or any(s.met for s in mine):
        return
    hop = said[0].ttl_hops
    below = [s for s in mine if s.ttl_hops < hop]
    if (below and below[-1].died is not None and below[-1].ttl_hops == hop - 1) or hop == 1:
        yield hop, said[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherWay:
    """Where SYNs to a port end, beside those to another place: an address, or ``port`` of the same one."""

    at: Dies
    address: str
    port: int

    def convicts(self, reach: Reach) -> bool:
        """Whether the SYNs end well before the far side, and behind a router that is nobody's own.

        A network whose routers do not report may have one that does not right before the address.
        """
        same = self.address == reach.address
        far = self.at.beyond_hops >= (PORT_BEYOND_HOPS if same else NEIGHBOUR_BEYOND_HOPS)
        at_home = self.at.link[0] <= 1 or is_owned(reach.client, self.at.last.router)
        return far and (same or not self.at.silent) and not at_home


def nearest_way(places: Mapping[Place, Sequence[SynShot]], reach: Reach, requests: Requests) -> OtherWay | None:
    """The best comparison: another port of the address, a neighbour that is routed with it, one of its operator's."""
    mine = places.get((reach.client, reach.address, requests.port))
    found: dict[int, OtherWay] = {}
    for (client, address, port), others in places.items() if mine else ():
        if client != reach.client or (address == reach.address and port == requests.port):
            continue
        if address == reach.address:
            closeness = 0 if reach.other_port(requests.port) else 3
        elif are_neighbours(reach.address, address, ROUTED_BITS):
            closeness = 1
        else:
            closeness = 2 if are_neighbours(reach.address, address) else 3
        at = dies(mine or (), others) if closeness < 3 and closeness not in found else None
        if at is not None:
            found[closeness] = OtherWay(at=at, address=address, port=port)
    return found[min(found)] if found else None
