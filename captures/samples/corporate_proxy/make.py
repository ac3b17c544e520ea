"""An innocent twin: the company's proxy refuses CONNECT to a chat service by policy and serves everything else."""

# Methods with given signatures:
# ruff: noqa: D102

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import App, Connection, Scene, response


class Proxy(App):
    """Refuses one host, tunnels the rest."""

    def received(self, connection: Connection, data: bytes) -> None:
        page = b"<html><body><h1>Access denied by company policy</h1></body></html>"
        refused = b"chatter.test" in data
        connection.send(response("403 Forbidden", page) if refused else b"HTTP/1.1 200 Connection established\r\n\r\n")


class Asks(App):
    """CONNECT, then wait."""

    def __init__(self, name: str) -> None:
        self.name = name

    def opened(self, connection: Connection) -> None:
        connection.send(
            f"CONNECT {self.name}:443 HTTP/1.1\r\nHost: {self.name}:443\r\nUser-Agent: curl/8.5.0\r\n\r\n".encode()
        )
        connection.net.at(0.5, connection.close)


def make(folder: Path) -> None:
    scene = Scene(163, client="10.1.4.21")
    proxy = scene.site("10.1.0.80", rtt_s=0.002, hops=1)
    proxy.listening[3128] = Proxy
    for trial, name in enumerate(("weather.test", "chatter.test") * 3):
        scene.open(proxy, Asks(name), at_s=1 + 2 * trial, port=3128)
    scene.record(folder / "capture.pcapng", until_s=15)


if __name__ == "__main__":
    make(Path(__file__).parent)
