"""Boxes that read requests in the clear and answer them: filters, caches, portals, and rewriting devices."""

# Boxes share one signature, whether they need all of it or not.
# ruff: noqa: ARG002

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from captures.samples.recipe_boxes import Forge, Key, Match, key_of
from captures.samples.recipe_network import Box, Line
from captures.samples.recipe_packets import Packet


class Answers(Forge):
    """In-path: keeps a matching request and all that follows on its connection, and answers in the server's name."""

    def __init__(self, match: Match, *segments: tuple[str, dict[str, object]], **how: object) -> None:
        super().__init__(match, *segments, swallow=True, **how)  # type: ignore[arg-type]
        self.taken: set[Key] = set()

    def see(self, packet: Packet, line: Line, *, outbound: bool) -> Iterable[Packet]:
        """The client's side of a connection that was answered goes no further."""
        key = key_of(packet, outbound=outbound)
        if "S" in packet.flags:
            self.taken.discard(key)
        if key in self.taken and outbound:
            return ()
        onward = super().see(packet, line, outbound=outbound)
        if outbound and not onward:
            self.taken.add(key)
        return onward


class Rewrites(Box):
    """In-path: the server's answer to a matching request becomes ``page``, in its own headers and at its own time."""

    def __init__(self, match: Match, page: bytes) -> None:
        self.match, self.page = match, page
        self.marked: set[Key] = set()
        self.done: set[Key] = set()

    def see(self, packet: Packet, line: Line, *, outbound: bool) -> Iterable[Packet]:
        """The first segment of the answer carries the page and a FIN, whatever else was in it; the rest is dropped."""
        key = key_of(packet, outbound=outbound)
        if outbound:
            if self.match(packet):
                self.marked.add(key)
            return (packet,)
        if key in self.done:
            return ()
        if key not in self.marked or not packet.payload:
            return (packet,)
        self.done.add(key)
        return (replace(packet, payload=self.page, flags="FPA"),)


class SpeaksForAll(Box):
    """In-path: answers port 80 of every address itself, from the SYN on, and forwards nothing of it.

    ``say`` makes the answer from the request, or says None for what is to go on to the server.
    """

    def __init__(self, say: Callable[[bytes], bytes | None], *, ttl_hops: int = 64) -> None:
        self.say, self.ttl_hops = say, ttl_hops

    def see(self, packet: Packet, line: Line, *, outbound: bool) -> Iterable[Packet]:
        """A TCP that remembers nothing: numbers follow from the client's."""
        if not outbound or packet.protocol != "tcp" or packet.destination_port != 80:
            return (packet,)
        size = len(packet.payload) + ("S" in packet.flags) + ("F" in packet.flags)
        back = replace(
            packet, source=packet.destination, destination=packet.source, source_port=80,
            destination_port=packet.source_port, ttl_hops=self.ttl_hops, ip_id=0, options=(), window=64240,
            seq=packet.ack, ack=packet.seq + size, payload=b"", flags="A",
        )  # fmt: skip
        if packet.flags == "S":
            first = replace(back, flags="SA", seq=self.net.rng.getrandbits(31), options=(("MSS", 1460),))
            self.inject(first, line, outbound=False, after_s=0.0002)
        elif packet.payload:
            said = self.say(packet.payload) or b""
            self.inject(replace(back, flags="PA", payload=said), line, outbound=False, after_s=0.0004)
        elif "F" in packet.flags:
            self.inject(replace(back, flags="FA"), line, outbound=False, after_s=0.0002)
        return ()


def asks(host: str = "", path: str = "") -> Match:
    """A request for this host, and with this in its path; either may be left open."""

    def match(packet: Packet) -> bool:
        first = packet.payload.split(b"\r\n")[0]
        if packet.protocol != "tcp" or not first.startswith((b"GET ", b"POST ")):
            return False
        named = f"Host: {host}\r\n".encode() in packet.payload if host else True
        return named and path.encode() in first

    return match
