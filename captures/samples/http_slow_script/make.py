"""An innocent twin: one page of a site hangs at the server, whose kernel goes on acknowledging."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Scene


def make(folder: Path) -> None:
    scene = Scene(627)
    web = scene.site("151.101.66.37", rtt_s=0.080, hops=9, manners={"chatter.test": "hang"})
    for trial in range(3):
        scene.fetch(web, "weather.test", at_s=1 + 6 * trial)
        scene.fetch(web, "chatter.test", at_s=3 + 6 * trial)
    scene.record(folder / "capture.pcapng", until_s=17)


if __name__ == "__main__":
    make(Path(__file__).parent)
