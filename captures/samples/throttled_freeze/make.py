"""Connections to video.test go silent after sixteen kilobytes; nothing is reset."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Freeze, Scene, names


def make(folder: Path) -> None:
    scene = Scene(182)
    pages = {"video.test": 70_000, "news.test": 70_000}
    web = scene.site("151.101.1.202", rtt_s=0.060, hops=8, pages=pages)
    scene.box(3, Freeze(16_384, match=names("video.test")))
    for trial in range(3):
        scene.visit(web, "news.test", at_s=1 + 30 * trial, page_bytes=70_000)
        scene.visit(web, "video.test", at_s=4 + 30 * trial, page_bytes=70_000, abort_after_s=20)
    scene.visit(web, "news.test", at_s=92, page_bytes=70_000)
    scene.record(folder / "capture.pcapng.xz", until_s=100)


if __name__ == "__main__":
    make(Path(__file__).parent)
