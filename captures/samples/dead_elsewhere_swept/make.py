"""An innocent twin: a dead host behind a firewall that reports nothing, near the client; the control is far away."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Drop, Scene
from captures.samples.recipe_addresses import sweep


def make(folder: Path) -> None:
    scene = Scene(409)
    dead, elsewhere = "39.45.9.18", "146.75.34.18"
    scene.site(dead, rtt_s=0.020, hops=5)
    scene.site(elsewhere, rtt_s=0.080, hops=10)
    scene.resolver("9.9.9.9", {"chatter.test": (dead,), "weather.test": (elsewhere,)})
    scene.box(4, Drop(lambda p: p.destination == dead))
    scene.visit(elsewhere, "weather.test", at_s=1, via="9.9.9.9", page_bytes=3_000)
    scene.visit(dead, "chatter.test", at_s=2, via="9.9.9.9")
    scene.fetch(dead, "chatter.test", at_s=3)
    after_s = sweep(scene, (elsewhere, 443), (dead, 443), hops=11, from_s=20)
    scene.visit(elsewhere, "weather.test", at_s=after_s + 1, page_bytes=3_000)
    scene.record(folder / "capture.pcapng", until_s=after_s + 5)


if __name__ == "__main__":
    make(Path(__file__).parent)
