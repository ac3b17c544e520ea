"""Router 2 drops the hellos of one kind of client, whatever they name."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Drop, Packet, Scene


def minded(p: Packet) -> bool:
    # The suites of the old client: without forward secrecy first.
    return p.protocol == "tcp" and b"\x00\x9c\x00\x9d\x00\x2f\x00\x35\xc0\x2f" in p.payload[:120]


def make(folder: Path) -> None:
    scene = Scene(342)
    scene.box(2, Drop(minded))
    web = scene.site("151.101.65.231", rtt_s=0.060, hops=8)
    for trial in range(3):
        for number, name in enumerate(("chatter.test", "weather.test")):
            at_s = 1 + 44 * trial + 22 * number
            scene.visit(web, name, at_s=at_s)
            scene.visit(web, name, at_s=at_s + 2, old=True, abort_after_s=16)
    scene.record(folder / "capture.pcapng", until_s=140)


if __name__ == "__main__":
    make(Path(__file__).parent)
