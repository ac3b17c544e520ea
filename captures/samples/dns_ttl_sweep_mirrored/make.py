"""Queries with growing TTLs for two names: an injector on router 3 answers one with the TTL that it sees."""

# Methods with given signatures:
# ruff: noqa: D102

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from captures.samples.recipe import Box, Line, Packet, Scene
from captures.samples.recipe_dns import answer, name_asked, query, reply_to

RESOLVER = "208.67.222.231"


class Mirror(Box):
    """On-path: answers queries for chatter.test, with the TTL and IP ID of the query as it passes."""

    def see(self, packet: Packet, line: Line, *, outbound: bool) -> Iterable[Packet]:
        if outbound and packet.protocol == "udp" and name_asked(packet.payload) == "chatter.test":
            forged = answer(packet.payload, ["31.13.94.37"], ttl_s=90, aa=0)
            self.inject(reply_to(packet, forged, ttl_hops=packet.ttl_hops), line, outbound=False, after_s=0.0004)
        return (packet,)


def make(folder: Path) -> None:
    scene = Scene(304)
    zone = {"chatter.test": ("151.101.129.231",), "weather.test": ("146.75.33.231",)}
    scene.resolver(RESOLVER, zone, rtt_s=0.060, hops=9)
    scene.box(3, Mirror())

    def ask(name: str, ttl_hops: int, at_s: float) -> None:
        identity, port = scene.net.rng.getrandbits(16), scene.net.rng.randrange(32768, 60999)
        fields = {"ip_id": scene.net.rng.randrange(65536), "source_port": port, "destination_port": 53}
        datagram = Packet(
            source=scene.net.client, destination=RESOLVER, protocol="udp", ttl_hops=ttl_hops,
            payload=query(name, identity=identity), **fields,
        )  # fmt: skip
        scene.net.when(at_s, lambda: scene.net.send(datagram))

    for trial in range(3):
        scene.lookup(RESOLVER, "weather.test", at_s=1 + 4 * trial)
        scene.lookup(RESOLVER, "chatter.test", at_s=3 + 4 * trial)
    for ttl in range(1, 10):
        ask("weather.test", ttl, 14 + 2 * ttl)
        ask("chatter.test", ttl, 15 + 2 * ttl)
    scene.record(folder / "capture.pcapng", until_s=40)


if __name__ == "__main__":
    make(Path(__file__).parent)
