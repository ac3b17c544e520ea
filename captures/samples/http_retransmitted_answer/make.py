"""An innocent twin: answers get lost and are sent again, in pieces cut otherwise, and the tap saw each frame twice."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Lose, Scene


def make(folder: Path) -> None:
    scene = Scene(628)
    web = scene.site("151.101.66.38", rtt_s=0.080, hops=9)
    scene.box(8, Lose(0.25, match=lambda p: bool(p.payload)))
    for trial in range(6):
        scene.fetch(web, "chatter.test", at_s=1 + 8 * trial)
        scene.fetch(web, "weather.test", at_s=5 + 8 * trial)
    scene.record(folder / "capture.pcapng", until_s=60, copy_after_s=0.0011)


if __name__ == "__main__":
    make(Path(__file__).parent)
