"""A device in the path rewrites answers over UDP; over TCP the same resolver tells the truth."""

from __future__ import annotations

import socket
from dataclasses import replace
from pathlib import Path

from captures.samples.recipe import Alter, Packet, Scene


def make(folder: Path) -> None:
    scene = Scene(124)
    true, false = "151.101.129.144", "39.32.10.9"
    zone = {"chatter.test": (true,), "weather.test": ("146.75.33.144",)}
    for resolver, rtt_s in (("9.9.9.9", 0.020), ("208.67.222.222", 0.055)):
        scene.resolver(resolver, zone, rtt_s=rtt_s, hops=7)

    def rewrite(p: Packet) -> tuple[Packet, ...]:
        if p.protocol != "udp" or b"\x07chatter\x04test" not in p.payload:
            return (p,)
        return (replace(p, payload=p.payload.replace(socket.inet_aton(true), socket.inet_aton(false))),)

    scene.box(2, Alter(rewrite))
    web = scene.site(true)
    for i, resolver in enumerate(("9.9.9.9", "208.67.222.222") * 2):
        scene.lookup(resolver, "weather.test", at_s=1 + 5 * i)
        scene.lookup(resolver, "chatter.test", at_s=2 + 5 * i)
        scene.lookup_over_tcp(resolver, "chatter.test", at_s=3 + 5 * i)
        scene.lookup_over_tcp(resolver, "weather.test", at_s=4 + 5 * i)
    scene.visit(web, "chatter.test", at_s=22)
    scene.record(folder / "capture.pcapng", until_s=28)


if __name__ == "__main__":
    make(Path(__file__).parent)
