"""An innocent twin: an evening of congestion at the provider; two addresses and four names wait in one queue."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Lose, Scene, Shape


def make(folder: Path) -> None:
    scene = Scene(185)
    sites = {
        "video.test": "151.101.1.205",
        "news.test": "151.101.1.205",
        "chatter.test": "146.75.33.205",
        "weather.test": "146.75.33.205",
    }
    pages = dict.fromkeys(sites, 60_000)
    for address in dict.fromkeys(sites.values()):
        scene.site(address, pages=pages)
    scene.box(2, Shape(400_000, 40_000))
    scene.box(2, Lose(0.01))
    for trial in range(2):
        for i, (name, address) in enumerate(sites.items()):
            scene.visit(address, name, at_s=1 + 8 * trial + 0.4 * i, page_bytes=60_000)
            scene.visit(address, name, at_s=20 + 16 * trial + 4 * i, page_bytes=60_000)
    scene.record(folder / "capture.pcapng.xz", until_s=70)


if __name__ == "__main__":
    make(Path(__file__).parent)
