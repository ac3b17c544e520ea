"""What an ending's IP and TCP headers say against its having come from the host that they name.

One difference proves nothing: load balancers and SYN proxies answer with another TTL, Linux answers late segments
with a bare RST of IP ID 0 and window 0 and no timestamps, Windows repeats the acknowledged number in a RST without
ACK flag. What is left after these is counted, one per independent field.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from fingerprint.conversations.resets.endings import Ending
from fingerprint.conversations.segments import ACK, SYN, Segment

# Paths change by a hop while a connection lasts; two hops are another sender, or a proxy.
SAME_SENDER_HOPS = 1
# A per-host IP ID counter moves on between packets of one connection, but not by more than this in between.
COUNTER_STEP = 2000
# RFC 9293 section 3.1: bits that are reserved, zero in what every known host sends (bit 0x100 is AccECN's).
RESERVED = 0xE00
URG = 0x20
# RFC 7323 section 5.4: the clock ticks between 1 ms and 1 s; ten seconds at the fastest.
LARGEST_TICKS = 10_000


def contradictions(ending: Ending) -> tuple[str, ...]:
    """Names of the header fields that the named sender would have sent otherwise."""
    end, known = ending.segment, ending.genuine
    checks = {
        "TTL": _ttl(end, known),
        "DF": bool(known) and all((s.ip_flags & 2) != (end.ip_flags & 2) for s in known),
        "IP ID": _ip_id(end, known),
        "IP ID of the other end": copies_the_other_end(ending),
        "window": _window(end, known),
        "timestamps": ending.opening.has_timestamps and not end.has_timestamps and _owes_timestamps(end),
        "traffic class": _traffic_class(ending),
        "reserved bits": bool(end.flags & (RESERVED | URG)),
        "ack without ACK flag": _idle_ack(ending),
        "payload": end.is_reset and end.payload_bytes > 0,
    }
    return tuple(name for name, differs in checks.items() if differs)


def like_the_sender(ending: Ending) -> bool:
    """Nothing in the headers speaks against the named sender, and its distance in hops speaks for it."""
    known = {s.ttl_hops for s in ending.genuine}
    return ending.segment.ttl_hops in known and not contradictions(ending)


def keeps_its_clock(ending: Ending) -> bool:
    """It carries the sender's timestamp clock on and its own distance in hops: hardly anybody forges both.

    A reset like this that seems too soon says rather that the round trips were measured too long.
    """
    end = ending.segment
    last = max((s.tsval for s in ending.before if s.has_timestamps), default=None)
    if last is None or not end.has_timestamps or not like_the_sender(ending):
        return False
    return 0 <= end.tsval - last <= LARGEST_TICKS


def copies_the_other_end(ending: Ending) -> bool:
    """The IP ID is the one of the packet that set it off: made from that packet, by somebody who saw it pass."""
    end = ending.segment
    if not end.ip_id:
        return False
    last = [s for s in ending.opposite if s.time_ns < end.time_ns][-2:]
    # Fixed or shared counters make equal numbers in both directions (a simulator's, a loopback's).
    return any(s.ip_id == end.ip_id for s in last) and not any(s.ip_id == end.ip_id for s in ending.genuine)


def makers(ending: Ending) -> tuple[Segment, ...]:
    """Resets of one burst that cannot come from one host: the same acknowledgement or none, and another distance."""
    first = ending.burst[0]
    return tuple(
        s
        for s in ending.burst[1:]
        if abs(s.ttl_hops - first.ttl_hops) > SAME_SENDER_HOPS and (not s.flags & ACK or s.ack == first.ack)
    )


def _ttl(end: Segment, known: Sequence[Segment]) -> bool:
    return bool(known) and all(abs(s.ttl_hops - end.ttl_hops) > SAME_SENDER_HOPS for s in known)


def _ip_id(end: Segment, known: Sequence[Segment]) -> bool:
    """Zero is what many kernels give a RST; a number is odd where the sender sends zeros or counts elsewhere."""
    if not end.ip_id:
        return False
    settled = [s for s in known if not s.flags & SYN]
    if len(settled) >= 2 and not any(s.ip_id for s in settled):
        return True
    ids = [s.ip_id for s in known if s.ip_id]
    steps = [(b - a) % 65536 for a, b in pairwise(ids)]
    if not steps or not all(0 < step <= COUNTER_STEP for step in steps):
        return False
    return all(COUNTER_STEP < (end.ip_id - i) % 65536 < 65536 - COUNTER_STEP for i in ids)


def _window(end: Segment, known: Sequence[Segment]) -> bool:
    settled = [s.window for s in known if not s.flags & SYN]
    if not end.window:
        return not end.is_reset and bool(settled) and min(settled) > 0
    if settled:
        return not min(settled) // 2 <= end.window <= max(settled) * 2
    offered = [s.window for s in known if s.flags & SYN]
    return bool(offered) and end.window > max(offered)


def _owes_timestamps(end: Segment) -> bool:
    """RFC 7323 section 3.2: once negotiated every segment but a RST must carry the option, and a RST should.

    A bare RST answers from no connection state and cannot; one with an ACK flag comes from a live connection.
    """
    return not end.is_reset or bool(end.flags & ACK)


def _traffic_class(ending: Ending) -> bool:
    """Another DSCP than the sender's; zero and the other side's (which kernels reflect) are any host's."""
    mine = {s.traffic_class >> 2 for s in ending.genuine}
    theirs = {s.traffic_class >> 2 for s in ending.opposite}
    return bool(mine) and ending.segment.traffic_class >> 2 not in mine | theirs | {0}


def _idle_ack(ending: Ending) -> bool:
    """RFC 9293 section 3.10.7: a RST without ACK flag answers a segment; Windows repeats that segment's ack in it."""
    end = ending.segment
    if not end.is_reset or end.flags & ACK or not end.raw_ack:
        return False
    return all(s.raw_ack != end.raw_ack for s in ending.opposite)
