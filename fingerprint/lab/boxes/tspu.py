"""Russia's TSPU: four ways to treat a name, one for QUIC. In-path, within about five hops of the client.

Xue et al., "TSPU: Russia's Decentralized Censorship System" (IMC 2022). The state lives with the flow (4-tuple):
75 s for SNI-I, 420 s for SNI-II and QUIC, 40 s for SNI-IV after the last packet.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

from fingerprint.lab.boxes import reading
from fingerprint.lab.boxes.residual import Ends, Residual, ends
from fingerprint.lab.boxes.watching import Watch
from fingerprint.lab.censor import Action, Direction, Drop, Pass, Rewrite
from fingerprint.lab.packet import ACK, RST, TCP, UDP, Packet


@dataclass(slots=True, kw_only=True)
class Rewriter:
    """SNI-I: whatever the server says on a marked flow loses its payload and becomes RST/ACK; nothing is added."""

    residual: Residual
    watch: Watch = field(default_factory=Watch)

    def inspect(self, packet: Packet, direction: Direction) -> Action:
        """TTL, IP ID, sequence number and time stay the server's own."""
        if packet.protocol != TCP:
            return Pass()
        if direction is Direction.TO_SERVER:
            if self.watch.fires(packet):
                self.residual.start(packet, direction)
            return Pass()
        if not self.residual.holds(packet, direction):
            return Pass()
        return Rewrite(packet.with_(flags=RST | ACK, payload=b""))


@dataclass(slots=True, kw_only=True)
class LateDropper:
    """SNI-II: after the trigger five to eight packets more pass, then nothing does, either way."""

    residual: Residual
    watch: Watch = field(default_factory=Watch)
    random: Random = field(default_factory=lambda: Random(2))  # noqa: S311  # a count, no secret
    _left: dict[Ends, int] = field(default_factory=dict)

    def inspect(self, packet: Packet, direction: Direction) -> Action:
        """Counts packets of both directions."""
        if packet.protocol != TCP:
            return Pass()
        if self.residual.holds(packet, direction):
            key = ends(packet, direction)
            self._left[key] -= 1
            return Pass() if self._left[key] >= 0 else Drop()
        if direction is Direction.TO_SERVER and self.watch.fires(packet):
            self.residual.start(packet, direction)
            self._left[ends(packet, direction)] = self.random.randint(5, 8)
        return Pass()


@dataclass(slots=True, kw_only=True)
class Dropper:
    """SNI-IV: the hello and all that follows, either way, goes nowhere. Kazakhstan's time-out looks the same."""

    residual: Residual
    watch: Watch = field(default_factory=Watch)

    def inspect(self, packet: Packet, direction: Direction) -> Action:
        """Nothing of a marked flow passes."""
        if packet.protocol != TCP:
            return Pass()
        if self.residual.holds(packet, direction):
            return Drop()
        if direction is Direction.TO_SERVER and self.watch.fires(packet):
            self.residual.start(packet, direction)
            return Drop()
        return Pass()


@dataclass(slots=True, kw_only=True)
class QuicDropper:
    """QUIC: version 1 in a datagram of at least 1,001 bytes to port 443 silences the flow, whatever the name."""

    residual: Residual
    version: int = 1
    least_bytes: int = 1001

    def inspect(self, packet: Packet, direction: Direction) -> Action:
        """The first Initial is dropped as well."""
        if packet.protocol != UDP:
            return Pass()
        if self.residual.holds(packet, direction):
            return Drop()
        long_enough = len(packet.payload) >= self.least_bytes
        towards_https = direction is Direction.TO_SERVER and packet.dport == 443
        if towards_https and long_enough and reading.quic_version(packet.payload) == self.version:
            self.residual.start(packet, direction)
            return Drop()
        return Pass()
