"""An innocent: a SYN proxy. It answers the SYN itself, opens the true connection when the client has shown itself,
and from then on only shifts sequence numbers: SYN-ACK with TTL 251, data with the server's.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from zlib import crc32

from fingerprint.lab.boxes.forging import back
from fingerprint.lab.boxes.residual import Ends, ends
from fingerprint.lab.censor import Action, Direction, Drop, Inject, Pass, Rewrite
from fingerprint.lab.packet import ACK, RST, SYN, TCP, Packet

# RFC 9293 section 3.2: kind 2, length 4. No timestamps, no SACK, no scaling: a proxy offers what it can translate.
_MSS_1460 = bytes((2, 4, 0x05, 0xB4))
# What was seen of one real proxy: SYN-ACK with TTL 251, data with 60.
_TTL = 251
_SEQUENCES = 1 << 32


@dataclass(slots=True)
class _Splice:
    """One connection: what the proxy told the client, and by how much the server's numbers differ from it."""

    own_seq: int
    client_syn: Packet
    offset: int | None = None  # own − server's, once its SYN-ACK is here
    held: list[Packet] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class SynProxy:
    """In-path, beside the servers."""

    _splices: dict[Ends, _Splice] = field(default_factory=dict)

    def inspect(self, packet: Packet, direction: Direction) -> Action:
        """Answers, holds, splices."""
        if packet.protocol != TCP:
            return Pass()
        key = ends(packet, direction)
        if direction is Direction.TO_SERVER and packet.flags & SYN:
            return self._answer(key, packet)
        splice = self._splices.get(key)
        if splice is None:
            return Pass()
        if direction is Direction.TO_SERVER:
            return self._from_client(splice, packet)
        return self._from_server(splice, packet)

    def _answer(self, key: Ends, syn: Packet) -> Action:
        known = self._splices.get(key)
        if known is None or known.client_syn.seq != syn.seq:
            known = self._splices[key] = _Splice(crc32(repr((key, syn.seq)).encode()), syn)
        own = back(syn, SYN | ACK, seq=known.own_seq, options=_MSS_1460, ttl=_TTL, ip_id=0, window=64240)
        return Inject(((own, Direction.TO_CLIENT),), drop=True)

    def _from_client(self, splice: _Splice, packet: Packet) -> Action:
        if splice.offset is not None:
            return Rewrite(packet.with_(ack=(packet.ack - splice.offset) % _SEQUENCES))
        if packet.flags & RST:
            return Drop()
        if packet.payload:
            splice.held.append(packet)
        # The client is real: now the server may hear of it. A repetition is only sent if the first one was lost.
        syn = splice.client_syn.with_(options=_MSS_1460, time_s=packet.time_s)
        return Inject(((syn, Direction.TO_SERVER),), drop=True)

    def _from_server(self, splice: _Splice, packet: Packet) -> Action:
        if splice.offset is None:
            if packet.flags & RST:
                return Rewrite(packet.with_(seq=(splice.own_seq + 1) % _SEQUENCES))
            splice.offset = (splice.own_seq - packet.seq) % _SEQUENCES
            first = splice.client_syn
            opening = first.with_(flags=ACK, seq=first.end, ack=packet.end, options=b"")
            waiting = [p.with_(ack=(p.ack - splice.offset) % _SEQUENCES) for p in splice.held]
            splice.held.clear()
            return Inject(tuple((p, Direction.TO_SERVER) for p in (opening, *waiting)), drop=True)
        if packet.flags & SYN:
            return Drop()
        return Rewrite(packet.with_(seq=(packet.seq + splice.offset) % _SEQUENCES))
