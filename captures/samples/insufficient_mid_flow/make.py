"""The recorder was started in the middle of a download; the name is not in the file."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Scene


def make(folder: Path) -> None:
    scene = Scene(192)
    address = "151.101.65.212"
    web = scene.site(address, rtt_s=0.080, hops=9, pages={"chatter.test": 90_000})
    scene.visit(web, "chatter.test", at_s=1, page_bytes=90_000)
    scene.record(folder / "capture.pcapng", until_s=3.0, since_s=1.34)


if __name__ == "__main__":
    make(Path(__file__).parent)
