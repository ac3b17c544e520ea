"""What the packets around an ending prove about it: its sender went on, or its numbers cannot be one sender's.

The three sequence conflicts are those of Weaver, Sommer and Paxson, "Detecting Forged TCP Reset Packets", NDSS 2009.
"""

from __future__ import annotations

from collections.abc import Sequence

from captures.columns import Mark
from fingerprint.conversations.resets.endings import Ending
from fingerprint.conversations.resets.headers import SAME_SENDER_HOPS
from fingerprint.conversations.resets.timing import LEAST_GAP_S
from fingerprint.conversations.segments import ACK, FIN, RST, SYN, Segment

# Packets of one sender overtake each other by less than this on almost every path; injected resets were followed by
# the sender's own next segment after 8 ms and more.
REORDERING_NS = 3_000_000
# No window is larger (RFC 7323 section 2.3); what lies further off is no continuation.
LARGEST_WINDOW_BYTES = 1 << 30
# Injectors guess ahead by a few segments; a RST further off is of another connection.
LARGEST_GUESS_BYTES = 1 << 20
# An acknowledgement cannot come back in less than a round trip; this much of it leaves room for a poor sample.
TOO_SOON_RATIO = 0.6


def went_on(ending: Ending, *, too_soon: bool = False) -> tuple[Segment, ...]:
    """Segments of the same sender, sent after its ending, that carry its conversation on where it stood.

    ``too_soon`` says that the ending came sooner than a round trip: then the plain acknowledgement of what it answers
    is the sender's true word, and was not merely overtaken.
    """
    end, before = ending.segment, ending.before
    if not before and ending.stage != "syn":
        return ()
    if _kernel_of_a_prober(ending) or not _takes_effect(ending):
        return ()
    said = max((s.end for s in before), default=0)
    acked = max((s.ack for s in before), default=0)
    out = []
    for s in ending.after:
        if s.time_ns - end.time_ns < REORDERING_NS or not _same_hops(s, before) or not _possible(s, ending):
            continue
        if s.flags & SYN:
            # The server's true SYN-ACK after a RST for the same SYN; a repeated one is only a repetition.
            if ending.stage == "syn" and s.flags & ACK:
                out.append(s)
            continue
        if ending.kind != "reset":
            if _takes_the_place(s, end):
                out.append(s)
            continue
        if 0 <= s.seq - said < LARGEST_WINDOW_BYTES and _sent_later(s, ending, acked, too_soon=too_soon):
            out.append(s)
    return tuple(out)


def _sent_later(s: Segment, ending: Ending, acked: int, *, too_soon: bool) -> bool:
    """It cannot have left before the reset and been overtaken by it, however much the path reorders.

    A reset carries the number of the next byte that its sender would send (RFC 9293 section 3.10.5) and, with an ACK
    flag, of the next that it expects: what lies below both was sent first.
    """
    end = ending.segment
    if s.payload_bytes or s.flags & FIN:
        return _end(s) > end.seq and not _closes_the_books(ending) and (too_soon or not _may_answer(ending))
    if not s.flags & ACK or s.ack <= acked:
        return False
    if too_soon:
        return True
    if end.flags & ACK:
        return s.ack > end.ack
    return s.ack > max((_end(o) for o in ending.opposite if o.time_ns < end.time_ns), default=0)


def _may_answer(ending: Ending) -> bool:
    """It may be a closed socket's word to a late segment, whose acknowledgement it repeats (RFC 9293 section 3.10.7.1).

    Such a number lies below what is still under way.
    """
    end = ending.segment
    return not end.flags & ACK and any(s.flags & ACK and s.ack == end.seq for s in ending.opposite)


def _closes_the_books(ending: Ending) -> bool:
    """Some reset in this name has the number after all that its sender ever sent: nothing came later than that."""
    whole = max((_end(s) for s in ending.genuine), default=0)
    return any(s.seq == whole for s in ending.resets)


def _end(s: Segment) -> int:
    """The sequence number after it; SYN and FIN count as one byte each."""
    return s.end + bool(s.flags & (SYN | FIN))


def _takes_the_place(s: Segment, end: Segment) -> bool:
    """Other data under the numbers that a FIN or an alert had used.

    A host that closed its half still acknowledges, and an alert may be a warning: going on is no contradiction there.
    """
    if end.mark == Mark.TLS_ALERT:
        return s.seq == end.seq and s.mark == Mark.TLS_HANDSHAKE
    return s.seq <= end.seq < s.end


def fed_by_another(ending: Ending, rtt_s: float) -> tuple[Segment, ...]:
    """The sender's acknowledgements of bytes that could not have reached it yet: somebody else sent it bytes."""
    out = []
    for s in ending.after:
        if not s.flags & ACK or s.flags & SYN or s.ack <= 1:
            continue
        source = next((o for o in ending.opposite if o.payload_bytes and o.end >= s.ack > o.seq), None)
        if source is None or source.time_ns >= s.time_ns:
            continue
        elapsed_s = (s.time_ns - source.time_ns) / 1e9
        if elapsed_s < rtt_s * TOO_SOON_RATIO and rtt_s - elapsed_s >= LEAST_GAP_S:
            out += [source, s]
            break
    return tuple(out)


def conflict(ending: Ending) -> tuple[str, tuple[Segment, ...]] | None:
    """Which of the conflicts between resets and sequence numbers there is, with the segments that show it.

    A host's own numbers are explained: the next byte that it would send, or the acknowledgement that a late segment
    of the other side carried. Two further ones in one burst, or one below what it had sent, are not.
    """
    if ending.kind != "reset" or ending.stage == "syn":
        return None
    end = ending.segment
    before = [s for s in ending.before if not s.flags & RST]
    said = max((s.end + bool(s.flags & (FIN | SYN)) for s in before), default=None)
    if said is None:
        return None
    acks = {s.ack for s in ending.opposite if s.flags & ACK}
    if not acks:
        return None  # the other direction was not captured, and with it what a closed socket's answers repeat
    beyond = [s for s in ending.burst if s.seq > said and s.seq not in acks]
    if len({s.seq for s in beyond} | {end.seq}) >= 3 or (beyond and len({s.seq for s in beyond}) >= 2):
        return "RST_SEQ_CHANGE", ending.burst
    # An abort carries the next number (RFC 9293 section 3.10.5); only an answer to a late segment may lie below it,
    # and that has no ACK flag. The byte before it (a keep-alive's number) is not counted.
    if end.flags & ACK and end.seq < said - 1 and said >= 1:
        latest = max(before, key=lambda s: s.end)
        if end.time_ns - latest.time_ns >= 0 and latest.payload_bytes:
            return "DATA_SEQ_RST", (latest, end)
    return None


def both_ends(one: Ending, other: Ending, rtt_one_s: float, rtt_other_s: float) -> bool:
    """Resets in both names at a point between them, closer together than either could have heard of the other's."""
    apart_s = abs(one.segment.time_ns - other.segment.time_ns) / 1e9
    nearer_s = min(rtt_one_s, rtt_other_s)
    return nearer_s >= 2 * LEAST_GAP_S and apart_s < nearer_s * TOO_SOON_RATIO


def _same_hops(s: Segment, known: Sequence[Segment]) -> bool:
    return not known or any(abs(s.ttl_hops - k.ttl_hops) <= SAME_SENDER_HOPS for k in known)


def _possible(s: Segment, ending: Ending) -> bool:
    """It acknowledges nothing that the other side has not sent by then."""
    sent = [o for o in ending.opposite if o.time_ns <= s.time_ns]
    return s.ack <= max((o.end + bool(o.flags & (SYN | FIN)) for o in sent), default=0)


def _takes_effect(ending: Ending) -> bool:
    """It is aimed at this connection: a stray RST of an earlier use of the ports changes nothing, and life goes on."""
    end = ending.segment
    if ending.stage == "syn":
        # RFC 9293 section 3.10.7.2: in SYN-SENT a RST counts only if it acknowledges the SYN.
        return bool(end.flags & ACK) and end.ack == 1
    said = max((s.end for s in ending.before), default=0)
    return abs(end.seq - said) <= LARGEST_GUESS_BYTES


def _kernel_of_a_prober(ending: Ending) -> bool:
    """A program that speaks TCP itself: its host's kernel knows of no connection and resets the SYN-ACK."""
    end = ending.segment
    return end.from_client and not end.flags & ACK and end.seq <= 1 and ending.stage == "open"
