"""An innocent twin: the whole access line carries 200 kbit/s, whoever uses it."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Scene, Shape


def make(folder: Path) -> None:
    scene = Scene(109)
    pages = {"video.test": 90_000, "news.test": 90_000}
    web = scene.site("151.101.1.196", rtt_s=0.060, hops=8, pages=pages)
    scene.box(1, Shape(200_000, 64_000))
    for trial in range(3):
        scene.visit(web, "news.test", at_s=1 + 20 * trial, page_bytes=90_000)
        scene.visit(web, "video.test", at_s=11 + 20 * trial, page_bytes=90_000)
    scene.record(folder / "capture.pcapng.xz", until_s=66)


if __name__ == "__main__":
    make(Path(__file__).parent)
