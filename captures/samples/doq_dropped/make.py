"""Router 3 drops UDP to port 853 of a resolver that offers DNS over QUIC; its QUIC on port 443 is answered."""

# A method with a given signature:
# ruff: noqa: ARG002, D102

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Box, Line, Packet, Scene
from captures.samples.recipe_quic import QuicServer, visit


class PortFilter(Box):
    """Drops UDP to port 853."""

    def see(self, packet: Packet, line: Line, *, outbound: bool) -> tuple[Packet, ...]:
        return () if packet.protocol == "udp" and outbound and packet.destination_port == 853 else (packet,)


def make(folder: Path) -> None:
    scene = Scene(254)
    # A public resolver that offers DNS over QUIC; nothing is ever sent to it from here.
    address = "94.140.14.14"
    web = scene.site(address, rtt_s=0.050, hops=8)
    QuicServer(web, page_pkts=2)
    scene.box(3, PortFilter())
    for trial in range(3):
        visit(scene, address, "dns.adguard-dns.com", at_s=1 + 20 * trial)
        visit(scene, address, "dns.adguard-dns.com", at_s=4 + 20 * trial, port=853)
        scene.visit(web, "dns.adguard-dns.com", at_s=16 + 20 * trial, page_bytes=2_000)
    scene.record(folder / "capture.pcapng", until_s=64)


if __name__ == "__main__":
    make(Path(__file__).parent)
