"""Nothing is wrong: lookups and visits of four names at two addresses, all of which work."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Scene


def make(folder: Path) -> None:
    scene = Scene(110)
    first, second = "151.101.1.200", "146.75.33.200"
    zone = {"chatter.test": (first,), "weather.test": (first,), "library.test": (second,), "news.test": (second,)}
    scene.resolver("9.9.9.9", zone)
    web = scene.site(first)
    scene.site(second, rtt_s=0.035, hops=6)
    for i, name in enumerate(("chatter.test", "weather.test", "library.test", "news.test") * 2):
        scene.visit(web, name, at_s=1 + 1.7 * i, via="9.9.9.9", page_bytes=6_000)
    scene.fetch(second, "library.test", at_s=16)
    scene.record(folder / "capture.pcapng", until_s=20)


if __name__ == "__main__":
    make(Path(__file__).parent)
