"""A box on the way: one small object that looks at packets and says what happens to them.

The same object stands on a simulated path in virtual time and between the namespaces of the kernel laboratory. It has
no clock (`Packet.time_s` is the time), no sockets, no threads; whatever it remembers, it keeps in itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from fingerprint.lab.packet import Packet


class Direction(Enum):
    """Which way a packet travels past the box."""

    TO_SERVER = "to-server"
    TO_CLIENT = "to-client"


@dataclass(frozen=True, slots=True)
class Pass:
    """Goes on as it is."""


@dataclass(frozen=True, slots=True)
class Drop:
    """Goes nowhere."""


@dataclass(frozen=True, slots=True)
class Delay:
    """Goes on after that many seconds more; packets behind it may overtake it."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Rewrite:
    """This goes on in its place, in the same direction."""

    packet: Packet


@dataclass(frozen=True, slots=True)
class Inject:
    """These are sent from where the box stands, each in its own direction, ``after_s`` from now.

    The packet that was looked at goes on unless ``drop`` is set: a box on the path's side cannot set it.
    """

    packets: tuple[tuple[Packet, Direction], ...]
    drop: bool = False
    after_s: float = 0.0


Action = Pass | Drop | Delay | Rewrite | Inject


class Box(Protocol):
    """Anything that stands on a link: a censor, or an innocent device."""

    def inspect(self, packet: Packet, direction: Direction) -> Action:
        """What happens to this packet. Called once for each packet of the link, in order of arrival."""
