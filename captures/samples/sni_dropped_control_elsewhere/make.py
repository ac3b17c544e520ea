"""Hellos for chatter.test vanish; the only control is a name at another address."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Drop, Scene, names


def make(folder: Path) -> None:
    scene = Scene(243)
    address, other = "151.101.65.253", "146.75.33.253"
    web = scene.site(address, rtt_s=0.060, hops=8)
    control = scene.site(other, rtt_s=0.060, hops=8)
    scene.resolver("9.9.9.9", {"chatter.test": (address,), "weather.test": (other,)})
    scene.box(2, Drop(names("chatter.test")))
    for trial in range(3):
        scene.visit(control, "weather.test", at_s=1 + 24 * trial, via="9.9.9.9", page_bytes=4_000)
        scene.visit(web, "chatter.test", at_s=3 + 24 * trial, via="9.9.9.9", abort_after_s=18)
    scene.visit(control, "weather.test", at_s=73, page_bytes=4_000)
    scene.record(folder / "capture.pcapng", until_s=80)


if __name__ == "__main__":
    make(Path(__file__).parent)
