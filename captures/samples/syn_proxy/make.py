"""An innocent twin: a SYN proxy beside the server answers SYNs without options, then hands over."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from captures.samples.recipe import Alter, Packet, Scene


def _proxied(p: Packet) -> tuple[Packet, ...]:
    return (replace(p, ttl_hops=251, ip_id=0, df=True, window=29_200),) if p.flags == "SA" else (p,)


def make(folder: Path) -> None:
    scene = Scene(155)
    address = "151.101.65.175"
    web = scene.site(address, rtt_s=0.080, hops=9)
    scene.resolver("9.9.9.9", {"chatter.test": (address,), "weather.test": (address,)})
    scene.box(8, Alter(_proxied))
    for trial, name in enumerate(("chatter.test", "weather.test") * 2):
        scene.visit(web, name, at_s=1 + 4 * trial, via="9.9.9.9")
    scene.record(folder / "capture.pcapng", until_s=20)


if __name__ == "__main__":
    make(Path(__file__).parent)
