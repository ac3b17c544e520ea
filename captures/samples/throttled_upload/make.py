"""Uploads to video.test are policed at 150 kbit/s; uploads to news.test are not."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Police, Scene, names


def make(folder: Path) -> None:
    scene = Scene(186)
    web = scene.site("151.101.1.206", rtt_s=0.060, hops=8)
    scene.box(2, Police(150_000, 16_000, match=names("video.test"), up=True))
    for trial in range(3):
        scene.visit(web, "news.test", at_s=1 + 25 * trial, page_bytes=4_000, upload_bytes=130_000, linger_s=15)
        scene.visit(web, "video.test", at_s=5 + 25 * trial, page_bytes=4_000, upload_bytes=130_000, linger_s=15)
    scene.record(folder / "capture.pcapng.xz", until_s=82)


if __name__ == "__main__":
    make(Path(__file__).parent)
