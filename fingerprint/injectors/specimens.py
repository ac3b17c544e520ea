"""What an injector sent on one flow, with the packet that set it off and some of the named sender's own."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from captures.packet import Packet
from captures.recording import Recording
from fingerprint.capture import Capture
from fingerprint.technique import Cited

# Flows that are looked at for one mechanism, in order of appearance: more would only repeat the first.
MOST_FLOWS = 40
# The named sender's own packets that are kept for comparison.
OWN_PKTS = 6
# Packets of one salvo follow each other at once; the same device on the same flow later is another one.
SALVO_NS = 20_000_000
FIN, RST = 0x01, 0x04


@dataclass(frozen=True, slots=True, kw_only=True)
class Specimen:
    """``kind``: reset, close, alert, http, dns or data, by the first packet."""

    kind: str
    packets: tuple[Packet, ...]
    trigger: Packet | None
    own: tuple[Packet, ...]  # of the named sender, not forged


def specimens(capture: Capture, forged: Collection[Cited]) -> tuple[Specimen, ...]:
    """One for each flow and kind of packet, in order of the files: two devices may act on one flow."""
    out = []
    for recording in capture.recordings:
        rows = sorted(c.number - 1 for c in forged if c.capture == recording.index)
        c = recording.columns
        by_maker: dict[tuple[int, int], list[int]] = {}
        for row in rows:
            by_maker.setdefault((int(c.flow[row]), int(c.tcp_flags[row])), []).append(row)
        flows = [(flow, mine) for (flow, _), mine in by_maker.items() if flow >= 0]
        out += [_specimen(recording, flow, mine) for flow, mine in flows[:MOST_FLOWS]]
    return tuple(out)


def _specimen(recording: Recording, flow: int, forged: Sequence[int]) -> Specimen:
    """The first salvo: copies of a forged packet are as forged as it is, whether somebody cited them or not."""
    c, first = recording.columns, forged[0]
    rows = np.flatnonzero(c.flow == flow)
    same_way = c.direction[rows] == c.direction[first]
    at_once = np.abs(c.time_ns[rows] - c.time_ns[first]) <= SALVO_NS
    alike = (c.tcp_flags[rows] == c.tcp_flags[first]) & (c.ip_id[rows] == c.ip_id[first])
    salvo = rows[same_way & at_once & (alike | np.isin(rows, forged))]
    trigger = rows[~same_way & (rows < first)][-1:]
    own = rows[same_way & (rows < first) & ~np.isin(rows, [*forged, *salvo.tolist()])][-OWN_PKTS:]
    return Specimen(
        kind=kind(recording.packet(first)),
        packets=tuple(recording.packet(int(row)) for row in salvo),
        trigger=recording.packet(int(trigger[0])) if len(trigger) else None,
        own=tuple(recording.packet(int(row)) for row in own),
    )


def kind(packet: Packet) -> str:
    """What the packet does to a conversation."""
    if packet.udp is not None:
        return "dns" if 53 in (packet.udp.source_port, packet.udp.destination_port) else "data"
    if packet.tcp is None:
        return "data"
    if packet.tcp.flags & RST:
        return "reset"
    if packet.payload[:5] == b"HTTP/":
        return "http"
    if packet.payload[:1] == b"\x15":
        return "alert"
    return "close" if packet.tcp.flags & FIN and not packet.payload_bytes else "data"
