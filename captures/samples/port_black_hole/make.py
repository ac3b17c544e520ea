"""Port 443 of one address is dropped behind router 3, port 80 is carried; SYNs of 1 to 9 hops to both."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Drop, Scene
from captures.samples.recipe_addresses import sweep


def make(folder: Path) -> None:
    scene = Scene(402)
    address, elsewhere = "151.101.66.11", "146.75.34.11"
    scene.site(address, rtt_s=0.060, hops=8)
    scene.site(elsewhere, rtt_s=0.050, hops=6)
    scene.resolver("9.9.9.9", {"chatter.test": (address,), "weather.test": (elsewhere,)})
    scene.box(3, Drop(lambda p: p.destination == address and p.destination_port == 443))
    scene.visit(elsewhere, "weather.test", at_s=1, via="9.9.9.9", page_bytes=3_000)
    scene.visit(address, "chatter.test", at_s=2, via="9.9.9.9")
    scene.fetch(address, "chatter.test", at_s=3)
    after_s = sweep(scene, (address, 80), (address, 443), hops=9, from_s=20)
    scene.fetch(address, "chatter.test", at_s=after_s + 1)
    scene.visit(elsewhere, "weather.test", at_s=after_s + 2, page_bytes=3_000)
    scene.record(folder / "capture.pcapng", until_s=after_s + 6)


if __name__ == "__main__":
    make(Path(__file__).parent)
