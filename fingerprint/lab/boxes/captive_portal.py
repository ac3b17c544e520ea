"""An innocent: the portal of a café. Whoever has not agreed to its terms is sent to it, whatever the name."""

from __future__ import annotations

from dataclasses import dataclass
from zlib import crc32

from fingerprint.lab.boxes import reading
from fingerprint.lab.boxes.dns_forging import RA, answer
from fingerprint.lab.boxes.forging import back
from fingerprint.lab.censor import Action, Direction, Drop, Inject, Pass
from fingerprint.lab.packet import ACK, FIN, PSH, RST, SYN, TCP, UDP, Packet

# A public-looking address of the provider's own network.
PORTAL = "81.17.26.1"
_PAGE = b"HTTP/1.1 302 Found\r\nLocation: http://login.portal.test/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


# RFC 9293 section 3.2: MSS 1460, kind 2.
_MSS = bytes((2, 4, 0x05, 0xB4))


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptivePortal:
    """In-path: every name resolves to the portal, which answers port 80 of every address and refuses every other.

    It speaks TCP without remembering anything: its numbers follow from the client's.
    """

    def inspect(self, packet: Packet, direction: Direction) -> Action:
        """Speaks for everybody; nothing goes past it."""
        if direction is Direction.TO_CLIENT:
            return Pass()
        if packet.protocol == UDP:
            return self._resolve(packet)
        reply = self._reply(packet) if packet.protocol == TCP else None
        return Drop() if reply is None else Inject(((reply, Direction.TO_CLIENT),), drop=True)

    def _reply(self, packet: Packet) -> Packet | None:
        own: dict[str, object] = {"ttl": 64, "ip_id": 0}
        if packet.dport != 80:
            return back(packet, RST | ACK, window=0, **own) if packet.flags & SYN else None
        if packet.flags & SYN:
            return back(packet, SYN | ACK, seq=crc32(repr(packet.flow).encode()), options=_MSS, window=64240, **own)
        if packet.payload and reading.is_http(packet.payload):
            return back(packet, FIN | PSH | ACK, payload=_PAGE, **own)
        return back(packet, ACK, **own) if packet.flags & FIN else None

    def _resolve(self, packet: Packet) -> Action:
        asked = reading.question(packet.payload) if packet.dport == 53 else None
        if asked is None:
            return Drop()
        if asked.rtype != 1:
            return Drop()
        forged = Packet(
            source=packet.destination, destination=packet.source, protocol=UDP, sport=packet.dport, dport=packet.sport,
            payload=answer(asked, PORTAL, bits=RA, ttl_s=10), ttl=64,
        )  # fmt: skip
        return Inject(((forged, Direction.TO_CLIENT),), drop=True)
