"""Segments in somebody else's name: back to whoever sent the trigger, or ahead to whom it was for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from fingerprint.lab.boxes.residual import Residual
from fingerprint.lab.boxes.watching import Watch
from fingerprint.lab.censor import Action, Direction, Inject, Pass
from fingerprint.lab.packet import ACK, RST, SYN, TCP, Packet

Salvo = Callable[[Packet, Direction], Iterable[tuple[Packet, Direction]]]


def opposite(direction: Direction) -> Direction:
    """The other way."""
    return Direction.TO_CLIENT if direction is Direction.TO_SERVER else Direction.TO_SERVER


def back(trigger: Packet, flags: int, **fields: object) -> Packet:
    """A segment to the trigger's sender, in the name of its receiver, where that one's next byte is expected."""
    plain = Packet(
        source=trigger.destination,
        destination=trigger.source,
        sport=trigger.dport,
        dport=trigger.sport,
        seq=trigger.ack if trigger.flags & ACK else 0,
        ack=trigger.end if flags & ACK else 0,
        flags=flags,
        time_s=trigger.time_s,
    )
    return plain.with_(**fields)


def ahead(trigger: Packet, flags: int, **fields: object) -> Packet:
    """A segment to the trigger's receiver, in the name of its sender, right behind the trigger."""
    plain = Packet(
        source=trigger.source,
        destination=trigger.destination,
        sport=trigger.sport,
        dport=trigger.dport,
        seq=trigger.end,
        ack=trigger.ack if flags & ACK else 0,
        flags=flags,
        time_s=trigger.time_s,
    )
    return plain.with_(**fields)


def both(trigger: Packet, direction: Direction, flags: int, **fields: object) -> tuple[tuple[Packet, Direction], ...]:
    """The same header to both ends."""
    return (
        (back(trigger, flags, **fields), opposite(direction)),
        (ahead(trigger, flags, **fields), direction),
    )


@dataclass(slots=True, kw_only=True)
class Injector:
    """On-path: when its watch fires it sends a salvo, and again for what the client says while the block lasts.

    ``directions`` are those in which it reads; ``after_s`` is what it takes to think.
    """

    watch: Watch
    salvo: Salvo
    residual: Residual | None = None
    directions: tuple[Direction, ...] = (Direction.TO_SERVER,)
    only_if: Callable[[Packet], bool] = field(default=lambda _: True)
    after_s: float = 0.0005

    def inspect(self, packet: Packet, direction: Direction) -> Action:
        """Everything goes on; some packets are answered."""
        if packet.protocol != TCP or direction not in self.directions:
            return Pass()
        if self.watch.fires(packet) and self.only_if(packet):
            if self.residual is not None:
                self.residual.start(packet, direction)
            return self._fire(packet, direction)
        if self.residual is None or packet.flags & (SYN | RST) or not self.residual.holds(packet, direction):
            return Pass()
        return self._fire(packet, direction)

    def _fire(self, packet: Packet, direction: Direction) -> Action:
        return Inject(tuple(self.salvo(packet, direction)), after_s=self.after_s)
