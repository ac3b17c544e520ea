"""Boxes that drop by what stands in one packet alone: an address, a name, a size."""

from __future__ import annotations

from dataclasses import dataclass, field

from fingerprint.lab.boxes.slowing import wire_bytes
from fingerprint.lab.boxes.watching import Watch
from fingerprint.lab.censor import Action, Direction, Drop, Pass
from fingerprint.lab.packet import Packet


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressBlackHole:
    """A route to nowhere: nothing goes to these addresses, whatever the protocol and port."""

    addresses: frozenset[str]

    def inspect(self, packet: Packet, direction: Direction) -> Action:
        """Only the way there is cut, as a null route cuts it."""
        towards = direction is Direction.TO_SERVER and packet.destination in self.addresses
        return Drop() if towards else Pass()


@dataclass(frozen=True, slots=True, kw_only=True)
class HelloDropper:
    """Drops each packet that carries the whole name, remembers nothing: a split hello passes, so does the next flow."""

    watch: Watch = field(default_factory=lambda: Watch(joins_segments=False))

    def inspect(self, packet: Packet, direction: Direction) -> Action:
        """Every repetition of the hello is dropped as well."""
        dies = direction is Direction.TO_SERVER and self.watch.fires(packet)
        return Drop() if dies else Pass()


@dataclass(frozen=True, slots=True, kw_only=True)
class SizeLimit:
    """An innocent: a tunnel with a small MTU whose ICMP is lost. Longer packets vanish without a word."""

    most_bytes: int = 1400

    def inspect(self, packet: Packet, direction: Direction) -> Action:  # noqa: ARG002  # both ways alike
        """Drops what does not fit."""
        return Drop() if wire_bytes(packet) > self.most_bytes else Pass()
