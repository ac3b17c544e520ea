"""A request for chatter.test draws a stamped reset from router 3 of 9; weather.test passes at the same address."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Forge, Scene, names


def make(folder: Path) -> None:
    """Write the capture: the same bytes every time."""
    scene = Scene(1)
    web = scene.site("151.101.65.10", rtt_s=0.080, hops=9)
    scene.box(3, Forge(names("Host: chatter.test"), ("RA", {"payload": b"blocked by order"}), ttl_hops=61))
    for trial in range(2):
        scene.fetch(web, "weather.test", at_s=1 + 6 * trial)
        scene.fetch(web, "chatter.test", at_s=3 + 6 * trial)
    scene.record(folder / "capture.pcapng", until_s=16)


if __name__ == "__main__":
    make(Path(__file__).parent)
