"""Recorded in the middle, two hops behind the injector: forged resets in the client's name pass towards the server."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Forge, Scene, names


def make(folder: Path) -> None:
    scene = Scene(173)
    address = "151.101.65.193"
    web = scene.site(address, rtt_s=0.090, hops=9)
    scene.box(3, Forge(names("chatter.test"), ("RA", {"ip_id": 0x9921}), ttl_hops=248, to_server=True))
    for trial in range(3):
        scene.visit(web, "weather.test", at_s=1 + 6 * trial)
        scene.visit(web, "chatter.test", at_s=3 + 6 * trial)
    scene.record(folder / "capture.pcapng", until_s=22, tap="hop 5")


if __name__ == "__main__":
    make(Path(__file__).parent)
