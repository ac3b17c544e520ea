"""A box on router 2 answers hellos for chatter.test itself, with TLS 1.3: no certificate is to be seen."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Packet, Scene, names, server_flight
from captures.samples.recipe_interception import Impostor, Scanner


def make(folder: Path) -> None:
    scene = Scene(313)
    web = scene.site("151.101.65.231", rtt_s=0.080, hops=9)

    def forged(hello: Packet) -> bytes:
        return server_flight(hello.payload, scene.net.rng, size_bytes=1100)

    scene.box(2, Impostor(names("chatter.test"), forged, after_s=0.004))
    for trial in range(4):
        scene.visit(web, "weather.test", at_s=1 + 6 * trial)
        scene.open(web, Scanner("chatter.test"), at_s=3 + 6 * trial)
    scene.record(folder / "capture.pcapng", until_s=26)


if __name__ == "__main__":
    make(Path(__file__).parent)
