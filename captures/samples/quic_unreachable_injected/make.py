"""Router 3 drops Initials that name chatter.test and answers ICMP port unreachable in the server's name."""

# A method with a given signature:
# ruff: noqa: D102

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Box, Line, Packet, Scene
from captures.samples.recipe_quic import QuicServer, visit


class Forger(Box):
    """In-path: refuses the Initials of some source ports in the server's name; it is told which."""

    def __init__(self) -> None:
        self.ports: set[int] = set()

    def see(self, packet: Packet, line: Line, *, outbound: bool) -> tuple[Packet, ...]:
        if packet.protocol == "udp" and outbound and packet.source_port in self.ports and packet.payload[0] & 0x80:
            forged = Packet(
                source=packet.destination,
                destination=packet.source,
                protocol="icmp",
                ttl_hops=64,
                df=False,
                ip_id=self.net.rng.randrange(1, 65536),
                source_port=3,  # RFC 792: destination unreachable, port unreachable
                destination_port=3,
                payload=packet.ip_bytes()[:28],
            )
            self.inject(forged, line, outbound=False, after_s=0.0006)
            return ()
        return (packet,)


def make(folder: Path) -> None:
    scene = Scene(235)
    address = "151.101.65.235"
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
