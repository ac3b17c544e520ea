"""Hellos for chatter.test vanish, and nothing else was tried."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Drop, Scene, names


def make(folder: Path) -> None:
    scene = Scene(242)
    address = "151.101.65.252"
    web = scene.site(address, rtt_s=0.060, hops=8)
    scene.resolver("9.9.9.9", {"chatter.test": (address,)})
    scene.box(2, Drop(names("chatter.test")))
    for trial in range(2):
        scene.visit(web, "chatter.test", at_s=1 + 24 * trial, via="9.9.9.9", abort_after_s=18)
    scene.record(folder / "capture.pcapng", until_s=52)


if __name__ == "__main__":
    make(Path(__file__).parent)
