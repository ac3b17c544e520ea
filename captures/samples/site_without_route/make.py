"""An innocent twin: a whole site has lost its route; router 4 says so of some SYNs, and nothing else lives there."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Scene
from captures.samples.recipe_addresses import NETWORK, Refuse, sweep


def make(folder: Path) -> None:
    scene = Scene(408)
    one, other, elsewhere = "151.101.66.17", "151.101.67.27", "146.75.34.17"
    for address in (one, other):
        scene.site(address, rtt_s=0.080, hops=9)
    scene.site(elsewhere, rtt_s=0.070, hops=9)
    scene.resolver("9.9.9.9", {"chatter.test": (one,), "forum.test": (other,), "weather.test": (elsewhere,)})
    scene.box(4, Refuse(lambda p: p.destination in (one, other), code=NETWORK, sender="62.115.4.1"))
    scene.visit(elsewhere, "weather.test", at_s=1, via="9.9.9.9", page_bytes=3_000)
    for at_s, (address, name) in enumerate(((one, "chatter.test"), (other, "forum.test")), start=2):
        scene.visit(address, name, at_s=at_s, via="9.9.9.9")
        scene.fetch(address, name, at_s=at_s + 2)
    after_s = sweep(scene, (elsewhere, 443), (one, 443), hops=10, from_s=20)
    scene.visit(elsewhere, "weather.test", at_s=after_s + 1, page_bytes=3_000)
    scene.record(folder / "capture.pcapng", until_s=after_s + 5)


if __name__ == "__main__":
    make(Path(__file__).parent)
