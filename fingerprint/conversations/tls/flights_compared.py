"""The flights of one name at one place beside all others: which came too soon, and which certificates contradict.

Facts for interception. Nobody is believed: that two certificates for one name differ is no more than that, until
something beside them tells which of the two the server's is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from ipaddress import ip_address, ip_network

from fingerprint.conversations.dns.answers import is_bogon
from fingerprint.conversations.path.place import Shot
from fingerprint.conversations.tls import hello_forms
from fingerprint.conversations.tls.first_flights import Flight, covers, signer
from fingerprint.messages.certificate import Certificate

# True answers take 0.96 to 1.02 of the smallest round trip, forged ones 0.13 to 0.5 (measured on resets after a hello).
SOON_RATIO, HONEST_RATIO = 0.75, 0.9
# Clocks of captures tick in microseconds and hosts answer within fractions of a millisecond: less proves nothing.
SOON_S = 0.002
# One handshake may have waited for ARP, a radio or a resolver; the smallest of two hardly did.
HANDSHAKES = 2
# RIPE Labs, "Propagation of Longer-than-/24 IPv4 Prefixes" (2014): networks announce no less than a /24 (or a /48) to
# each other, so that what is in it lies behind one way in.
BLOCK_BITS = {4: 24, 6: 48}
NEARER_RATIO, NEARER_S = SOON_RATIO, 0.010
# A machine that answers sooner may be the client's own, which a neighbour in the provider's block is not.
AT_HOME_S = 0.003


@dataclass(frozen=True, kw_only=True)
class Answered:
    """One name at one place, and who else was answered there."""

    name: str
    flights: tuple[Flight, ...]
    here: tuple[Flight, ...]  # all of the place, in order of appearance
    may_be_soon: bool  # the summaries allow that something there came too soon

    @property
    def address(self) -> str:
        """Where."""
        return self.flights[0].place[1]

    @cached_property
    def floor_s(self) -> float | None:
        """The smallest round trip of the place; None if there are too few to be sure."""
        return _floor(self.here)

    @cached_property
    def others(self) -> tuple[Flight, ...]:
        """Other names, or none, at the same place."""
        return tuple(f for f in self.here if f.name != self.name)

    @cached_property
    def soon(self) -> tuple[Flight, ...]:
        """The flights that came sooner than anything can come back from there."""
        return self._soon(self.flights)

    @cached_property
    def others_soon(self) -> tuple[Flight, ...]:
        """Those of other names that did."""
        return self._soon(self.others)

    @property
    def others_in_time(self) -> tuple[Flight, ...]:
        """Those of other names that took a round trip."""
        floor_s = self.floor_s
        return tuple(
            f for f in self.others if floor_s is not None and HONEST_RATIO * floor_s <= f.took_s < float("inf")
        )

    @cached_property
    def turned_away(self) -> tuple[Flight, ...]:
        """Those whose certificate the client did not take."""
        return tuple(f for f in self.flights if f.turned_away)

    def _soon(self, flights: Iterable[Flight]) -> tuple[Flight, ...]:
        floor_s = self.floor_s if self.may_be_soon else None
        return tuple(f for f in flights if floor_s is not None and _soon(f, floor_s))


def _soon(f: Flight, floor_s: float) -> bool:
    return 0 < f.took_s < SOON_RATIO * floor_s and floor_s - f.took_s >= SOON_S  # below zero a clock was set


def answered(flights: Sequence[Flight]) -> Iterator[Answered]:
    """Every name at every place, in order of appearance."""
    places: dict[tuple[str, str, int], list[Flight]] = {}
    for f in flights:
        places.setdefault(f.place, []).append(f)
    for here in places.values():
        # A hello of several segments is sent within a small part of a round trip.
        soon = min(f.about_took_s for f in here) < HONEST_RATIO * min(f.about_handshake_s for f in here)
        named: dict[str, list[Flight]] = {}
        every = tuple(here)
        for f in every:
            if f.name:
                named.setdefault(f.name, []).append(f)
        for name, mine in named.items():
            yield Answered(name=name, flights=tuple(mine), here=every, may_be_soon=soon)


def _floor(here: Iterable[Flight]) -> float | None:
    taken = sorted(f.handshake_s for f in here if f.handshake_s is not None)
    return taken[0] if len(taken) >= HANDSHAKES else None


@dataclass(frozen=True, kw_only=True)
class Rival:
    """Another certificate for the name; ``shown_to`` another ``form``, ``client``, ``elsewhere`` or ``unnamed``."""

    flights: tuple[Flight, ...]
    leaf: Certificate
    shown_to: str


def rival(mine: Answered, suspects: Sequence[Flight], everywhere: Sequence[Flight]) -> Rival | None:
    """A certificate of another key and signer that is good for the name; the most telling, if there are several."""
    leaf = suspects[0].leaf
    if leaf is None:
        return None
    unlike = [f for f in everywhere if f.leaf is not None and _contradict(f.leaf, leaf) and covers(f.leaf, mine.name)]
    kinds: dict[str, list[Flight]] = {"form": [], "client": [], "unnamed": [], "elsewhere": []}
    plain = {hello_forms.form(f.opening) for f in suspects}
    for f in unlike:
        kinds[_shown_to(f, mine, suspects, plain)].append(f)
    for kind, found in kinds.items():
        if found and found[0].leaf is not None:
            return Rival(flights=tuple(found), leaf=found[0].leaf, shown_to=kind)
    return None


def _shown_to(f: Flight, mine: Answered, suspects: Sequence[Flight], plain: set[str]) -> str:
    client, *server = suspects[0].place
    if f.place[1:] != tuple(server):
        return "elsewhere"
    if f.name != mine.name:
        return "unnamed"
    if f.place[0] != client or f.stream.capture != suspects[0].stream.capture:
        return "client"
    form = hello_forms.form(f.opening)
    # Told from what the server cannot tell apart, and each form always shown the same.
    if plain == {hello_forms.PLAIN} and form in hello_forms.SAME_TO_THE_SERVER:
        return "form"
    return "elsewhere"


def _contradict(one: Certificate, other: Certificate) -> bool:
    """Neither key nor signer are the same: a renewal or a spare certificate keeps its authority as a rule."""
    return one.key_sha256 != other.key_sha256 and signer(one) != signer(other)


def nearer_than_neighbours(mine: Answered, everywhere: Sequence[Flight]) -> tuple[Flight, ...]:
    """Flights of a neighbour in the same block of addresses that is much farther, and whose certificate was taken.

    Only of blocks that networks announce: private ones reach as far as their owner likes.
    """
    client, address, _ = mine.flights[0].place
    if mine.floor_s is None or mine.floor_s < AT_HOME_S or is_bogon(address):
        return ()
    block = _block(address)
    beside: dict[str, list[Flight]] = {}
    for f in everywhere:
        if f.place[0] == client and f.place[1] != address and _block(f.place[1]) == block:
            beside.setdefault(f.place[1], []).append(f)
    for there in beside.values():
        floor_s = _floor(there)
        if floor_s is None or mine.floor_s > NEARER_RATIO * floor_s or floor_s - mine.floor_s < NEARER_S:
            continue
        taken = tuple(f for f in there if f.taken and f.handshake_s is not None)
        if taken:
            return taken
    return ()


def _block(address: str) -> str:
    bits = BLOCK_BITS[ip_address(address).version]
    return str(ip_network(f"{address}/{bits}", strict=False))


def stranger(mine: Answered, leaf: Certificate, others: Iterable[Flight]) -> Flight | None:
    """A certificate with the same key for a name of another site in another network, neither good for both."""
    for f in others:
        if f.leaf is None or f.name is None or f.leaf.key_sha256 is None or f.leaf.key_sha256 != leaf.key_sha256:
            continue
        apart = f.name.split(".")[-2:] != mine.name.split(".")[-2:] and not same_network(f.place[1], mine.address)
        if apart and not covers(f.leaf, mine.name) and not covers(leaf, f.name):
            return f
    return None


def same_network(one: str, other: str) -> bool:
    """Whether two addresses lie in one network: the first 16 or 32 bits agree."""
    cut = ":" if ":" in one else "."
    return one.split(cut)[:2] == other.split(cut)[:2]


@dataclass(frozen=True, kw_only=True)
class OnTheWay:
    """A name that was answered although it could not have come as far as the server."""

    hop: int
    link: tuple[int, int]
    hits: tuple[Shot, ...]
    controls: tuple[Shot, ...]


def on_the_way(mine: Answered, shots: Iterable[Shot]) -> OnTheWay | None:
    """The smallest reach at which the name is answered, if another name with that reach was reported dead."""
    here = [
        s for s in shots if s.limited and s.protocol == "tls" and (s.client, s.address, s.port) == mine.flights[0].place
    ]
    own = [s for s in here if s.name == mine.name]
    others = [s for s in here if s.name != mine.name]
    hits = [s for s in own if s.acknowledged and s.drew is None]
    reach = min((s.ttl_hops for s in others if s.acknowledged), default=None)
    if not hits:
        return None
    hop = min(s.ttl_hops for s in hits)
    below = [s.ttl_hops for s in own if not s.acknowledged and s.ttl_hops < hop]
    controls = tuple(s for s in others if s.died and not s.acknowledged and s.ttl_hops >= hop)
    if not controls or (reach is not None and hop >= reach) or (not below and hop > 1):
        return None
    return OnTheWay(hop=hop, link=(max(below, default=hop - 1), hop), hits=tuple(hits), controls=controls)
