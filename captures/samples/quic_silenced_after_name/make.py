"""An Initial that names chatter.test passes; then router 3 drops what this client sends to that port, for 180 s."""

# A method with a given signature:
# ruff: noqa: ARG002, D102

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Box, Line, Packet, Scene
from captures.samples.recipe_quic import QuicServer, visit

WINDOW_S = 180.0


class Silencer(Box):
    """Reads the Initials of some source ports: a real device decrypts them, ours is told."""

    def __init__(self) -> None:
        self.ports: set[int] = set()
        self.until_ns: dict[tuple[str, str, int], int] = {}

    def see(self, packet: Packet, line: Line, *, outbound: bool) -> tuple[Packet, ...]:
        if packet.protocol != "udp" or not outbound:
            return (packet,)
        key = (packet.source, packet.destination, packet.destination_port)
        if self.net.now_ns < self.until_ns.get(key, 0):
            return ()
        if packet.source_port in self.ports:
            self.until_ns[key] = self.net.now_ns + int(WINDOW_S * 1e9)
        return (packet,)


def make(folder: Path) -> None:
    scene = Scene(231)
    address = "151.101.65.231"
    web = scene.site(address)
    QuicServer(web, page_pkts=2)
    device = Silencer()
    scene.box(3, device)
    for round_s in (1, 240, 480):
        visit(scene, address, "weather.test", at_s=round_s)
        visit(scene, address, "meadow.test", at_s=round_s + 4)
        visit(scene, address, "chatter.test", at_s=round_s + 8, tell=device.ports.add)
        scene.visit(web, "chatter.test", at_s=round_s + 14, page_bytes=2_000)
        visit(scene, address, "weather.test", at_s=round_s + 20)
        visit(scene, address, "meadow.test", at_s=round_s + 60)
    visit(scene, address, "weather.test", at_s=700)
    scene.record(folder / "capture.pcapng", until_s=706)


if __name__ == "__main__":
    make(Path(__file__).parent)
