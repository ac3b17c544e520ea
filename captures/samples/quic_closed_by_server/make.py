"""An innocent twin: the server itself closes on a name that it does not serve over QUIC."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Scene
from captures.samples.recipe_quic import QuicServer, visit


def make(folder: Path) -> None:
    scene = Scene(239)
    address = "151.101.65.239"
    web = scene.site(address)
    server = QuicServer(web)
    for trial in range(3):
        visit(scene, address, "weather.test", at_s=1 + 10 * trial)
        visit(scene, address, "chatter.test", at_s=4 + 10 * trial, tell=server.told.add)
        scene.visit(web, "chatter.test", at_s=7 + 10 * trial, page_bytes=4_000)
    scene.record(folder / "capture.pcapng", until_s=34)


if __name__ == "__main__":
    make(Path(__file__).parent)
