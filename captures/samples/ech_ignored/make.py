"""An innocent twin: servers that do not know the extension answer as if it were not there."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Scene


def make(folder: Path) -> None:
    scene = Scene(336)
    web = scene.site("151.101.65.231", rtt_s=0.070, hops=8, manners={"garden.test": "reset"})
    for trial in range(3):
        for number, name in enumerate(("chatter.test", "weather.test", "garden.test")):
            at_s = 1 + 15 * trial + 5 * number
            scene.visit(web, name, at_s=at_s, hello_bytes=760)
            scene.visit(web, name, at_s=at_s + 2, hello_bytes=760, veil="ech")
    scene.record(folder / "capture.pcapng", until_s=50)


if __name__ == "__main__":
    make(Path(__file__).parent)
