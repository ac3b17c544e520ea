"""A hello for chatter.test is reset once, and once it passes cut in two: chance would do the same."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Forge, Scene, names


def make(folder: Path) -> None:
    scene = Scene(613)
    web = scene.site("151.101.65.63", rtt_s=0.080, hops=9)
    scene.box(3, Forge(names("chatter.test"), ("RA", {}), ttl_hops=61))
    scene.visit(web, "weather.test", at_s=1, page_bytes=4_000)
    scene.visit(web, "chatter.test", at_s=3, page_bytes=4_000)
    scene.visit(web, "chatter.test", at_s=5, page_bytes=4_000, split_at=4)
    scene.visit(web, "weather.test", at_s=8, page_bytes=4_000)
    scene.record(folder / "capture.pcapng", until_s=14)


if __name__ == "__main__":
    make(Path(__file__).parent)
