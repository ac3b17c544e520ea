"""An innocent twin: the server itself resets requests for a Host that it does not serve."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Scene


def make(folder: Path) -> None:
    scene = Scene(626)
    web = scene.site("151.101.66.36", rtt_s=0.080, hops=9, manners={"chatter.test": "reset"})
    for trial in range(3):
        scene.fetch(web, "weather.test", at_s=1 + 6 * trial)
        scene.fetch(web, "chatter.test", at_s=3 + 6 * trial)
    scene.record(folder / "capture.pcapng", until_s=20)


if __name__ == "__main__":
    make(Path(__file__).parent)
