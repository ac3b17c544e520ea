"""After a hello for chatter.test the two addresses are cut off from each other for thirty seconds."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Drop, Scene, names


def make(folder: Path) -> None:
    scene = Scene(148)
    address = "151.101.65.168"
    web = scene.site(address, rtt_s=0.070, hops=8)
    scene.box(3, Drop(names("chatter.test"), residual_s=30.0))
    for cycle in range(2):
        base_s = 70 * cycle
        scene.visit(web, "weather.test", at_s=base_s + 1, page_bytes=4_000)
        scene.visit(web, "chatter.test", at_s=base_s + 4, abort_after_s=20)
        scene.visit(web, "weather.test", at_s=base_s + 14, page_bytes=4_000)
        scene.visit(web, "weather.test", at_s=base_s + 60, page_bytes=4_000)
    scene.record(folder / "capture.pcapng", until_s=140)


if __name__ == "__main__":
    make(Path(__file__).parent)
