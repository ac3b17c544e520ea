"""How long a block outlives its trigger, and for whom: the flow, the client and the service, or the two hosts."""

from __future__ import annotations

from dataclasses import dataclass, field

from fingerprint.lab.censor import Direction
from fingerprint.lab.packet import Packet

Ends = tuple[str, int, str, int]


def ends(packet: Packet, direction: Direction) -> Ends:
    """Client, its port, server, its port: the same for both directions of a flow."""
    if direction is Direction.TO_SERVER:
        return (packet.source, packet.sport, packet.destination, packet.dport)
    return (packet.destination, packet.dport, packet.source, packet.sport)


@dataclass(slots=True, kw_only=True)
class Residual:
    """A table of what is blocked until when.

    ``scope``: ``4-tuple`` is one flow, ``3-tuple`` the client's address with the server's address and port, ``pair``
    the two addresses. With ``renews`` every packet that is caught begins the time anew, as the state of a flow does;
    with ``one_way`` only packets that travel as the trigger did are caught.
    """

    seconds: float
    scope: str = "3-tuple"
    renews: bool = False
    one_way: bool = False
    _until_s: dict[tuple[object, ...], float] = field(default_factory=dict)

    def start(self, packet: Packet, direction: Direction) -> None:
        """A trigger was seen: block from now on."""
        self._until_s[self._key(packet, direction)] = packet.time_s + self.seconds

    def holds(self, packet: Packet, direction: Direction) -> bool:
        """Whether this packet falls into a block that has not run out."""
        if not self._until_s:
            return False
        key = self._key(packet, direction)
        until_s = self._until_s.get(key)
        if until_s is None:
            return False
        if packet.time_s < until_s:
            if self.renews:
                self._until_s[key] = packet.time_s + self.seconds
            return True
        del self._until_s[key]
        return False

    def _key(self, packet: Packet, direction: Direction) -> tuple[object, ...]:
        client, cport, server, sport = ends(packet, direction)
        way = direction if self.one_way else None
        match self.scope:
            case "4-tuple":
                return (client, cport, server, sport, packet.protocol, way)
            case "3-tuple":
                return (client, server, sport, packet.protocol, way)
            case _:
                return (client, server, way)
