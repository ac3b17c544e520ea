"""A censor that stamps its resets, and a server that resets without being one: the technique tells them apart.

fingerprint lab run --censor lab/censor.py:Censor -- curl http://forum.test/
"""

from __future__ import annotations

from fingerprint.lab.censor import Action, Direction, Inject, Pass
from fingerprint.lab.packet import ACK, RST, Packet

# Every censor of the laboratory minds this name; nobody minds garden.test.
MINDED = b"Host: forum.test"


class Censor:
    """Resets requests for forum.test, and says on whose behalf."""

    stamp = b"blocked by order"

    def inspect(self, packet: Packet, direction: Direction) -> Action:
        """Called for each packet on its link, in order. A box has no clock: `packet.time_s` is the time."""
        if direction is Direction.TO_SERVER and MINDED in packet.payload:
            return Inject(((self.reset(packet), Direction.TO_CLIENT),))
        return Pass()

    def reset(self, request: Packet) -> Packet:
        """A reset in the server's name, at the sequence number that the client expects next."""
        return Packet(
            source=request.destination, destination=request.source, sport=request.dport, dport=request.sport,
            seq=request.ack, ack=request.end, flags=RST | ACK, window=0, ttl=60, payload=self.stamp,
        )  # fmt: skip


class Innocent(Censor):
    """The twin: a plain reset for the same requests, as a server's own firewall may send it."""

    stamp = b""
