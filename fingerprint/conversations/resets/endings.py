"""Segments that end a connection in somebody's name: a RST, a FIN or a TLS alert, with what lay before and after.

An `Ending` is the first such segment of one side. Only endings that ask for a judgement are made: what follows that
side's own FIN, answers to late segments, and resets of a sender that sits at the capture point explain themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from captures.columns import Mark
from fingerprint.conversations.handshake import Handshake, handshake
from fingerprint.conversations.segments import ACK, FIN, RST, SYN, Segment

# Below this round trip the sender is at the capture point or one link away: what it sends is its own.
NEAR_S = 0.001
# Initial TTLs of common systems; a packet that still has one has crossed no router.
INITIAL_TTLS_HOPS = frozenset({64, 128, 255})
# RFC 5382 REQ-5 lets a NAT forget a transitory connection after four minutes; home devices and load balancers are
# hastier, and a keep-alive server closes after 5 to 60 s. Ten seconds without a word may be any of them.
IDLE_S = 10.0
# A frame that was recorded twice (two interfaces, a mirror port) comes within this time of its twin.
TWIN_NS = 5_000_000
# The device's resets for one trigger leave it back to back: 7 to 80 us apart in the public captures of bursts.
BURST_NS = 50_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """The first segment by which a side ends the connection, if that side really sent it.

    ``kind`` is reset, close (FIN) or alert. ``stage`` is syn (no SYN-ACK yet), open (no payload from the client),
    request (client's payload, none from the server), or later.
    """

    kind: str
    stage: str
    segment: Segment
    burst: tuple[Segment, ...]  # it, and others of its kind in the same name within BURST_NS
    resets: tuple[Segment, ...]  # every RST in the same name
    genuine: tuple[Segment, ...]  # everything else in the same name, before and after, resets and later FINs left out
    opposite: tuple[Segment, ...]  # the other side's segments, in time order
    opening: Handshake
    idle_s: float  # silence on the connection before the packet that came before the ending, or before the ending

    @property
    def before(self) -> tuple[Segment, ...]:
        """What the same side had sent."""
        return tuple(s for s in self.genuine if s.time_ns < self.segment.time_ns)

    @property
    def after(self) -> tuple[Segment, ...]:
        """What came in its name afterwards."""
        return tuple(s for s in self.genuine if s.time_ns > self.segment.time_ns)


def without_twins(segments: Sequence[Segment]) -> tuple[Segment, ...]:
    """The segments without second recordings of one frame, which may have lost a hop on the way between taps."""
    seen: dict[tuple[int, ...], tuple[int, int]] = {}
    out = []
    for s in segments:
        key = (s.from_client, s.seq, s.ack, s.flags, s.ip_id, s.payload_bytes, s.tsval, s.window, s.raw_ack)
        when, ttl = seen.get(key, (-TWIN_NS, 0))
        if s.time_ns - when < TWIN_NS and abs(s.ttl_hops - ttl) <= 1:
            continue
        seen[key] = (s.time_ns, s.ttl_hops)
        out.append(s)
    return tuple(out)


def endings(segments: Sequence[Segment], *, protocol: str) -> tuple[Ending, ...]:
    """The endings of a stream that ask for a judgement, at most one a side, in time order."""
    segments = without_twins(segments)
    opening = handshake(segments)
    found = [e for client in (False, True) if (e := _ending(segments, opening, protocol, from_client=client))]
    return tuple(sorted(found, key=lambda e: e.segment.time_ns))


def is_near(ending: Ending, rtt_samples_s: Sequence[float]) -> bool:
    """Whether the named sender sits at the capture point, so that no stranger can speak in its name there."""
    if rtt_samples_s and min(rtt_samples_s) < NEAR_S:
        return True
    ttls = {s.ttl_hops for s in ending.genuine}
    # A client program that speaks TCP itself (a prober) answers late; its TTL tells all the same. One that limits what
    # it says after the handshake (a sweep) still shows where it stands by its SYN.
    if ending.segment.from_client:
        return bool(ttls & INITIAL_TTLS_HOPS)
    return bool(ttls) and ttls <= INITIAL_TTLS_HOPS and not rtt_samples_s


def _ending(segments: Sequence[Segment], opening: Handshake, protocol: str, *, from_client: bool) -> Ending | None:
    mine_syn = opening.syn if from_client else opening.syn_ack
    at = next(
        (
            i
            for i, s in enumerate(segments)
            if s.from_client == from_client and _ends(s, protocol) and not _of_an_earlier_use(s, mine_syn)
        ),
        None,
    )
    if at is None:
        return None
    first = segments[at]
    kind, before = _kind(first), segments[:at]
    if not before:
        return None
    mine = [s for s in before if s.from_client == from_client]
    opposite = tuple(s for s in segments if s.from_client != from_client)
    if kind != "reset" and (from_client or _asked(before, opening) != "request" or any(_closes(s) for s in before)):
        return None
    if kind == "reset" and (any(s.flags & FIN for s in mine) or _answers_the_late(first, before)):
        return None
    same = [s for s in segments[at:] if s.from_client == from_client and _ends(s, protocol) and _kind(s) == kind]
    burst = tuple(s for s in same if s.time_ns - first.time_ns <= BURST_NS) if kind == "reset" else (first,)
    return Ending(
        kind=kind,
        stage=_asked(before, opening),
        segment=first,
        burst=burst,
        resets=tuple(s for s in segments if s.from_client == from_client and s.is_reset),
        genuine=tuple(s for s in segments if s.from_client == from_client and s is not first and not s.is_reset),
        opposite=opposite,
        opening=opening,
        idle_s=_idle_s(before, first),
    )


def _of_an_earlier_use(s: Segment, syn: Segment | None) -> bool:
    """Its number lies below the initial one, so it ended what these ports were used for before (RFC 9293, 3.4)."""
    return syn is not None and s.is_reset and s.seq < 0


def _ends(s: Segment, protocol: str) -> bool:
    if s.is_reset:
        return True
    if protocol == "tls" and s.mark == Mark.TLS_ALERT and not s.from_client:
        return True
    # A FIN that carries a page is a forged answer, not a close: another technique reads it.
    return bool(s.flags & FIN) and not s.payload_bytes


def _closes(s: Segment) -> bool:
    return bool(s.flags & (FIN | RST))


def _kind(s: Segment) -> str:
    if s.is_reset:
        return "reset"
    return "alert" if s.mark == Mark.TLS_ALERT else "close"


def _asked(before: Sequence[Segment], opening: Handshake) -> str:
    """How far the connection had come."""
    spoke = {s.from_client for s in before if s.payload_bytes and not s.flags & (SYN | RST)}
    if False in spoke:
        return "later"
    if True in spoke:
        return "request"
    met = opening.syn_ack is not None and any(s is opening.syn_ack for s in before)
    return "open" if met or (opening.syn is None and bool(before)) else "syn"


def _answers_the_late(reset: Segment, before: Sequence[Segment]) -> bool:
    """The other side had ended the connection, forged or not, and this host answers for its own part.

    After a FIN it may abort for unread data; after a RST it knows of no connection, and answers late segments by a
    RST without ACK flag (RFC 9293 section 3.10.7.1).
    """
    ended = [s for s in before if s.from_client != reset.from_client and s.flags & (RST | FIN)]
    return any(s.flags & FIN for s in ended) or (bool(ended) and not reset.flags & ACK)


def _idle_s(before: Sequence[Segment], first: Segment) -> float:
    """The longer of the last two silences before the ending: a forgotten connection is reset when it is touched."""
    times = [s.time_ns for s in before[-2:]] + [first.time_ns]
    return max((b - a for a, b in pairwise(times)), default=0) / 1e9
