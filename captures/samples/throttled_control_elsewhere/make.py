"""The policer, with a control that loads from another address."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Police, Scene, names


def make(folder: Path) -> None:
    scene = Scene(244)
    pages = {"video.test": 150_000, "news.test": 150_000}
    web = scene.site("151.101.1.254", rtt_s=0.060, hops=8, pages=pages)
    control = scene.site("146.75.33.254", rtt_s=0.055, hops=8, pages=pages)
    scene.box(2, Police(140_000, 16_000, match=names("video.test")))
    for trial in range(3):
        scene.visit(control, "news.test", at_s=1 + 25 * trial, page_bytes=150_000)
        scene.visit(web, "video.test", at_s=5 + 25 * trial, page_bytes=150_000)
    scene.record(folder / "capture.pcapng.xz", until_s=80)


if __name__ == "__main__":
    make(Path(__file__).parent)
