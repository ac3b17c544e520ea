"""An innocent twin: the QUIC server of an address stops for a while; TCP goes on."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Scene
from captures.samples.recipe_quic import QuicServer, visit


def make(folder: Path) -> None:
    scene = Scene(238)
    address, other = "151.101.65.238", "146.75.33.238"
    web = scene.site(address)
    QuicServer(web, page_pkts=2, down_s=(14.0, 60.0))
    QuicServer(scene.site(other, rtt_s=0.035, hops=6))
    for trial in range(4):
        visit(scene, address, "weather.test", at_s=1 + 20 * trial)
        visit(scene, address, "chatter.test", at_s=4 + 20 * trial)
        scene.visit(web, "chatter.test", at_s=16 + 20 * trial, page_bytes=4_000)
        visit(scene, other, "meadow.test", at_s=18 + 20 * trial)
    # One more name, that is only asked for while the server is down.
    visit(scene, address, "garden.test", at_s=30)
    scene.record(folder / "capture.pcapng", until_s=86)


if __name__ == "__main__":
    make(Path(__file__).parent)
