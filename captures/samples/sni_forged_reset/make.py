"""A ClientHello that names chatter.test draws one forged reset from router 3 of 9; the server is 80 ms away."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Forge, Scene, names


def make(folder: Path) -> None:
    scene = Scene(101)
    address = "151.101.65.140"
    web = scene.site(address, rtt_s=0.080, hops=9)
    scene.resolver("9.9.9.9", {"chatter.test": (address,), "weather.test": (address,)})
    # 64 - 5: the injector's own hop limit, unlike anything the server sends.
    scene.box(3, Forge(names("chatter.test"), ("R", {}), ttl_hops=59))
    for trial in range(3):
        scene.visit(web, "weather.test", at_s=1 + 6 * trial, via="9.9.9.9")
        scene.visit(web, "chatter.test", at_s=3 + 6 * trial, via="9.9.9.9")
    scene.record(folder / "capture.pcapng", until_s=22)


if __name__ == "__main__":
    make(Path(__file__).parent)
