"""An innocent twin: one of two parallel links behind router 4 is broken; the source port decides who suffers."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Drop, Packet, Scene


def _broken_link(p: Packet) -> bool:
    # A router chooses the link by a hash of the addresses and ports.
    return p.protocol == "tcp" and (p.source_port * 2654435761 >> 7) % 2 == 0


def make(folder: Path) -> None:
    scene = Scene(165)
    address = "151.101.65.181"
    web = scene.site(address, rtt_s=0.060, hops=9)
    scene.box(4, Drop(_broken_link))
    for trial in range(12):
        scene.visit(
            web, ("chatter.test", "weather.test", "forum.test")[trial % 3], at_s=1 + 9 * trial, page_bytes=2_000
        )
    scene.record(folder / "capture.pcapng", until_s=112)


if __name__ == "__main__":
    make(Path(__file__).parent)
