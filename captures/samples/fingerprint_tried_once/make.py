"""One hello of another client got lost, and nobody tried again."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Drop, Scene


def make(folder: Path) -> None:
    scene = Scene(346)
    scene.box(2, Drop(lambda p: p.protocol == "tcp" and b"\x00\x9c\x00\x9d\x00\x2f\x00\x35\xc0\x2f" in p.payload[:120]))
    web = scene.site("151.101.65.231", rtt_s=0.060, hops=8)
    scene.visit(web, "chatter.test", at_s=1)
    scene.visit(web, "chatter.test", at_s=4, old=True, abort_after_s=16)
    scene.visit(web, "chatter.test", at_s=24)
    scene.record(folder / "capture.pcapng", until_s=30)


if __name__ == "__main__":
    make(Path(__file__).parent)
