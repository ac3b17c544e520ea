"""A hello for chatter.test is dropped, and the recorder stops 0.7 s later: nobody can tell that from a lost packet."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Drop, Scene, names


def make(folder: Path) -> None:
    scene = Scene(611)
    address = "151.101.65.61"
    web = scene.site(address, rtt_s=0.060, hops=8)
    scene.box(2, Drop(names("chatter.test")))
    scene.visit(web, "library.test", at_s=1, page_bytes=4_000)
    scene.visit(web, "chatter.test", at_s=3)
    scene.record(folder / "capture.pcapng", until_s=3.8)


if __name__ == "__main__":
    make(Path(__file__).parent)
