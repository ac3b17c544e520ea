"""An innocent twin: the server takes the hello for chatter.test and never answers."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Scene


def make(folder: Path) -> None:
    scene = Scene(151)
    address = "151.101.65.171"
    web = scene.site(address, rtt_s=0.070, hops=8, manners={"chatter.test": "hang"})
    scene.resolver("9.9.9.9", {"chatter.test": (address,)})
    for trial in range(2):
        scene.visit(web, "chatter.test", at_s=1 + 25 * trial, via="9.9.9.9", abort_after_s=20)
    scene.record(folder / "capture.pcapng", until_s=55)


if __name__ == "__main__":
    make(Path(__file__).parent)
