"""Today's large hello takes two segments; for chatter.test the first arrives and the second never does."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Drop, Scene, names


def make(folder: Path) -> None:
    scene = Scene(146)
    address = "151.101.65.166"
    web = scene.site(address, rtt_s=0.070, hops=8)
    scene.box(3, Drop(names("chatter.test"), takes="next"))
    for trial in range(2):
        scene.visit(web, "weather.test", at_s=1 + 30 * trial, hello_bytes=1_890)
        scene.visit(web, "chatter.test", at_s=4 + 30 * trial, hello_bytes=1_890, abort_after_s=20)
    scene.visit(web, "weather.test", at_s=58, hello_bytes=1_890)
    scene.record(folder / "capture.pcapng", until_s=64)


if __name__ == "__main__":
    make(Path(__file__).parent)
