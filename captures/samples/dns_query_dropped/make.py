"""Queries for chatter.test die on router 2, to either resolver, over UDP; over TCP the name resolves."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Drop, Packet, Scene


def _asks(p: Packet) -> bool:
    return p.protocol == "udp" and p.destination_port == 53 and b"\x07chatter\x04test" in p.payload


def make(folder: Path) -> None:
    scene = Scene(128)
    true = "151.101.129.148"
    zone = {"chatter.test": (true,), "weather.test": ("146.75.33.148",)}
    scene.resolver("9.9.9.9", zone, rtt_s=0.020, hops=6)
    scene.resolver("208.67.222.222", zone, rtt_s=0.055, hops=9)
    scene.box(2, Drop(_asks))
    for i, resolver in enumerate(("9.9.9.9", "208.67.222.222") * 2):
        scene.lookup(resolver, "weather.test", at_s=1 + 12 * i)
        scene.lookup(resolver, "chatter.test", at_s=2 + 12 * i, retry_s=3.0)
        scene.lookup(resolver, "weather.test", at_s=8 + 12 * i)
        scene.lookup_over_tcp(resolver, "chatter.test", at_s=10 + 12 * i)
    scene.record(folder / "capture.pcapng", until_s=54)


if __name__ == "__main__":
    make(Path(__file__).parent)
