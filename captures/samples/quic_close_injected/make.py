"""A sniffer on router 3 answers Initials that name chatter.test with a CONNECTION_CLOSE in the server's name."""

# A method with a given signature:
# ruff: noqa: D102

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Box, Line, Packet, Scene
from captures.samples.recipe_dns import reply_to
from captures.samples.recipe_quic import QuicServer, closing, visit


class Forger(Box):
    """On-path: answers the first Initial of some source ports in the server's name; it is told which."""

    def __init__(self) -> None:
        self.ports: set[int] = set()

    def see(self, packet: Packet, line: Line, *, outbound: bool) -> tuple[Packet, ...]:
        if packet.protocol == "udp" and outbound and packet.source_port in self.ports and packet.payload[0] & 0x80:
            self.ports.remove(packet.source_port)
            forged = reply_to(packet, closing(0x2, "", of=packet.payload), ttl_hops=250, ip_id=0)
            self.inject(forged, line, outbound=False, after_s=0.0006)
        return (packet,)


def make(folder: Path) -> None:
    scene = Scene(233)
    address = "151.101.65.233"
    web = scene.site(address)
    QuicServer(web)
    device = Forger()
    scene.box(3, device)
    for trial in range(3):
        visit(scene, address, "weather.test", at_s=1 + 10 * trial)
        visit(scene, address, "chatter.test", at_s=4 + 10 * trial, tell=device.ports.add)
        scene.visit(web, "chatter.test", at_s=7 + 10 * trial, page_bytes=4_000)
    visit(scene, address, "weather.test", at_s=32)
    scene.record(folder / "capture.pcapng", until_s=36)


if __name__ == "__main__":
    make(Path(__file__).parent)
