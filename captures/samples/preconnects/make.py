"""An innocent twin: a browser opens connections ahead of need and never uses them."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Preconnect, Scene


def make(folder: Path) -> None:
    scene = Scene(159)
    address, other = "151.101.65.179", "146.75.33.179"
    web = scene.site(address)
    scene.site(other, rtt_s=0.035, hops=6)
    scene.resolver("9.9.9.9", {"chatter.test": (address,), "cdn.test": (other,)})
    for trial in range(3):
        scene.visit(web, "chatter.test", at_s=1 + 15 * trial, via="9.9.9.9")
        scene.lookup("9.9.9.9", "cdn.test", at_s=1.2 + 15 * trial)
        scene.open(other, Preconnect(leave_after_s=10), at_s=1.3 + 15 * trial)
        scene.open(address, Preconnect(leave_after_s=10), at_s=1.4 + 15 * trial)
    scene.record(folder / "capture.pcapng", until_s=45)


if __name__ == "__main__":
    make(Path(__file__).parent)
