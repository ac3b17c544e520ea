"""Sandvine PacketLogic: IP ID 13330, DF 0, window 32120, and the TTL of the server it speaks for.

Source: Citizen Lab, "Bad Traffic" (2018): RST+ACK where sites were blocked, FIN+ACK carrying HTTP 307 where users were
sent elsewhere. In Egypt the TTL was the server's; in Turkey 0 to 2 off.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from fingerprint.lab.boxes.forging import back, both, opposite
from fingerprint.lab.boxes.watching import Flow, Names, Watch
from fingerprint.lab.censor import Action, Direction, Inject, Pass
from fingerprint.lab.packet import ACK, FIN, RST, SYN, TCP, Packet

# 0x3412: 0x1234 in the wrong byte order.
_IP_ID, _WINDOW = 13330, 32120
_REDIRECT = b"HTTP/1.1 307 Temporary Redirect\r\nLocation: http://notice.garden.test/\r\nConnection: close\r\n\r\n"


@dataclass(slots=True, kw_only=True)
class PacketLogic:
    """On-path. ``form`` is ``reset`` (both ends) or ``redirect`` (to the client, for requests in the clear)."""

    form: str = "reset"
    names: Names = field(default_factory=Names)
    after_s: float = 0.0005
    watch: Watch = field(init=False)
    _server_ttl: dict[Flow, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """A redirect has no use where the request is encrypted."""
        reads = ("sni", "host") if self.form == "reset" else ("host",)
        self.watch = Watch(names=self.names, reads=reads)

    def inspect(self, packet: Packet, direction: Direction) -> Action:
        """Learns the server's TTL from its SYN-ACK, answers what is minded."""
        if packet.protocol != TCP:
            return Pass()
        if direction is Direction.TO_CLIENT:
            if packet.flags & SYN:
                self._server_ttl[packet.way_back] = packet.ttl
            return Pass()
        if not self.watch.fires(packet):
            return Pass()
        return Inject(tuple(self._forged(packet, direction)), after_s=self.after_s)

    def _forged(self, packet: Packet, direction: Direction) -> Iterable[tuple[Packet, Direction]]:
        ttl = self._server_ttl.get(packet.flow, 64)
        fields = {"ip_id": _IP_ID, "df": False, "window": _WINDOW, "ttl": ttl}
        if self.form == "reset":
            return both(packet, direction, RST | ACK, **fields)
        return ((back(packet, FIN | ACK, payload=_REDIRECT, **fields), opposite(direction)),)
