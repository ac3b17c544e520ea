"""An innocent twin: the machine is off, and SYNs of growing TTL come as far as its last router."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Drop, Scene
from captures.samples.recipe_addresses import sweep


def make(folder: Path) -> None:
    scene = Scene(405)
    dead, neighbour = "151.101.66.14", "151.101.66.24"
    for address in (dead, neighbour):
        scene.site(address, rtt_s=0.080, hops=9)
    scene.resolver("9.9.9.9", {"chatter.test": (dead,), "weather.test": (neighbour,)})
    scene.box(9, Drop(lambda p: p.destination == dead))
    scene.visit(neighbour, "weather.test", at_s=1, via="9.9.9.9", page_bytes=3_000)
    scene.visit(dead, "chatter.test", at_s=2, via="9.9.9.9")
    scene.fetch(dead, "chatter.test", at_s=3)
    after_s = sweep(scene, (neighbour, 443), (dead, 443), hops=10, from_s=20, copies=2)
    scene.visit(neighbour, "weather.test", at_s=after_s + 1, page_bytes=3_000)
    scene.record(folder / "capture.pcapng", until_s=after_s + 5)


if __name__ == "__main__":
    make(Path(__file__).parent)
