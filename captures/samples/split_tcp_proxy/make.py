"""An innocent twin: a proxy at the provider answers every SYN at once; one server behind it is dead."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Scene


def make(folder: Path) -> None:
    scene = Scene(160)
    dead, alive = "151.101.65.180", "146.75.33.180"
    # The proxy stands two hops away and speaks for every address, also for that of the dead server.
    web = scene.site(dead, rtt_s=0.009, hops=2, think_s=0.094, manners={"*": "reset"})
    other = scene.site(alive, rtt_s=0.009, hops=2, think_s=0.094)
    scene.resolver("9.9.9.9", {"chatter.test": (dead,), "forum.test": (dead,), "weather.test": (alive,)})
    for trial in range(3):
        for i, (server, name) in enumerate(((web, "chatter.test"), (other, "weather.test"), (web, "forum.test"))):
            scene.visit(server, name, at_s=1 + 6 * trial + 2 * i, via="9.9.9.9")
    scene.record(folder / "capture.pcapng", until_s=22)


if __name__ == "__main__":
    make(Path(__file__).parent)
