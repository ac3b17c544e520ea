"""Requests with growing TTLs: from five hops on the connection is taken away; another Host's lives on."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import App, Connection, Drop, Scene
from captures.samples.recipe_http_boxes import asks


class Limited(App):
    """A request that dies after some hops, then a goodbye that travels all the way."""

    def __init__(self, host: str, hops: int) -> None:
        self.host, self.hops = host, hops

    def opened(self, connection: Connection) -> None:
        """Ask with a small TTL, wait, leave."""
        usual, connection.ttl_hops = connection.ttl_hops, self.hops
        connection.send(f"GET / HTTP/1.1\r\nHost: {self.host}\r\nAccept: */*\r\n\r\n".encode())
        connection.ttl_hops = usual
        connection.sent, connection.rto_s = [], 1e6
        connection.net.at(2.0, lambda: connection.abort("FA"))

    def received(self, connection: Connection, data: bytes) -> None:
        """Nobody expects an answer."""


def make(folder: Path) -> None:
    scene = Scene(605)
    web = scene.site("151.101.66.15", rtt_s=0.080, hops=9)
    scene.box(5, Drop(asks("chatter.test"), takes="rest"))
    for host_number, host in enumerate(("weather.test", "chatter.test")):
        for hops in range(1, 10):
            scene.open(web, Limited(host, hops), at_s=1 + 40 * host_number + 4 * hops, port=80)
    scene.record(folder / "capture.pcapng", until_s=90)


if __name__ == "__main__":
    make(Path(__file__).parent)
