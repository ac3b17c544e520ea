"""Router 3 minds chatter.test and finds it in the hellos of one client only: those of the other it cannot read."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Forge, Packet, Scene


def minded(p: Packet) -> bool:
    # It wants a hello that offers no TLS 1.3 (RFC 8446 section 4.2.1: type 43) and knows the name in it.
    return p.protocol == "tcp" and b"chatter.test" in p.payload and b"\x00\x2b\x00\x07\x06" not in p.payload


def make(folder: Path) -> None:
    scene = Scene(345)
    scene.box(3, Forge(minded, ("R", {}), ttl_hops=59))
    web = scene.site("151.101.65.231", rtt_s=0.080, hops=9)
    for trial in range(3):
        for number, name in enumerate(("weather.test", "chatter.test")):
            at_s = 1 + 10 * trial + 5 * number
            scene.visit(web, name, at_s=at_s)
            scene.visit(web, name, at_s=at_s + 2, old=True)
    scene.record(folder / "capture.pcapng", until_s=34)


if __name__ == "__main__":
    make(Path(__file__).parent)
