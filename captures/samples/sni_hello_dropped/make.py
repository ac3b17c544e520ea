"""Router 2 drops every segment that carries a hello for chatter.test; its retransmissions die too."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Drop, Scene, names


def make(folder: Path) -> None:
    scene = Scene(103)
    address = "151.101.65.142"
    web = scene.site(address, rtt_s=0.060, hops=8)
    scene.resolver("9.9.9.9", {"chatter.test": (address,), "library.test": (address,)})
    scene.box(2, Drop(names("chatter.test")))
    for trial in range(2):
        scene.visit(web, "library.test", at_s=1 + 24 * trial, via="9.9.9.9")
        scene.visit(web, "chatter.test", at_s=3 + 24 * trial, via="9.9.9.9", abort_after_s=18)
    scene.visit(web, "library.test", at_s=50)
    scene.record(folder / "capture.pcapng", until_s=58)


if __name__ == "__main__":
    make(Path(__file__).parent)
