"""Initials that name chatter.test die on router 3; other names at the same address are answered."""

# A method with a given signature:
# ruff: noqa: ARG002, D102

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Box, Line, Packet, Scene
from captures.samples.recipe_quic import QuicServer, visit


class Reader(Box):
    """Drops the datagrams of some source ports: a real device decrypts the Initial, ours is told."""

    def __init__(self) -> None:
        self.ports: set[int] = set()

    def see(self, packet: Packet, line: Line, *, outbound: bool) -> tuple[Packet, ...]:
        doomed = packet.protocol == "udp" and outbound and packet.source_port in self.ports
        return () if doomed else (packet,)


def make(folder: Path) -> None:
    scene = Scene(202)
    address = "151.101.65.222"
    web = scene.site(address)
    QuicServer(web)
    device = Reader()
    scene.box(3, device)
    for trial in range(3):
        visit(scene, address, "weather.test", at_s=1 + 16 * trial)
        visit(scene, address, "chatter.test", at_s=4 + 16 * trial, tell=device.ports.add)
        scene.visit(web, "chatter.test", at_s=15 + 16 * trial, page_bytes=4_000)
    visit(scene, address, "weather.test", at_s=50)
    scene.record(folder / "capture.pcapng", until_s=56)


if __name__ == "__main__":
    make(Path(__file__).parent)
