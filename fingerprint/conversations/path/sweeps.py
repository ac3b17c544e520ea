"""Sweeps: the shots of one name at one place, beside those of other names, and the link that they name.

Interference that answers (a reset, a close, an alert, a page, a DNS answer) is *drawn* from some TTL on. Interference
that drops shows in the reports of routers: from some TTL on those about the trigger stop, and those about the control
do not. Either says nothing where the control reached the server with the same TTL: then the trigger reached it too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from fingerprint.conversations.path.place import Shot, routers

# So long a shot must have been listened to before nothing counts as nothing; forged packets come within a round trip.
LISTEN_S = 0.4
# One report that a router leaves out is its rate limit (RFC 1812 section 4.3.2.8); this many requests without one,
# where the control gets them, are not.
UNREPORTED = 2
# Whoever answers one name from some reach on may be the far end itself, if a query for the other was lost there: so
# many reaches at which only one is answered are no loss.
SEVERAL = 2
# Systems start at 30 hops and more: what arrives with so few took its limit from the request, plus a little (Airtel: 2
# to 5, lhmerino/censorship-detection).
NEARLY_SPENT_HOPS = 8
# An injector that copies the TTL of what it answers is told by this many different ones, or by two that nothing
# contradicts: a TTL drawn at random agrees with another by chance once in dozens.
MIRRORED, UNCONTRADICTED = 3, 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """What the reach of a name's requests decides. ``action`` is reset, close, alert, answer or timeout."""

    name: str
    address: str
    port: int
    protocol: str
    action: str
    hop: int
    link: tuple[int, int]
    router: str | None  # that reports requests at this distance, if one does
    position: str | None  # on-path: the request went on; in-path: it did not
    hits: tuple[Shot, ...]
    misses: tuple[Shot, ...]  # of the same name, with less reach
    controls: tuple[Shot, ...]  # other names that reached as far and met nothing
    mirrored: bool  # the replies carry the TTL of what they answer, less the way


def sweeps(shots: Iterable[Shot]) -> Iterator[Sweep]:
    """Every sweep that names a link."""
    places: dict[tuple[str, str, int, str], list[Shot]] = {}
    for shot in shots:
        places.setdefault(shot.place, []).append(shot)
    for here in places.values():
        limited = [s for s in here if s.limited and (s.drew or s.died or s.listened_s >= LISTEN_S)]
        for name in dict.fromkeys(s.name for s in limited):
            mine, others = [s for s in limited if s.name == name], [s for s in limited if s.name != name]
            unlimited = [s for s in here if not s.limited and s.name == name]
            found = _mirrored(mine, others, unlimited) or _drawn(mine, others) or _dropped(mine, others)
            if found is not None:
                yield found


def _reach(others: Sequence[Shot]) -> int | None:
    """The smallest TTL with which a request came as far as the server: its name draws nothing, and is acknowledged."""
    return min((s.ttl_hops for s in others if s.acknowledged and s.drew in (None, "alert", "answer")), default=None)


def _drawn(mine: Sequence[Shot], others: Sequence[Shot]) -> Sweep | None:
    drawn = [s.drew for s in mine if s.drew]
    if not drawn:
        return None
    action = max(drawn, key=drawn.count)
    hits = tuple(s for s in mine if s.drew == action)
    hop = min(s.ttl_hops for s in hits)
    missed = [s for s in mine if s.drew is None]
    below = [s for s in missed if s.ttl_hops < hop]
    if (not below and hop > 1) or len([s for s in missed if s.ttl_hops > hop]) > len(hits):
        return None
    reach = _reach(others)
    if reach is not None and hop >= reach:
        return None
    arrived = [a for s in hits if s.ttl_hops == hop for a in s.arrived_hops]
    if arrived and max(arrived) <= NEARLY_SPENT_HOPS:
        return None  # with less reach it may have been sent as well, and died on its way back
    proved = any(s.died and s.ttl_hops >= hop for s in (*mine, *others)) or (
        reach is not None and (action != "answer" or len({s.ttl_hops for s in hits if s.ttl_hops < reach}) >= SEVERAL)
    )
    also = [s for s in others if s.ttl_hops >= hop and (reach is None or s.ttl_hops < reach)]
    if not proved or 2 * len([s for s in also if s.drew == action]) > len(also):
        return None
    controls = tuple(s for s in also if s.drew is None)
    link = (max((s.ttl_hops for s in below), default=hop - 1), hop)
    return _sweep(mine, others, action, hop, link, _position(hits, controls), hits, below, controls)


def _position(hits: Sequence[Shot], controls: Sequence[Shot]) -> str | None:
    """A request that drew something and was still reported behind it went on: who answered it could not stop it."""
    if any(e.router != s.address for s in hits for e in s.died):
        return "on-path"  # a report in the far end's own name may come from a device that speaks for it
    reported = {s.ttl_hops for s in controls if s.died}
    return "in-path" if sum(s.ttl_hops in reported for s in hits) >= UNREPORTED else None


def _dropped(mine: Sequence[Shot], others: Sequence[Shot]) -> Sweep | None:
    silent = [s for s in mine if s.drew is None and not s.acknowledged]
    reported = {s.ttl_hops for s in others if s.died and s.drew is None}
    unheard = [s for s in silent if s.ttl_hops in reported and not s.died]
    heard = [s for s in silent if s.died]
    if not unheard or any(s.drew or s.acknowledged for s in mine):
        return None
    hop = min(s.ttl_hops for s in unheard)
    hits = tuple(unheard)
    below = [s for s in heard if s.ttl_hops < hop]
    if any(s.ttl_hops >= hop for s in heard) or (not below and hop > 1):
        return None
    if sum(len(s.sent) for s in hits) < UNREPORTED:
        return None
    controls = tuple(s for s in others if s.ttl_hops >= hop and s.died and s.drew is None)
    link = (max((s.ttl_hops for s in below), default=hop - 1), hop)
    return _sweep(mine, others, "timeout", hop, link, "in-path", hits, below, controls)


def _mirrored(mine: Sequence[Shot], others: Sequence[Shot], unlimited: Sequence[Shot]) -> Sweep | None:
    """An injector behind h routers that copies the TTL: what was sent with t arrives with t - 2h.

    One that sits on router h itself answers from there: t - (2h - 1).
    """
    ways: dict[int, dict[int, Shot]] = {}
    for shot in (*mine, *unlimited):
        for arrived in shot.arrived_hops if shot.drew else ():
            ways.setdefault(shot.ttl_hops - arrived, {}).setdefault(shot.ttl_hops, shot)
    both_ways, by_ttl = max(ways.items(), key=lambda way: len(way[1]), default=(0, {}))
    agreeing = {id(s) for s in by_ttl.values()}
    drew = [s for s in (*mine, *unlimited) if s.drew and s.arrived_hops]
    alone = all(id(s) in agreeing or s.ttl_hops - both_ways in s.arrived_hops for s in drew)
    if len(by_ttl) < (UNCONTRADICTED if alone else MIRRORED) or both_ways < 0:
        return None
    hits = tuple(by_ttl.values())
    hop = (both_ways + 1) // 2 + 1
    below = [s for s in mine if s.drew is None and s.ttl_hops <= both_ways]
    action = hits[0].drew or "answer"
    controls = tuple(s for s in others if s.drew is None and s.ttl_hops >= hop)
    position = "on-path" if any(s.died or len(s.arrived_hops) > 1 for s in hits) else None
    return _sweep(mine, others, action, hop, (hop - 1, hop), position, hits, below, controls, mirrored=True)


def _sweep(  # noqa: PLR0917 - the parts of a sweep, in the order of its fields
    mine: Sequence[Shot],
    others: Sequence[Shot],
    action: str,
    hop: int,
    link: tuple[int, int],
    position: str | None,
    hits: tuple[Shot, ...],
    below: Sequence[Shot],
    controls: tuple[Shot, ...],
    *,
    mirrored: bool = False,
) -> Sweep:
    at_hop = routers((*mine, *others)).get(hop, ())
    return Sweep(
        name=mine[0].name,
        address=mine[0].address,
        port=mine[0].port,
        protocol=mine[0].protocol,
        action=action,
        hop=hop,
        link=link,
        router=at_hop[0] if len(at_hop) == 1 else None,
        position=position,
        hits=hits,
        misses=tuple(below),
        controls=controls,
        mirrored=mirrored,
    )
