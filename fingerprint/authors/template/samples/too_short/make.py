"""The recorder stops 50 ms after a request, before anybody's answer can have come."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Scene


def make(folder: Path) -> None:
    """Write the capture: the same bytes every time."""
    scene = Scene(3)
    web = scene.site("151.101.65.12", rtt_s=0.080, hops=9)
    scene.fetch(web, "weather.test", at_s=1)
    scene.fetch(web, "chatter.test", at_s=3)
    scene.record(folder / "capture.pcapng", until_s=3.13)


if __name__ == "__main__":
    make(Path(__file__).parent)
