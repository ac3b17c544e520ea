"""An innocent twin: the server itself resets after every hello for chatter.test, a full round trip later."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Scene


def make(folder: Path) -> None:
    scene = Scene(104)
    address = "151.101.65.143"
    web = scene.site(address, rtt_s=0.080, hops=9, manners={"chatter.test": "reset"})
    scene.resolver("9.9.9.9", {"chatter.test": (address,)})
    for trial in range(3):
        scene.visit(web, "chatter.test", at_s=1 + 4 * trial, via="9.9.9.9")
    scene.record(folder / "capture.pcapng", until_s=16)


if __name__ == "__main__":
    make(Path(__file__).parent)
