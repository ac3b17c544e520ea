"""An innocent twin: a bad link loses a quarter of all packets, whatever they carry."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Lose, Scene


def make(folder: Path) -> None:
    scene = Scene(167)
    address, other = "151.101.65.187", "146.75.33.187"
    sites = {"chatter.test": address, "weather.test": address, "library.test": other, "forum.test": other}
    scene.resolver("9.9.9.9", {name: (at,) for name, at in sites.items()})
    pages = dict.fromkeys(sites, 1_500)
    scene.site(address, pages=pages)
    scene.site(other, rtt_s=0.045, hops=7, pages=pages)
    scene.box(2, Lose(0.25))
    for trial in range(3):
        for i, (name, at) in enumerate(sites.items()):
            scene.lookup("9.9.9.9", name, at_s=1 + 60 * trial + 12 * i, retry_s=2)
            scene.visit(at, name, at_s=4 + 60 * trial + 12 * i, page_bytes=1_500)
    scene.record(folder / "capture.pcapng", until_s=190)


if __name__ == "__main__":
    make(Path(__file__).parent)
