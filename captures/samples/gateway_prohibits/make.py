"""An innocent twin: the office's own gateway, the first router, prohibits an address."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Scene
from captures.samples.recipe_addresses import PROHIBITED, Refuse


def make(folder: Path) -> None:
    scene = Scene(410)
    refused, neighbour = "151.101.66.19", "151.101.66.29"
    for address in (refused, neighbour):
        scene.site(address, rtt_s=0.080, hops=9)
    scene.resolver("9.9.9.9", {"chatter.test": (refused,), "weather.test": (neighbour,)})
    scene.box(1, Refuse(lambda p: p.destination == refused, code=PROHIBITED, sender="39.45.171.1", ttl_hops=64))
    for trial in range(2):
        scene.visit(neighbour, "weather.test", at_s=1 + 20 * trial, via="9.9.9.9", page_bytes=3_000)
        scene.visit(refused, "chatter.test", at_s=2 + 20 * trial, via="9.9.9.9")
        scene.fetch(refused, "chatter.test", at_s=4 + 20 * trial)
        scene.visit(neighbour, "weather.test", at_s=16 + 20 * trial, page_bytes=3_000)
    scene.record(folder / "capture.pcapng", until_s=40)


if __name__ == "__main__":
    make(Path(__file__).parent)
