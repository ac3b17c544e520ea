"""An innocent: the portal of a café. Whoever has not agreed to its terms is sent to it, whatever the name."""

from __future__ import annotations

from dataclasses import dataclass, field

from fingerprint.lab.boxes import reading
from fingerprint.lab.boxes.dns_forging import RA, answer
from fingerprint.lab.boxes.forging import back
from fingerprint.lab.boxes.residual import Residual
from fingerprint.lab.censor import Action, Direction, Drop, Inject, Pass
from fingerprint.lab.packet import ACK, FIN, PSH, RST, SYN, TCP, UDP, Packet

# A public-looking address of the provider's own network.
PORTAL = "81.17.26.1"
_PAGE = b"HTTP/1.1 302 Found\r\nLocation: http://login.portal.test/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


@dataclass(slots=True, kw_only=True)
class CaptivePortal:
    """In-path: every name resolves to the portal, every request is redirected to it, every other port is refused."""

    answered: Residual = field(default_factory=lambda: Residual(seconds=60.0, scope="4-tuple"))

    def inspect(self, packet: Packet, direction: Direction) -> Action:
        """Speaks for everybody."""
        if direction is Direction.TO_CLIENT:
            return Drop() if self.answered.holds(packet, direction) else Pass()
        if packet.protocol == UDP:
            return self._resolve(packet)
        if packet.protocol != TCP:
            return Pass()
        if self.answered.holds(packet, direction):
            return Drop()
        if packet.dport != 80:
            refused = back(packet, RST | ACK, ip_id=0, ttl=64, window=0)
            return Inject(((refused, Direction.TO_CLIENT),), drop=True) if packet.flags & SYN else Drop()
        if not reading.is_http(packet.payload) or not packet.payload:
            return Pass()
        self.answered.start(packet, direction)
        page = back(packet, FIN | PSH | ACK, payload=_PAGE, ttl=64, ip_id=0)
        return Inject(((page, Direction.TO_CLIENT),), drop=True)

    def _resolve(self, packet: Packet) -> Action:
        asked = reading.question(packet.payload) if packet.dport == 53 else None
        if asked is None:
            return Drop()
        bits, address = RA, PORTAL
        if asked.rtype != 1:
            return Drop()
        forged = Packet(
            source=packet.destination, destination=packet.source, protocol=UDP, sport=packet.dport, dport=packet.sport,
            payload=answer(asked, address, bits=bits, ttl_s=10), ttl=64,
        )  # fmt: skip
        return Inject(((forged, Direction.TO_CLIENT),), drop=True)
