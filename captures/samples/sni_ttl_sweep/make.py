"""Hellos with hop limits 1 to 7, for a forbidden and an innocent name: from 4 on, the injector fires."""

# A method with a given signature:
# ruff: noqa: D102

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Connection, Forge, Scene, TlsClient, names


class Probe(TlsClient):
    """Sends its hello with a small hop limit, listens for 1.5 s, and leaves with the same limit."""

    def __init__(self, name: str, ttl_hops: int) -> None:
        super().__init__(name, abort_after_s=1.5)
        self.ttl_hops = ttl_hops

    def opened(self, connection: Connection) -> None:
        connection.ttl_hops = self.ttl_hops
        super().opened(connection)


def make(folder: Path) -> None:
    scene = Scene(221)
    address = "151.101.65.241"
    web = scene.site(address, rtt_s=0.080, hops=9)
    scene.box(3, Forge(names("chatter.test"), ("RA", {}), ttl_hops=64))
    scene.visit(web, "weather.test", at_s=1, page_bytes=4_000)
    for ttl in range(1, 8):
        scene.open(web, Probe("weather.test", ttl), at_s=4 * ttl)
        scene.open(web, Probe("chatter.test", ttl), at_s=4 * ttl + 2)
    scene.visit(web, "chatter.test", at_s=33, page_bytes=4_000)
    scene.visit(web, "weather.test", at_s=35, page_bytes=4_000)
    scene.record(folder / "capture.pcapng", until_s=40)


if __name__ == "__main__":
    make(Path(__file__).parent)
