"""How a box finds its trigger: a name in what a client says, read packet by packet or from the joined stream."""

from __future__ import annotations

from dataclasses import dataclass, field

from fingerprint.lab.boxes import reading
from fingerprint.lab.packet import SYN, TCP, Packet
from fingerprint.lab.world import MINDED

Flow = tuple[str, int, str, int, int]

# A DPI does not remember more of an opening than this; Chrome's hello with a post-quantum key has about 2,000 bytes.
_LONGEST_OPENING_BYTES = 16_384


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """The names that are minded, and how they are compared.

    ``match`` is ``suffix`` (the name and all below it), ``exact`` or ``substring`` (`t.co` hits `reddit.co…`).
    """

    names: frozenset[str] = frozenset({MINDED})
    match: str = "suffix"
    folds_case: bool = True
    folds_dot: bool = True

    def mind(self, name: str | None) -> bool:
        """Whether this name is one of them."""
        if not name:
            return False
        name = name.lower() if self.folds_case else name
        name = name.rstrip(".") if self.folds_dot else name
        if self.match == "substring":
            return any(n in name for n in self.names)
        below = self.match == "suffix"
        return any(name == n or (below and name.endswith("." + n)) for n in self.names)


@dataclass(slots=True)
class _Opening:
    """What was heard of a flow's first message."""

    next_seq: int
    heard: bytes = b""
    early: dict[int, bytes] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Watch:
    """Tells whether a packet, with what came before it on its flow, names something that is minded.

    With ``joins_segments`` the first message of each flow is put together by sequence number, the first copy of a byte
    counts, and a repetition of a triggering segment triggers again. Without it every packet stands for itself.
    """

    names: Names = field(default_factory=Names)
    reads: tuple[str, ...] = ("sni", "host")
    joins_segments: bool = True
    joins_records: bool = False
    _openings: dict[Flow, _Opening] = field(default_factory=dict)
    _decided: dict[Flow, bool] = field(default_factory=dict)

    def fires(self, packet: Packet) -> bool:
        """Whether this packet makes the trigger whole."""
        if packet.protocol != TCP:
            return False
        if not self.joins_segments:
            return bool(packet.payload) and self._minds(packet.payload)
        flow = packet.flow
        if packet.flags & SYN:
            self._decided.pop(flow, None)
            self._openings[flow] = _Opening(packet.end)
            return False
        if not packet.payload:
            return False
        decided = self._decided.get(flow)
        if decided is not None:
            return decided and packet.payload[:1] in (b"\x16", b"G", b"P", b"H", b"O", b"D", b"C", b"T")
        return self._join(flow, packet)

    def _join(self, flow: Flow, packet: Packet) -> bool:
        opening = self._openings.setdefault(flow, _Opening(packet.seq))
        opening.early.setdefault(packet.seq, packet.payload)
        while opening.next_seq in opening.early:
            piece = opening.early.pop(opening.next_seq)
            opening.heard += piece
            opening.next_seq = (opening.next_seq + len(piece)) % (1 << 32)
        heard = opening.heard
        if not heard and len(opening.early) < 32:
            return False
        fires = self._minds(heard)
        more = self._wants_more(heard) and len(heard) < _LONGEST_OPENING_BYTES
        if fires or not more:
            self._decided[flow] = fires
            self._openings.pop(flow, None)
        return fires

    def _minds(self, heard: bytes) -> bool:
        first = heard[:1]
        if first == b"\x16":
            return "sni" in self.reads and self.names.mind(reading.sni(heard, joins_records=self.joins_records))
        return "host" in self.reads and self.names.mind(reading.host(heard))

    def _wants_more(self, heard: bytes) -> bool:
        if reading.is_tls(heard):
            return not reading.hello_is_whole(heard, joins_records=self.joins_records)
        return not reading.request_is_whole(heard)
