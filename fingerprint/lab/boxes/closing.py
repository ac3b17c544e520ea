"""Boxes that end a TLS handshake politely: a forged alert, a forged FIN."""

from __future__ import annotations

from dataclasses import dataclass, field

from fingerprint.lab.boxes.forging import Injector, back, both, opposite
from fingerprint.lab.boxes.residual import Residual
from fingerprint.lab.boxes.watching import Names, Watch
from fingerprint.lab.censor import Action, Direction, Drop, Inject, Pass
from fingerprint.lab.packet import ACK, FIN, PSH, TCP, Packet

# RFC 8446 section 6: level fatal, description unrecognized_name (112), in a record of TLS 1.2.
_ALERT = bytes((21, 3, 3, 0, 2, 2, 112))


@dataclass(slots=True, kw_only=True)
class AlertInjector:
    """In-path: the hello goes no further, an alert and a FIN come back in the server's name, the flow is dropped."""

    watch: Watch = field(default_factory=lambda: Watch(reads=("sni",)))
    closed: Residual = field(default_factory=lambda: Residual(seconds=60.0, scope="4-tuple"))

    def inspect(self, packet: Packet, direction: Direction) -> Action:
        """One answer for a flow, then nothing."""
        if packet.protocol != TCP:
            return Pass()
        if self.closed.holds(packet, direction):
            return Drop()
        if direction is Direction.TO_CLIENT or not self.watch.fires(packet):
            return Pass()
        self.closed.start(packet, direction)
        fields = {"ttl": 57, "ip_id": 0, "window": 1024}
        alert = back(packet, PSH | ACK, payload=_ALERT, **fields)
        fin = back(packet, FIN | ACK, **fields).with_(seq=alert.end)
        way = opposite(direction)
        return Inject(((alert, way), (fin, way)), drop=True, after_s=0.0005)


def fins(names: Names | None = None) -> Injector:
    """On-path: FIN+ACK to both ends after a minded hello."""
    return Injector(
        watch=Watch(names=names or Names(), reads=("sni",)),
        salvo=lambda p, d: both(p, d, FIN | ACK, ttl=57, ip_id=0, df=False, window=1024),
    )
