"""Frames were cut after 96 bytes: hellos are dropped on the way, but their names are not in the file."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Drop, Scene, names


def make(folder: Path) -> None:
    scene = Scene(193)
    address = "151.101.65.213"
    web = scene.site(address, rtt_s=0.060, hops=8)
    scene.box(2, Drop(names("chatter.test")))
    for trial in range(2):
        scene.visit(web, "weather.test", at_s=1 + 24 * trial)
        scene.visit(web, "chatter.test", at_s=3 + 24 * trial, abort_after_s=18)
    scene.record(folder / "capture.pcapng", until_s=52, snaplen_bytes=96)


if __name__ == "__main__":
    make(Path(__file__).parent)
