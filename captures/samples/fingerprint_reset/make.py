"""Router 3 answers the hellos of one kind of client by a forged reset, whatever they name."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Forge, Packet, Scene


def minded(p: Packet) -> bool:
    # The suites of the old client: without forward secrecy first.
    return p.protocol == "tcp" and b"\x00\x9c\x00\x9d\x00\x2f\x00\x35\xc0\x2f" in p.payload[:120]


def make(folder: Path) -> None:
    scene = Scene(341)
    scene.box(3, Forge(minded, ("RA", {}), ttl_hops=59))
    web = scene.site("151.101.65.231", rtt_s=0.080, hops=9)
    far = scene.site("178.33.7.40", rtt_s=0.120, hops=9)
    for trial in range(3):
        for number, (where, name) in enumerate(((web, "chatter.test"), (web, "weather.test"), (far, "garden.test"))):
            at_s = 1 + 15 * trial + 5 * number
            scene.visit(where, name, at_s=at_s)
            scene.visit(where, name, at_s=at_s + 2, old=True)
    scene.record(folder / "capture.pcapng", until_s=50)


if __name__ == "__main__":
    make(Path(__file__).parent)
