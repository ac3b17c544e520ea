"""What boxes on a link do to a packet, one after another: the same on the simulated path and between namespaces.

Boxes stand in a row, nearest to the client first. A packet towards the server meets them in that order, one towards
the client in the other; an injected packet leaves from where its box stands and meets those further along its way.
Whoever carries the packets owns the clock: what comes back says how long each has to wait, and whether a box still
has to see it after that.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from fingerprint.lab.censor import Action, Box, Delay, Direction, Drop, Inject, Pass, Rewrite
from fingerprint.lab.packet import Packet


@dataclass(frozen=True, slots=True, kw_only=True)
class Onward:
    """A packet that goes on ``after_s`` from now: past ``box`` if one still has to see it, else off the link.

    ``raw`` are the bytes it came with, None if a box made or changed it: then `Packet.to_bytes` makes them.
    """

    packet: Packet
    direction: Direction
    after_s: float = 0.0
    box: int | None = None
    raw: bytes | None = None

    @property
    def wire_bytes(self) -> bytes:
        """The packet as it goes on, IP header first."""
        return self.packet.to_bytes() if self.raw is None else self.raw


class Chain:
    """The boxes of one link. ``on_path`` ones see copies: whatever they return, the packet itself goes on untouched."""

    def __init__(self, boxes: Sequence[Box], *, on_path: bool = False) -> None:
        self.boxes = tuple(boxes)
        self.on_path = on_path

    def arrive(self, packet: Packet, direction: Direction, raw: bytes | None = None) -> tuple[Onward, ...]:
        """What becomes of a packet that comes onto the link at ``packet.time_s``, and what it sets off."""
        first = 0 if direction is Direction.TO_SERVER else len(self.boxes) - 1
        return tuple(self._walk(packet, direction, first, raw))

    def resume(self, onward: Onward, now_s: float) -> tuple[Onward, ...]:
        """What becomes of a packet whose wait is over; to be called with those whose ``box`` is not None."""
        assert onward.box is not None, "it left the link already"
        return tuple(self._walk(_at(onward.packet, now_s), onward.direction, onward.box, onward.raw))

    def _walk(self, packet: Packet, direction: Direction, box: int, raw: bytes | None) -> Iterator[Onward]:
        now_s, ahead = packet.time_s, _step(direction)
        injected: list[tuple[Inject, int]] = []
        while 0 <= box < len(self.boxes):
            action = self._allowed(self.boxes[box].inspect(packet, direction))
            here, box = box, box + ahead
            match action:
                case Pass():
                    continue
                case Rewrite():
                    packet, raw = _at(action.packet, now_s), None
                case Delay():
                    yield Onward(
                        packet=packet, direction=direction, after_s=action.seconds, box=self._seen_by(box), raw=raw
                    )
                    break
                case Drop():
                    break
                case Inject():
                    injected.append((action, here))
                    if action.drop:
                        break
        else:
            yield Onward(packet=packet, direction=direction, raw=raw)
        for inject, here in injected:
            for made, way in inject.packets:
                yield from self._leave(_at(made, now_s), way, here + _step(way), inject.after_s)

    def _leave(self, packet: Packet, direction: Direction, box: int, after_s: float) -> Iterator[Onward]:
        """A packet that a box made sets out, at once or after a while."""
        if after_s > 0 or self._seen_by(box) is None:
            yield Onward(packet=packet, direction=direction, after_s=after_s, box=self._seen_by(box))
        else:
            yield from self._walk(packet, direction, box, None)

    def _allowed(self, action: Action) -> Action:
        """The part of an action that the box can do from where it stands."""
        if not self.on_path:
            return action
        match action:
            case Inject():
                return Inject(action.packets, after_s=action.after_s)
            case _:
                return Pass()

    def _seen_by(self, box: int) -> int | None:
        return box if 0 <= box < len(self.boxes) else None


def _step(direction: Direction) -> int:
    return 1 if direction is Direction.TO_SERVER else -1


def _at(packet: Packet, now_s: float) -> Packet:
    return packet if packet.time_s == now_s else packet.with_(time_s=now_s)
