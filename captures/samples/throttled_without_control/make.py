"""The same policer, but only video.test was loaded: a rate without anything to compare it with."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Police, Scene, names


def make(folder: Path) -> None:
    scene = Scene(183)
    web = scene.site("151.101.1.203", rtt_s=0.060, hops=8, pages={"video.test": 120_000})
    scene.box(2, Police(140_000, 16_000, match=names("video.test")))
    for trial in range(3):
        scene.visit(web, "video.test", at_s=1 + 20 * trial, page_bytes=120_000)
    scene.record(folder / "capture.pcapng.xz", until_s=64)


if __name__ == "__main__":
    make(Path(__file__).parent)
