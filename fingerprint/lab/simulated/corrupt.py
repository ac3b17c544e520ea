"""A packet whose transport checksum is wrong: boxes take it for good, the far end throws it away."""

from __future__ import annotations

from dataclasses import dataclass, fields

from fingerprint.lab.packet import TCP, UDP, Packet, parse


@dataclass(frozen=True, slots=True, kw_only=True)
class Corrupt(Packet):
    """As `Packet`, but for the checksum on the wire."""

    def to_bytes(self) -> bytes:
        """The wire format, with one bit of the checksum wrong."""
        raw = bytearray(Packet.to_bytes(self))
        head = 40 if self.version == 6 else 20
        raw[head + (16 if self.protocol == TCP else 6)] ^= 1
        return bytes(raw)


def read(raw: bytes) -> Packet | None:
    """The packet in these bytes; None for what this laboratory's packets cannot say (fragments, IP options)."""
    packet = parse(raw)
    if packet is None or (packet.version == 4 and int.from_bytes(raw[6:8], "big") & 0x3FFF):
        return None
    right = packet.to_bytes()
    if len(right) != len(raw) or right[:2] != raw[:2]:
        return None
    head = 40 if packet.version == 6 else 20
    at = head + {TCP: 16, UDP: 6}.get(packet.protocol, 0)
    if packet.protocol in (TCP, UDP) and raw[at : at + 2] not in (right[at : at + 2], b"\0\0"[: 2 * (at == head + 6)]):
        return Corrupt(**{f.name: getattr(packet, f.name) for f in fields(packet)})
    return packet
