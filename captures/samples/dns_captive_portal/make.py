"""An innocent twin: before login, the access point's resolver sends every name to its own portal."""

# Two methods with given signatures:
# ruff: noqa: ARG002, D102

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import App, Connection, Scene, response


class Portal(App):
    """Sends whoever asks to the login page."""

    def received(self, connection: Connection, data: bytes) -> None:
        connection.send(response("302 Found", b"", "Location: http://login.portal.test/"))


class Everything(dict[str, tuple[str, ...]]):
    """The zone of a portal: all names are here."""

    def get(self, name: str, default: object = None) -> tuple[str, ...]:
        return ("192.168.88.1",)


def make(folder: Path) -> None:
    scene = Scene(133, client="192.168.88.20")
    portal = scene.resolver("192.168.88.1", Everything(), rtt_s=0.003, hops=0)
    portal.host.listening[80] = Portal
    for i, name in enumerate(("chatter.test", "weather.test", "library.test")):
        scene.lookup("192.168.88.1", name, at_s=1 + 4 * i)
        scene.fetch("192.168.88.1", name, at_s=2 + 4 * i)
        scene.visit("192.168.88.1", name, at_s=3 + 4 * i)
    scene.record(folder / "capture.pcapng", until_s=18)


if __name__ == "__main__":
    make(Path(__file__).parent)
