"""An innocent twin: a load balancer shakes hands and says goodbye, backends at another distance send the data."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from captures.samples.recipe import Alter, Packet, Scene


def _balancer(p: Packet) -> tuple[Packet, ...]:
    if p.protocol == "tcp" and ("S" in p.flags or "R" in p.flags or "F" in p.flags):
        return (replace(p, ttl_hops=251, ip_id=0),)
    return (p,)


def make(folder: Path) -> None:
    scene = Scene(154)
    address = "151.101.65.174"
    web = scene.site(address, rtt_s=0.080, hops=9, manners={"chatter.test": "idle"})
    scene.box(9, Alter(_balancer))
    for trial, name in enumerate(("chatter.test", "weather.test") * 2):
        scene.visit(web, name, at_s=1 + 5 * trial, linger_s=90 if name == "chatter.test" else 0.0)
    scene.record(folder / "capture.pcapng", until_s=90)


if __name__ == "__main__":
    make(Path(__file__).parent)
