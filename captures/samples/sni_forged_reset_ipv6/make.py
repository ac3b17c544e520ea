"""A forged reset over IPv6, where there is no IP ID and no DF to compare."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Forge, Scene, names


def make(folder: Path) -> None:
    scene = Scene(231, client="2407:aa80:314:8a2::21")
    address = "2a04:4e42:200::396"
    web = scene.site(address, rtt_s=0.080, hops=9)
    zone = {"chatter.test": (address,), "weather.test": (address,)}
    scene.resolver("2620:fe::fe", zone)
    scene.box(3, Forge(names("chatter.test"), ("RA", {}), ttl_hops=255))
    for trial in range(3):
        for i, name in enumerate(("weather.test", "chatter.test")):
            scene.lookup("2620:fe::fe", name, at_s=1 + 6 * trial + 2 * i, kind=28)
            scene.visit(web, name, at_s=1.1 + 6 * trial + 2 * i, page_bytes=4_000)
    scene.record(folder / "capture.pcapng", until_s=20)


if __name__ == "__main__":
    make(Path(__file__).parent)
