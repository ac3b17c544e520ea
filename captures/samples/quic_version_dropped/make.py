"""Router 3 drops every datagram of QUIC version 1, whatever it names; other versions pass."""

# A method with a given signature:
# ruff: noqa: ARG002, D102

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Box, Line, Packet, Scene
from captures.samples.recipe_quic import QuicServer, visit


class VersionFilter(Box):
    """Drops long headers of version 1 on their way to port 443."""

    def see(self, packet: Packet, line: Line, *, outbound: bool) -> tuple[Packet, ...]:
        first = packet.protocol == "udp" and outbound and packet.destination_port == 443 and packet.payload[:1]
        return () if first and first[0] & 0x80 and packet.payload[1:5] == b"\0\0\0\1" else (packet,)


def make(folder: Path) -> None:
    scene = Scene(232)
    addresses = {"chatter.test": "151.101.65.232", "weather.test": "146.75.33.232"}
    scene.box(3, VersionFilter())
    for i, (name, address) in enumerate(addresses.items()):
        web = scene.site(address, rtt_s=0.080 - 0.03 * i, hops=9 - 2 * i)
        QuicServer(web, page_pkts=2)
        for trial in range(3):
            visit(scene, address, name, at_s=1 + 5 * i + 30 * trial)
            visit(scene, address, "meadow.test", at_s=2.5 + 5 * i + 30 * trial, tries=4)
            visit(scene, address, name, at_s=13 + 5 * i + 30 * trial, version=0x1A2A3A4A, tries=1)
            scene.visit(web, name, at_s=16 + 5 * i + 30 * trial, page_bytes=4_000)
    scene.record(folder / "capture.pcapng", until_s=96)


if __name__ == "__main__":
    make(Path(__file__).parent)
