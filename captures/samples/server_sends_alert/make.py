"""An innocent twin: the server itself refuses chatter.test with unrecognized_name, at its own time."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Scene


def make(folder: Path) -> None:
    scene = Scene(153)
    address = "151.101.65.173"
    web = scene.site(address, rtt_s=0.080, hops=9, manners={"chatter.test": "alert"})
    scene.resolver("9.9.9.9", {"chatter.test": (address,)})
    for trial in range(3):
        scene.visit(web, "chatter.test", at_s=1 + 6 * trial, via="9.9.9.9")
    scene.record(folder / "capture.pcapng", until_s=20)


if __name__ == "__main__":
    make(Path(__file__).parent)
