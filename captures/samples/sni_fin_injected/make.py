"""A forged FIN closes the connection politely; the server's flight arrives after it."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Forge, Scene, names


def make(folder: Path) -> None:
    scene = Scene(144)
    address = "151.101.65.164"
    web = scene.site(address, rtt_s=0.080, hops=9)
    scene.box(3, Forge(names("chatter.test"), ("FA", {"window": 229}), ttl_hops=60))
    for trial in range(3):
        scene.visit(web, "weather.test", at_s=1 + 6 * trial)
        scene.visit(web, "chatter.test", at_s=3 + 6 * trial)
    scene.record(folder / "capture.pcapng", until_s=24)


if __name__ == "__main__":
    make(Path(__file__).parent)
