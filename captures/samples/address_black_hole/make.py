"""Router 4 forwards nothing to one address, and carries its neighbour; SYNs of 1 to 10 hops show where they end."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Drop, Scene
from captures.samples.recipe_addresses import sweep


def make(folder: Path) -> None:
    scene = Scene(401)
    lost, neighbour = "151.101.66.10", "151.101.66.20"
    for address in (lost, neighbour):
        scene.site(address, rtt_s=0.080, hops=9)
    scene.resolver("9.9.9.9", {"chatter.test": (lost,), "weather.test": (neighbour,)})
    scene.box(4, Drop(lambda p: p.destination == lost))
    scene.visit(neighbour, "weather.test", at_s=1, via="9.9.9.9", page_bytes=3_000)
    scene.visit(lost, "chatter.test", at_s=2, via="9.9.9.9")
    scene.fetch(lost, "chatter.test", at_s=3)
    after_s = sweep(scene, (neighbour, 443), (lost, 443), hops=10, from_s=20)
    scene.visit(neighbour, "weather.test", at_s=after_s + 1, page_bytes=3_000)
    scene.record(folder / "capture.pcapng", until_s=after_s + 5)


if __name__ == "__main__":
    make(Path(__file__).parent)
