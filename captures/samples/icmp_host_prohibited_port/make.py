"""A firewall on router 2 rejects port 443 of one address with ICMP host prohibited; port 80 of it is reached."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Scene
from captures.samples.recipe_addresses import HOST_PROHIBITED, Refuse


def make(folder: Path) -> None:
    scene = Scene(404)
    address, elsewhere = "151.101.66.13", "146.75.34.13"
    scene.site(address, rtt_s=0.090, hops=10)
    scene.site(elsewhere, rtt_s=0.050, hops=6)
    scene.resolver("9.9.9.9", {"chatter.test": (address,), "weather.test": (elsewhere,)})
    scene.box(
        2,
        Refuse(
            lambda p: (p.destination, p.destination_port) == (address, 443), code=HOST_PROHIBITED, sender="62.115.2.9"
        ),
    )
    for trial in range(2):
        scene.fetch(address, "chatter.test", at_s=1 + 12 * trial)
        scene.visit(address, "chatter.test", at_s=3 + 12 * trial, via="9.9.9.9")
        scene.visit(elsewhere, "weather.test", at_s=10 + 12 * trial, via="9.9.9.9", page_bytes=3_000)
    scene.record(folder / "capture.pcapng", until_s=26)


if __name__ == "__main__":
    make(Path(__file__).parent)
