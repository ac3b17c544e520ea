"""An innocent twin: the last router finds nobody at the address, and says host unreachable after three seconds."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Scene
from captures.samples.recipe_addresses import HOST, Refuse


def make(folder: Path) -> None:
    scene = Scene(407)
    dead, neighbour = "151.101.66.16", "151.101.66.26"
    for address in (dead, neighbour):
        scene.site(address, rtt_s=0.080, hops=9)
    scene.resolver("9.9.9.9", {"chatter.test": (dead,), "weather.test": (neighbour,)})
    # RFC 1122 section 2.3.2.1 and Linux: three requests for the link address, one a second, before a host is missed.
    scene.box(9, Refuse(lambda p: p.destination == dead, code=HOST, sender="62.115.9.1", after_s=3.0))
    for trial in range(2):
        scene.visit(neighbour, "weather.test", at_s=1 + 40 * trial, via="9.9.9.9", page_bytes=3_000)
        scene.visit(dead, "chatter.test", at_s=2 + 40 * trial, via="9.9.9.9")
        scene.fetch(dead, "chatter.test", at_s=3 + 40 * trial)
    scene.visit(neighbour, "weather.test", at_s=75, page_bytes=3_000)
    scene.record(folder / "capture.pcapng", until_s=80)


if __name__ == "__main__":
    make(Path(__file__).parent)
