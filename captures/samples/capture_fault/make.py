"""An innocent twin: the recorder lost a third of the incoming packets, and says so."""

from __future__ import annotations

import random
from pathlib import Path

from captures.samples.recipe import Packet, Scene


def make(folder: Path) -> None:
    scene = Scene(168)
    address = "151.101.65.188"
    web = scene.site(address)
    scene.resolver("9.9.9.9", {"chatter.test": (address,), "weather.test": (address,)})
    for trial in range(4):
        scene.visit(web, "chatter.test", at_s=1 + 5 * trial, via="9.9.9.9")
        scene.visit(web, "weather.test", at_s=3 + 5 * trial, via="9.9.9.9")
    lot = random.Random(168)
    lost: list[Packet] = []

    def kept(p: Packet) -> bool:
        if p.source == scene.net.client or lot.random() > 1 / 3:
            return True
        lost.append(p)
        return False

    scene.net.run(24)
    count = sum(not kept(p) for _, p, _ in scene.net.taps["client"])
    lot.seed(168)
    scene.record(folder / "capture.pcapng", until_s=24, keep=kept, dropped_pkts=count)


if __name__ == "__main__":
    make(Path(__file__).parent)
