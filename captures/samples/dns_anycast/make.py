"""An innocent twin: answers of an anycast resolver come from several machines, at several distances."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Scene


def make(folder: Path) -> None:
    scene = Scene(136)
    address = "151.101.129.156"
    zone = {"chatter.test": (address,), "weather.test": (address,)}
    scene.resolver("9.9.9.9", zone, rtt_s=0.024, hops=6, ttl_of=lambda turn: (64, 61, 255)[turn % 3])
    web = scene.site(address)
    for trial in range(4):
        scene.visit(web, "chatter.test", at_s=1 + 4 * trial, via="9.9.9.9")
        scene.lookup("9.9.9.9", "weather.test", at_s=3 + 4 * trial)
    scene.record(folder / "capture.pcapng", until_s=20)


if __name__ == "__main__":
    make(Path(__file__).parent)
