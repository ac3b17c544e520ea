"""Boxes that mind QUIC: by the name in its Initials, by port and address, and one that ends connections."""

from __future__ import annotations

from dataclasses import dataclass, field

from fingerprint.lab.boxes import quic_reading
from fingerprint.lab.boxes.residual import Residual
from fingerprint.lab.boxes.watching import Names
from fingerprint.lab.censor import Action, Delay, Direction, Drop, Inject, Pass
from fingerprint.lab.packet import UDP, Packet


@dataclass(slots=True, kw_only=True)
class InitialSilencer:
    """China: the Initial passes, then what the client sends to that address and port is dropped, from any port.

    Zohaib et al., USENIX Security 2025: client to server only, for 180 s, and only from ports above the server's.
    """

    residual: Residual
    names: Names = field(default_factory=Names)

    def inspect(self, packet: Packet, direction: Direction) -> Action:
        """What the server says is never touched."""
        if packet.protocol != UDP or direction is Direction.TO_CLIENT:
            return Pass()
        if self.residual.holds(packet, direction):
            return Drop()
        if packet.sport > packet.dport and self.names.mind(quic_reading.sni(packet.payload)):
            self.residual.start(packet, direction)
        return Pass()


@dataclass(slots=True, kw_only=True)
class InitialDropper:
    """An Initial with a minded name is dropped, and its flow both ways."""

    residual: Residual
    names: Names = field(default_factory=Names)

    def inspect(self, packet: Packet, direction: Direction) -> Action:
        """Other flows are never touched."""
        if packet.protocol != UDP:
            return Pass()
        if self.residual.holds(packet, direction):
            return Drop()
        if direction is Direction.TO_SERVER and self.names.mind(quic_reading.sni(packet.payload)):
            self.residual.start(packet, direction)
            return Drop()
        return Pass()


@dataclass(frozen=True, slots=True, kw_only=True)
class UdpPortDropper:
    """UDP to this port of these addresses goes nowhere; of all addresses if none is named."""

    port: int
    addresses: frozenset[str] = frozenset()

    def inspect(self, packet: Packet, direction: Direction) -> Action:
        """Only the way there is cut."""
        there = packet.protocol == UDP and direction is Direction.TO_SERVER and packet.dport == self.port
        return Drop() if there and (not self.addresses or packet.destination in self.addresses) else Pass()


@dataclass(slots=True, kw_only=True)
class CloseInjector:
    """On-path: CONNECTION_CLOSE (CONNECTION_REFUSED) in the server's name for an Initial with a minded name."""

    names: Names = field(default_factory=Names)
    ttl: int = 57

    def inspect(self, packet: Packet, direction: Direction) -> Action:
        """The Initial goes on."""
        if packet.protocol != UDP or direction is Direction.TO_CLIENT:
            return Pass()
        if not self.names.mind(quic_reading.sni(packet.payload)):
            return Pass()
        forged = Packet(
            source=packet.destination, destination=packet.source, protocol=UDP, ttl=self.ttl, sport=packet.dport,
            dport=packet.sport, payload=quic_reading.close(packet.payload, error=2),
        )  # fmt: skip
        return Inject(((forged, Direction.TO_CLIENT),), after_s=0.0005)


@dataclass(frozen=True, slots=True, kw_only=True)
class SlowUdp:
    """An innocent: whoever answers over this port takes his time."""

    port: int
    seconds: float

    def inspect(self, packet: Packet, direction: Direction) -> Action:
        """Only the way back is slow."""
        back = packet.protocol == UDP and direction is Direction.TO_CLIENT and packet.sport == self.port
        return Delay(self.seconds) if back else Pass()
