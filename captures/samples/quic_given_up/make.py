"""An innocent twin: a browser that gives up QUIC after a second because TCP was sooner."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Scene
from captures.samples.recipe_quic import QuicServer, visit


def make(folder: Path) -> None:
    scene = Scene(241)
    address = "151.101.65.241"
    web = scene.site(address)
    QuicServer(web, down_s=(10.0, 11.0))
    visit(scene, address, "weather.test", at_s=1)
    scene.visit(web, "chatter.test", at_s=10)
    visit(scene, address, "chatter.test", at_s=10.05, tries=2)
    visit(scene, address, "weather.test", at_s=14)
    scene.record(folder / "capture.pcapng", until_s=20)


if __name__ == "__main__":
    make(Path(__file__).parent)
