"""An innocent twin: for each page two connections are opened at once; the slower one is dropped without a word."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Preconnect, Scene


def make(folder: Path) -> None:
    scene = Scene(158)
    fast, slow = "151.101.65.178", "146.75.33.178"
    web = scene.site(fast, rtt_s=0.040, hops=8)
    scene.site(slow, rtt_s=0.110, hops=12)
    scene.resolver("9.9.9.9", {"chatter.test": (fast, slow)})
    for trial in range(4):
        scene.lookup("9.9.9.9", "chatter.test", at_s=1 + 5 * trial)
        scene.visit(web, "chatter.test", at_s=1.1 + 5 * trial)
        scene.open(slow, Preconnect(leave_after_s=0.0002, flags="RA" if trial % 2 else "R"), at_s=1.101 + 5 * trial)
    scene.record(folder / "capture.pcapng", until_s=24)


if __name__ == "__main__":
    make(Path(__file__).parent)
