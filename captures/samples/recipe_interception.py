"""Somebody who answers for servers: a box that takes connections over at their hello, and clients that look at it."""

# Boxes and programs share one signature each, whether they need all of it or not.
# ruff: noqa: ARG002

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from captures.samples.recipe_boxes import Key, Match, key_of
from captures.samples.recipe_network import Box, Line
from captures.samples.recipe_packets import Packet
from captures.samples.recipe_tcp import Connection
from captures.samples.recipe_tls import TlsClient, alert

# RFC 5246 section 7.2.2.
UNKNOWN_CA = 48


class Impostor(Box):
    """In-path: what matches is answered from here with a flight of our own, and the server hears nothing more.

    ``fields`` are changes to the header of what it sends: by default those of a host of its own, without timestamps.
    """

    def __init__(
        self, match: Match, flight: Callable[[Packet], bytes], *, after_s: float = 0.002, **fields: object
    ) -> None:
        self.match, self.flight, self.after_s = match, flight, after_s
        self.fields: dict[str, object] = {"ttl_hops": 64, "window": 502, **fields}
        self.taken: dict[Key, Packet | None] = {}  # and the server's last packet before

    def see(self, packet: Packet, line: Line, *, outbound: bool) -> Iterable[Packet]:
        """Nothing of a connection that was taken over passes, either way."""
        key = key_of(packet, outbound=outbound)
        if outbound and key not in self.taken and self.match(packet):
            self.taken[key] = None
            self._say(packet, line, "PA", self.flight(packet))
            return ()
        if key not in self.taken:
            return (packet,)
        if outbound and "F" in packet.flags:
            self._say(packet, line, "FA", b"")
        return ()

    def _say(self, heard: Packet, line: Line, flags: str, payload: bytes) -> None:
        said = Packet(
            source=heard.destination,
            destination=heard.source,
            source_port=heard.destination_port,
            destination_port=heard.source_port,
            seq=heard.ack,
            ack=(heard.seq + len(heard.payload) + ("F" in heard.flags)) & 0xFFFFFFFF,
            flags=flags,
            payload=payload,
        )
        self.inject(replace(said, **self.fields), line, outbound=False, after_s=self.after_s)  # type: ignore[arg-type]


class Wary(TlsClient):
    """A browser that does not know the issuer: it says unknown_ca and closes."""

    def received(self, connection: Connection, data: bytes) -> None:
        """The flight is enough."""
        connection.send(alert(UNKNOWN_CA))
        connection.close()


class Scanner(TlsClient):
    """Wants to see the server's first flight and nothing else."""

    def received(self, connection: Connection, data: bytes) -> None:
        """It closes politely."""
        connection.close()
