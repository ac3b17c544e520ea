"""Airtel: RST+ACK with IP ID 242, window 16, DF 0 and a TTL 2 to 5 above the client's.

Seen at servers (lhmerino/censorship-detection): the reset in the client's name, toward the server. That its twin
goes to the client is what the connection resets reported from that network tell.
"""

from __future__ import annotations

from collections.abc import Iterable
from random import Random

from fingerprint.lab.boxes.forging import Injector, ahead, back, opposite
from fingerprint.lab.boxes.watching import Names, Watch
from fingerprint.lab.censor import Direction
from fingerprint.lab.packet import ACK, RST, Packet

_IP_ID, _WINDOW = 0x00F2, 16


def resets(names: Names | None = None, *, to_client: bool = True) -> Injector:
    """Reads single packets; without ``to_client`` only the server hears of it."""
    random = Random(242)  # noqa: S311  # header fields, no secret

    def salvo(packet: Packet, direction: Direction) -> Iterable[tuple[Packet, Direction]]:
        fields = {"ip_id": _IP_ID, "window": _WINDOW, "df": False, "ttl": packet.ttl + random.randint(2, 5)}
        twin = ((back(packet, RST | ACK, **fields), opposite(direction)),) if to_client else ()
        return (*twin, (ahead(packet, RST | ACK, **fields), direction))

    return Injector(watch=Watch(names=names or Names(), joins_segments=False), salvo=salvo)
