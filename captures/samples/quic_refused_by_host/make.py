"""An innocent twin: the server has no QUIC, and its host says so with ICMP port unreachable."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Packet, Scene
from captures.samples.recipe_quic import QuicServer, visit


def make(folder: Path) -> None:
    scene = Scene(236)
    address, other = "151.101.65.236", "146.75.33.236"
    web = scene.site(address)
    QuicServer(scene.site(other, rtt_s=0.035, hops=6))

    def refuse(p: Packet) -> None:
        told = Packet(
            source=address,
            destination=p.source,
            protocol="icmp",
            df=False,
            ip_id=scene.net.rng.randrange(1, 65536),
            source_port=3,  # RFC 792: destination unreachable, port unreachable
            destination_port=3,
            payload=p.ip_bytes()[:28],
        )
        scene.net.send(told)

    web.udp = refuse
    for trial in range(3):
        visit(scene, address, "chatter.test", at_s=1 + 12 * trial)
        scene.visit(web, "chatter.test", at_s=1.2 + 12 * trial)
        visit(scene, other, "weather.test", at_s=8 + 12 * trial)
    scene.record(folder / "capture.pcapng", until_s=40)


if __name__ == "__main__":
    make(Path(__file__).parent)
