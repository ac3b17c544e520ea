"""An innocent twin: the browser tries QUIC and TCP at once; the server has no QUIC, TCP wins."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Scene
from captures.samples.recipe_quic import QuicServer, visit


def make(folder: Path) -> None:
    scene = Scene(201)
    address, other = "151.101.65.221", "146.75.33.221"
    web = scene.site(address)
    speaker = scene.site(other, rtt_s=0.035, hops=6)
    QuicServer(speaker)
    scene.resolver("9.9.9.9", {"chatter.test": (address,), "weather.test": (other,)})
    for trial in range(3):
        scene.visit(web, "chatter.test", at_s=1 + 8 * trial, via="9.9.9.9")
        visit(scene, address, "chatter.test", at_s=1.05 + 8 * trial)
        visit(scene, other, "weather.test", at_s=5 + 8 * trial)
    scene.record(folder / "capture.pcapng", until_s=26)


if __name__ == "__main__":
    make(Path(__file__).parent)
