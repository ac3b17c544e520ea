"""Hellos for chatter.test with hop limits 5 and 6 only: both are reset, and nothing shows where that begins."""

# A method with a given signature:
# ruff: noqa: D102

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Connection, Forge, Scene, TlsClient, names


class Limited(TlsClient):
    """Sends its hello with a small hop limit, and leaves after 1.5 s."""

    def __init__(self, name: str, ttl_hops: int) -> None:
        super().__init__(name, abort_after_s=1.5)
        self.ttl_hops = ttl_hops

    def opened(self, connection: Connection) -> None:
        connection.ttl_hops = self.ttl_hops
        super().opened(connection)


def make(folder: Path) -> None:
    scene = Scene(612)
    web = scene.site("151.101.65.62", rtt_s=0.080, hops=9)
    scene.box(3, Forge(names("chatter.test"), ("RA", {}), ttl_hops=64))
    scene.visit(web, "weather.test", at_s=1, page_bytes=4_000)
    for ttl in (5, 6):
        scene.open(web, Limited("chatter.test", ttl), at_s=4 * ttl)
    scene.visit(web, "chatter.test", at_s=29, page_bytes=4_000)
    scene.visit(web, "weather.test", at_s=31, page_bytes=4_000)
    scene.record(folder / "capture.pcapng", until_s=36)


if __name__ == "__main__":
    make(Path(__file__).parent)
