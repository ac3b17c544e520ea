"""What each address answered to connection requests, port by port, before anything was said.

A port is alive where a handshake came about, dead where SYNs were never answered, reset where something in the
server's name ended the set-up. Requests that follow a request which failed at the same address may meet a block that
outlives its trigger (`fingerprint.conversations.residual`): they are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from ipaddress import ip_address, ip_network

from fingerprint.conversations.path.unreachable import Unreachable
from fingerprint.conversations.residual import RESIDUAL_S
from fingerprint.conversations.segments import ACK, RST, SYN, Segment
from fingerprint.conversations.streams import Stream
from fingerprint.technique import Cited

# RIPE NCC gave its members a /22 each from 2012 to 2019 (ripe-530 section 5.1, ripe-680), and gives a /32 of IPv6 at
# least (ripe-738): what shares one belongs to one operator, and mostly to one site.
NEIGHBOUR_BITS = {4: 22, 6: 32}
# No longer prefix is carried between providers (RFC 7454 section 6.1.3): such neighbours are always routed alike.
ROUTED_BITS = {4: 24, 6: 48}

# Two smallest samples further apart than this say that the smallest is not yet the distance.
AGREEING_RATIO = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Requests:
    """The connection requests from one client to one port of one address."""

    port: int
    alive: tuple[Stream, ...]
    dead: tuple[Stream, ...]  # a SYN and nothing in the server's name, no ICMP either
    reset: tuple[Stream, ...]  # ended in set-up, in the server's name
    refused: tuple[tuple[Stream, Unreachable], ...]  # somebody reported the SYN as not deliverable

    @property
    def syns(self) -> int:
        """SYNs without an answer, copies included."""
        return sum(len(s.rows) for s in self.dead)

    @property
    def failing(self) -> bool:
        """Every request failed."""
        return not self.alive and bool(self.dead or self.reset or self.refused)


@dataclass(frozen=True, kw_only=True)
class Reach:
    """What one client found at one address."""

    client: str
    address: str
    ports: Mapping[int, Requests]

    @cached_property
    def alive(self) -> tuple[Stream, ...]:
        """Requests that were taken, on any port."""
        return tuple(s for p in self.ports.values() for s in p.alive)

    @cached_property
    def dead(self) -> tuple[Requests, ...]:
        """The ports that never answered."""
        return tuple(p for p in self.ports.values() if p.failing and p.dead and not p.reset and not p.refused)

    def other_port(self, than: int) -> Requests | None:
        """Another port that is alive."""
        return next((p for p in self.ports.values() if p.port != than and p.alive), None)


def reaches(streams: Sequence[Stream], reports: Iterable[Unreachable]) -> tuple[Reach, ...]:
    """Every pair of client and address, in order of appearance."""
    by_flow: dict[tuple[int, int], list[Unreachable]] = {}
    for report in reports:
        by_flow.setdefault((report.capture, report.flow), []).append(report)
    pairs: dict[tuple[str, str], list[Stream]] = {}
    for s in streams:
        pairs.setdefault((s.client.address, s.server.address), []).append(s)
    return tuple(
        Reach(client=client, address=address, ports=_ports(here, by_flow)) for (client, address), here in pairs.items()
    )


def _ports(here: Sequence[Stream], reports: Mapping[tuple[int, int], Sequence[Unreachable]]) -> Mapping[int, Requests]:
    failed_ns = sorted(s.last_ns for s in here if s.client_bytes and not s.answered)
    found: dict[int, dict[str, list[Stream]]] = {}
    told: dict[int, list[tuple[Stream, Unreachable]]] = {}
    for s in here:
        how = outcome(s)
        if how is None or (how != "alive" and any(0 < s.first_ns - t <= RESIDUAL_S * 1e9 for t in failed_ns)):
            continue
        rows = set(s.rows.tolist())
        said = next((r for r in reports.get((s.capture, s.flow), ()) if r.row in rows), None)
        if how == "dead" and said is not None:
            told.setdefault(s.server.port, []).append((s, said))
            found.setdefault(s.server.port, {})
        else:
            found.setdefault(s.server.port, {}).setdefault(how, []).append(s)
    return {
        port: Requests(
            port=port,
            alive=tuple(by.get("alive", ())),
            dead=tuple(by.get("dead", ())),
            reset=tuple(by.get("reset", ())),
            refused=tuple(told.get(port, ())),
        )
        for port, by in found.items()
    }


def outcome(s: Stream) -> str | None:
    """alive, dead or reset, told from the summary; None for what began before the capture or says nothing."""
    if not s.client_flags & SYN:
        return None
    if not s.server_flags:
        return "dead" if not s.client_bytes and not s.client_flags & (ACK | RST) else None
    if s.server_flags & RST and not s.client_bytes and not s.server_bytes:
        return "reset"
    return "alive" if s.server_flags & SYN and s.server_flags & ACK else None


def are_neighbours(one: str, other: str, bits: Mapping[int, int] = NEIGHBOUR_BITS) -> bool:
    """Whether two addresses share so many leading bits."""
    here, there = ip_address(one), ip_address(other)
    return here.version == there.version and there in ip_network((one, bits[here.version]), strict=False)


def alive_meanwhile(everything: Iterable[Reach], reach: Reach, dead: Sequence[Requests]) -> list[Stream]:
    """Connections of the same client to other addresses that were taken while these went unanswered."""
    lost = [s for p in dead for s in p.dead]
    first_ns = min(s.first_ns for s in lost)
    last_ns = lost[0].end_ns if len(lost) == 1 else max(s.last_ns for s in lost)
    return [
        s
        for r in everything
        if r.client == reach.client and r.address != reach.address
        for s in r.alive
        if first_ns <= s.last_ns and s.first_ns <= last_ns
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Distance:
    """How far away an address is, and a handshake that shows it."""

    address: str
    rtt_s: float
    sample: tuple[Cited, ...]


def known_distance(
    everything: Sequence[Reach], reach: Reach, requests: Requests, samples_s: Callable[[str], Sequence[float]]
) -> Distance | None:
    """Of another port of the address, else of a neighbour, the nearest first; None where no two samples agree.

    ``samples_s`` gives the round-trip samples of an address, smallest first.
    """
    own = [reach] if reach.other_port(requests.port) else []
    others = [r for r in everything if r.client == reach.client and r.address != reach.address and r.alive]
    close = [r for r in others if are_neighbours(reach.address, r.address)]
    close.sort(key=lambda r: not are_neighbours(reach.address, r.address, ROUTED_BITS))
    for place in (*own, *close):
        samples = samples_s(place.address)
        if len(samples) < 2 or samples[1] > AGREEING_RATIO * samples[0]:
            continue
        head = place.alive[0].head
        syn_ack = next((s for s in head if not s.from_client and s.flags & (SYN | ACK) == SYN | ACK), None)
        shown = (head[0], *filter(None, [syn_ack]))
        return Distance(
            address=place.address, rtt_s=samples[0], sample=tuple(Cited(s.capture, s.number) for s in shown)
        )
    return None


def syn_acks_unheard(stream: Stream) -> tuple[tuple[Segment, ...], tuple[Segment, ...]]:
    """SYN-ACKs of a connection that came to nothing, and what the client repeated after the first; empty otherwise."""
    if stream.client_bytes or stream.server_bytes or not stream.server_flags & SYN or stream.client_flags != SYN:
        return (), ()
    answers = tuple(s for s in stream.head if not s.from_client and s.flags & (SYN | ACK) == SYN | ACK)
    first_ns = answers[0].time_ns if answers else 0
    return answers, tuple(s for s in stream.head if s.from_client and s.time_ns > first_ns)
