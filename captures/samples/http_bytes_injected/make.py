"""A forged script beats the true one on the second request of a connection; TTL and counter are copied."""

# A method with a given signature:
# ruff: noqa: ARG002

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import App, Connection, Forge, Scene, response
from captures.samples.recipe_http_boxes import asks


class Twice(App):
    """A page, then the script that it names, over one connection."""

    def __init__(self, host: str) -> None:
        self.host, self.heard = host, 0

    def opened(self, connection: Connection) -> None:
        """The page."""
        self.ask(connection, "/")

    def ask(self, connection: Connection, path: str) -> None:
        """One request."""
        connection.send(f"GET {path} HTTP/1.1\r\nHost: {self.host}\r\nConnection: keep-alive\r\n\r\n".encode())

    def received(self, connection: Connection, data: bytes) -> None:
        """The script once the page is there, then leave."""
        self.heard += 1
        if self.heard == 1:
            connection.net.at(0.2, lambda: self.ask(connection, "/count.js"))
        else:
            connection.net.at(0.5, connection.close)


def make(folder: Path) -> None:
    scene = Scene(608)
    web = scene.site("151.101.66.18", rtt_s=0.080, hops=9)
    script = b"document.write('<img src=http://flood.test/?' + Math.random() + '>');" * 4
    forged = response("200 OK", script, "Content-Type: text/javascript")
    scene.box(3, Forge(asks("chatter.test", "count.js"), ("PA", {"payload": forged, "window": 512}), mimic=True))
    for trial in range(2):
        scene.open(web, Twice("weather.test"), at_s=1 + 6 * trial, port=80)
        scene.open(web, Twice("chatter.test"), at_s=3 + 6 * trial, port=80)
    scene.record(folder / "capture.pcapng", until_s=16)


if __name__ == "__main__":
    make(Path(__file__).parent)
