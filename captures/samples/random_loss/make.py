"""An innocent twin: two percent of all packets are lost at random, for both names alike."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Lose, Scene


def make(folder: Path) -> None:
    scene = Scene(184)
    pages = {"video.test": 180_000, "news.test": 180_000}
    web = scene.site("151.101.1.204", rtt_s=0.060, hops=8, pages=pages)
    scene.box(2, Lose(0.02))
    for trial in range(4):
        scene.visit(web, "news.test", at_s=1 + 14 * trial, page_bytes=180_000)
        scene.visit(web, "video.test", at_s=8 + 14 * trial, page_bytes=180_000)
    scene.record(folder / "capture.pcapng.xz", until_s=60)


if __name__ == "__main__":
    make(Path(__file__).parent)
