"""An innocent twin: the server answers 403 for one host, at its own time and with its own headers."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Scene


def make(folder: Path) -> None:
    scene = Scene(177)
    address = "151.101.65.197"
    web = scene.site(address, rtt_s=0.080, hops=9, manners={"chatter.test": "forbidden"})
    for trial in range(3):
        scene.fetch(web, "chatter.test", at_s=1 + 4 * trial)
        scene.fetch(web, "weather.test", at_s=3 + 4 * trial)
    scene.record(folder / "capture.pcapng", until_s=15)


if __name__ == "__main__":
    make(Path(__file__).parent)
