"""An innocent twin: one address answers nothing, for any of its names; another address is fine."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Drop, Scene


def make(folder: Path) -> None:
    scene = Scene(165)
    dead, alive = "151.101.65.185", "146.75.33.185"
    scene.site(dead)
    other = scene.site(alive)
    scene.resolver("9.9.9.9", {"chatter.test": (dead,), "forum.test": (dead,), "weather.test": (alive,)})
    scene.box(9, Drop(lambda p: p.destination == dead))
    for trial in range(2):
        scene.visit(dead, "chatter.test", at_s=1 + 40 * trial, via="9.9.9.9")
        scene.visit(dead, "forum.test", at_s=3 + 40 * trial, via="9.9.9.9")
        scene.visit(other, "weather.test", at_s=20 + 40 * trial, via="9.9.9.9")
    scene.record(folder / "capture.pcapng", until_s=80)


if __name__ == "__main__":
    make(Path(__file__).parent)
