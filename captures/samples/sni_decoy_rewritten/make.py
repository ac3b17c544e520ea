"""Decoys for chatter.test before hellos for weather.test: from reach 4 on, the server's answer becomes a reset."""

# Methods with given signatures:
# ruff: noqa: ARG002, D102

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from captures.samples.recipe import Box, Connection, Line, Packet, Scene, TlsClient, client_hello, key_of


class Rewrite(Box):
    """In-path: after a hello for chatter.test whatever the server says loses its payload and becomes RST+ACK."""

    def __init__(self) -> None:
        self.marked: set[tuple[str, int, str, int]] = set()

    def see(self, packet: Packet, line: Line, *, outbound: bool) -> Iterable[Packet]:
        key = key_of(packet, outbound=outbound)
        if outbound and b"chatter.test" in packet.payload:
            self.marked.add(key)
        if outbound or key not in self.marked:
            return (packet,)
        return (replace(packet, flags="RA", payload=b""),)


class Decoy(TlsClient):
    """Puts a hello for chatter.test, which dies on the way, before its own for weather.test."""

    def __init__(self, ttl_hops: int) -> None:
        super().__init__("weather.test", page_bytes=4_000)
        self.decoy_ttl_hops = ttl_hops

    def opened(self, connection: Connection) -> None:
        decoy = client_hello("chatter.test", connection.net.rng)
        connection._emit("PA", connection.nxt, decoy, ttl_hops=self.decoy_ttl_hops)  # noqa: SLF001  # a raw packet
        super().opened(connection)


def make(folder: Path) -> None:
    scene = Scene(301)
    web = scene.site("151.101.65.211", rtt_s=0.070, hops=9)
    scene.box(3, Rewrite())
    for trial in range(3):
        scene.visit(web, "weather.test", at_s=1 + 6 * trial, page_bytes=4_000)
        scene.visit(web, "chatter.test", at_s=4 + 6 * trial, page_bytes=4_000)
    for ttl in range(1, 8):
        scene.open(web, Decoy(ttl), at_s=18 + 2 * ttl)
    scene.record(folder / "capture.pcapng", until_s=36)


if __name__ == "__main__":
    make(Path(__file__).parent)
