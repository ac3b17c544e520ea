"""The nineteen sequences by which Cloudflare's passive study names connections that end early.

Sundara Raman et al., "Global, Passive Detection of Connection Tampering", SIGCOMM 2023. The study looks at the first
ten packets that reach a server, so a reset is one that arrives in the client's name. From the client's end the same
table is read in the mirror: how far the client had come, and what arrived in the server's name. A sequence is a fact
about packets; honest connections end in every one of these ways too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from fingerprint.conversations.segments import ACK, FIN, RST, SYN, Segment

# The study's own limits: ten inbound packets, and three seconds without another one count as silence.
FIRST_PKTS = 10
SILENCE_S = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TamperingSequence:
    """One row: the stage that the connection had reached, and a test on the resets that then came."""

    name: str
    stage: str  # syn, ack, psh, data
    doc: str
    fits: Callable[[Resets], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Resets:
    """The resets that ended a connection, plain and with ACK flag, in order, and their acknowledgement fields."""

    plain: int
    with_ack: int
    acks: tuple[int, ...]  # of the plain ones, as sent


def _none(r: Resets) -> bool:
    return not r.plain and not r.with_ack


def _one_plain(r: Resets) -> bool:
    return r.plain == 1 and not r.with_ack


def _plain(r: Resets) -> bool:
    return r.plain >= 1 and not r.with_ack


def _many_plain(r: Resets) -> bool:
    return r.plain >= 2 and not r.with_ack


def _one_acked(r: Resets) -> bool:
    return r.with_ack == 1 and not r.plain


def _acked(r: Resets) -> bool:
    return r.with_ack >= 1 and not r.plain


def _many_acked(r: Resets) -> bool:
    return r.with_ack >= 2 and not r.plain


def _both(r: Resets) -> bool:
    return r.plain >= 1 and r.with_ack >= 1


def _same(r: Resets) -> bool:
    return _many_plain(r) and len(set(r.acks)) == 1


def _differ(r: Resets) -> bool:
    return _many_plain(r) and len(set(r.acks)) > 1 and 0 not in r.acks


def _one_zero(r: Resets) -> bool:
    return _many_plain(r) and len(set(r.acks)) > 1 and 0 in r.acks


_ROWS = (
    ("SYN → ∅", "syn", "a SYN, then nothing", _none),
    ("SYN → RST", "syn", "a SYN, then one or more RST", _plain),
    ("SYN → RST+ACK", "syn", "a SYN, then one or more RST+ACK", _acked),
    ("SYN → RST;RST+ACK", "syn", "a SYN, then both kinds of reset", _both),
    ("SYN;ACK → ∅", "ack", "a handshake, then nothing", _none),
    ("SYN;ACK → RST", "ack", "a handshake, then one RST", _one_plain),
    ("SYN;ACK → RST;RST", "ack", "a handshake, then several RST", _many_plain),
    ("SYN;ACK → RST+ACK", "ack", "a handshake, then one RST+ACK", _one_acked),
    ("SYN;ACK → RST+ACK;RST+ACK", "ack", "a handshake, then several RST+ACK", _many_acked),
    ("PSH → ∅", "psh", "one packet of data, then nothing", _none),
    ("PSH → RST", "psh", "one packet of data, then one RST", _one_plain),
    ("PSH → RST+ACK", "psh", "one packet of data, then one RST+ACK", _one_acked),
    ("PSH → RST;RST+ACK", "psh", "one packet of data, then both kinds of reset", _both),
    ("PSH → RST+ACK;RST+ACK", "psh", "one packet of data, then several RST+ACK", _many_acked),
    ("PSH → RST=RST", "psh", "one packet of data, then several RST of one acknowledgement number", _same),
    ("PSH → RST≠RST", "psh", "one packet of data, then RSTs of different acknowledgement numbers", _differ),
    ("PSH → RST;RST₀", "psh", "one packet of data, then RSTs, one of them acknowledging number zero", _one_zero),
    ("PSH;Data → RST", "data", "several packets of data, then one or more RST", _plain),
    ("PSH;Data → RST+ACK", "data", "several packets of data, then one or more RST+ACK", _acked),
)

# Name → row, in the order of the study's table.
SEQUENCES: MappingProxyType[str, TamperingSequence] = MappingProxyType(
    {name: TamperingSequence(name=name, stage=stage, doc=doc, fits=fits) for name, stage, doc, fits in _ROWS}
)


def sequence(
    segments: Sequence[Segment], *, resets_from_client: bool, listened_s: float
) -> tuple[str, tuple[Segment, ...]] | None:
    """The name of the sequence by which a stream ends, with the segments that show it; None where it is none of them.

    ``resets_from_client`` chooses the end: True reads as the server does, False as the client. ``listened_s`` is how
    long the recording went on after the stream's last segment; silence shorter than SILENCE_S is not silence.
    """
    if not segments or not segments[0].from_client or segments[0].flags & (SYN | ACK | RST) != SYN:
        return None
    arriving = [s for s in segments if s.from_client == resets_from_client][:FIRST_PKTS]
    resets = [s for s in arriving if s.is_reset]
    until = next((i for i, s in enumerate(segments) if resets and s is resets[0]), len(segments))
    before = segments[:until]
    if any(s.flags & FIN for s in before):
        return None
    sent = [s for s in before if s.from_client]
    stage = _stage(sent)
    # Silence is the other end's: this end's repetitions into it do not break it.
    last_ns = arriving[-1].time_ns if arriving else segments[0].time_ns
    if not resets and (
        listened_s + (segments[-1].time_ns - last_ns) / 1e9 < SILENCE_S
        or any(s.is_reset for s in segments)
        or not _fell_silent(before, as_server=resets_from_client)
    ):
        return None
    facts = Resets(
        plain=sum(not s.flags & ACK for s in resets),
        with_ack=sum(bool(s.flags & ACK) for s in resets),
        acks=tuple(s.raw_ack for s in resets if not s.flags & ACK),
    )
    row = next((r for r in SEQUENCES.values() if r.stage == stage and r.fits(facts)), None)
    if row is None:
        return None
    return row.name, (*sent[-1:], *resets)


def _stage(sent: Sequence[Segment]) -> str:
    data = {s.seq for s in sent if s.payload_bytes and not s.flags & (SYN | RST)}
    if len(data) >= 2:
        return "data"
    if data:
        return "psh"
    return "ack" if any(s.flags & (SYN | ACK | RST) == ACK for s in sent) else "syn"


def _fell_silent(before: Sequence[Segment], *, as_server: bool) -> bool:
    """Nothing came from the other end after the client's last step."""
    if as_server:
        # A client that acknowledges the server's data is still there.
        said = max((s.seq + s.payload_bytes for s in before if s.from_client), default=0)
        last = max((i for i, s in enumerate(before) if s.from_client and s.end == said), default=0)
        return all(s.end == said and s.ack <= 1 for s in before[last:] if s.from_client)
    data = [i for i, s in enumerate(before) if s.from_client and s.payload_bytes]
    if not data:
        return not any(s.payload_bytes for s in before if not s.from_client)
    return not any(not s.from_client for s in before[data[0] :])
