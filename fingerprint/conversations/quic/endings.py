"""Closes, Version Negotiations and ICMP errors that end a QUIC connection, and what shows that no server sent them.

None of the three proves its sender: whoever saw the client's Initial can write each of them (RFC 9001 section 7, RFC
9000 section 21.10, RFC 792). What gives them away is what a server cannot do: answer in a version that it does not
speak, number two packets alike, greet after it closed, be quicker than the way to it is long.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from fingerprint.conversations.dns.races import LEAST_RTT_S, SOONER_RATIO
from fingerprint.conversations.path.unreachable import OF_THE_HOST, Unreachable
from fingerprint.conversations.quic.attempts import QuicAttempt
from fingerprint.conversations.quic.flows import Datagram
from fingerprint.conversations.quic.places import QuicPlace
from fingerprint.messages.quic import Kind, QuicPacket, version_name

# So many datagrams of one server with one TTL make another TTL odd.
STEADY = 3


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ending:
    """One message that ends a connection, and what contradicts its being the server's."""

    attempt: QuicAttempt
    kind: str  # close, negotiation or icmp
    says: str
    packet: Datagram | Unreachable
    contradictions: tuple[str, ...]
    witnesses: tuple[Datagram, ...]  # packets that contradict it
    took_s: float  # from the first Initial
    sooner: bool  # than the server can answer
    expected: bool  # what a server without QUIC, or without this version, says
    other_ttl: int | None  # of the server's own packets, where they all have one and this has another


def endings(place: QuicPlace, floor_s: float | None) -> Iterator[Ending]:
    """Every ending of a place; ``floor_s`` is the shortest round trip to the server that is known."""
    for attempt in place.attempts:
        seen = set()
        for at, packet in attempt.packets:
            found = _ending(attempt, place, at, packet)
            if found is not None and found[0] not in seen:
                seen.add(found[0])
                yield _made(attempt, place, at, floor_s, *found)
        yield from (_refusal(attempt, place, r, floor_s) for r in attempt.refusals[:1])


def _ending(
    attempt: QuicAttempt, place: QuicPlace, at: Datagram, packet: QuicPacket
) -> tuple[str, str, tuple[str, ...], tuple[Datagram, ...]] | None:
    if packet.kind is Kind.VERSION_NEGOTIATION:
        why, witnesses = _negotiation(attempt, place, packet)
        return "negotiation", "Version Negotiation", why, witnesses
    if packet.closes and packet.kind is Kind.INITIAL:
        why, witnesses = _close(attempt, at, packet)
        said = packet.closes[0]
        reason = f" ({said.reason})" if said.reason else ""
        return "close", f"CONNECTION_CLOSE {said.error_code:#x}{reason}", why, witnesses
    return None


def _negotiation(
    attempt: QuicAttempt, place: QuicPlace, packet: QuicPacket
) -> tuple[tuple[str, ...], tuple[Datagram, ...]]:
    """RFC 9000 section 6.1: a server negotiates only about a version that it does not take."""
    why, witnesses = [], []
    if attempt.version in {version_name(v) for v in packet.versions}:
        why.append(f"it lists {attempt.version}, which the client had asked in")
    hello = next(
        (d for d, p in attempt.packets if p.crypto and p.version and version_name(p.version) == attempt.version), None
    )
    if hello is not None:
        why.append(f"the server's own answer in {attempt.version} came as well")
        witnesses.append(hello)
    other = next((a for a in place.passed if a is not attempt and a.version == attempt.version and a.answer), None)
    if other is not None and other.answer is not None:
        why.append(f"the server speaks {attempt.version} with {other.name or 'others'}")
        witnesses.append(other.answer)
    return tuple(why), tuple(witnesses)


def _close(attempt: QuicAttempt, at: Datagram, packet: QuicPacket) -> tuple[tuple[str, ...], tuple[Datagram, ...]]:
    """RFC 9000 sections 10.2 and 12.3: a closed endpoint says nothing new, and never uses a number twice."""
    for d, p in attempt.packets:
        if not p.crypto or p is packet or p.packet_number is None or packet.packet_number is None:
            continue
        if d.number == at.number:
            continue
        if p.packet_number == packet.packet_number:
            return (f"the server's own hello has packet number {p.packet_number} too",), (d,)
        if p.packet_number > packet.packet_number:
            return ("the server's hello, numbered later, came as well",), (d,)
    return (), ()


def _refusal(attempt: QuicAttempt, place: QuicPlace, refusal: Unreachable, floor_s: float | None) -> Ending:
    why, witnesses = [], []
    # A host has a port open or not, whatever the datagram says; a router forbids an address or port.
    other = next((a for a in place.passed if a.answer), None)
    if other is not None and other.answer is not None and (refusal.says in OF_THE_HOST or other.name != attempt.name):
        why.append(f"the same port answers {other.name or 'others'}")
        witnesses.append(other.answer)
    if attempt.answer is not None and attempt.passed:
        why.append("the server's own answer came as well")
        witnesses.append(attempt.answer)
    return Ending(
        attempt=attempt, kind="icmp", says=f"ICMP {refusal.says} from {refusal.sender}", packet=refusal,
        contradictions=tuple(why), witnesses=tuple(witnesses), took_s=refusal.elapsed_s,
        expected=refusal.says in OF_THE_HOST and refusal.sender == place.address,
        sooner=refusal.sender == place.address and _sooner(refusal.elapsed_s, floor_s), other_ttl=None,
    )  # fmt: skip


def _made(
    attempt: QuicAttempt,
    place: QuicPlace,
    at: Datagram,
    floor_s: float | None,
    kind: str,
    says: str,
    why: tuple[str, ...],
    witnesses: tuple[Datagram, ...],
) -> Ending:
    before = [d for d in attempt.flow.head if d.from_client and d.time_ns <= at.time_ns]
    # Of a repeated Initial nobody knows which one was answered: the first gives the longest time.
    took_s = (at.time_ns - before[0].time_ns) / 1e9 if before else 0.0
    steady = _steady_ttl(place, attempt)
    return Ending(
        attempt=attempt, kind=kind, says=says, packet=at, contradictions=why, witnesses=witnesses, took_s=took_s,
        sooner=_sooner(took_s, floor_s), expected=kind == "negotiation",
        other_ttl=steady if steady is not None and steady != at.ttl_hops else None,
    )  # fmt: skip


def _sooner(took_s: float, floor_s: float | None) -> bool:
    return floor_s is not None and floor_s >= LEAST_RTT_S and 0 < took_s < SOONER_RATIO * floor_s


def _steady_ttl(place: QuicPlace, attempt: QuicAttempt) -> int | None:
    """The TTL of all that the server sent in connections that it answered, if it is one."""
    ttls = [d.ttl_hops for a in place.passed if a is not attempt for d in a.flow.head if not d.from_client]
    return ttls[0] if len(ttls) >= STEADY and len(set(ttls)) == 1 else None


def floor(place: QuicPlace, samples: Sequence[float], places: Iterable[QuicPlace]) -> float | None:
    """The shortest round trip to the server that is known: of TCP, or of Initials that it answered itself."""
    own = [a.rtt_s for p in places if p.address == place.address for a in p.passed if a.rtt_s]
    return min((*samples[:1], *own), default=None)
