"""The innocent twin: the server itself resets requests for chatter.test, and writes nothing into its resets."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Scene


def make(folder: Path) -> None:
    """Write the capture: the same bytes every time."""
    scene = Scene(2)
    web = scene.site("151.101.65.11", rtt_s=0.080, hops=9, manners={"chatter.test": "reset"})
    for trial in range(2):
        scene.fetch(web, "weather.test", at_s=1 + 6 * trial)
        scene.fetch(web, "chatter.test", at_s=3 + 6 * trial)
    scene.record(folder / "capture.pcapng", until_s=16)


if __name__ == "__main__":
    make(Path(__file__).parent)
