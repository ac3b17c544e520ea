"""An innocent twin: the program behind one path dies and its server resets; every other path loads."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Connection, HttpServer, Scene


class Fragile(HttpServer):
    """Has pages for everybody, and an export that no one ever finished."""

    def received(self, connection: Connection, data: bytes) -> None:
        """Die, or answer."""
        if data.startswith(b"GET /export"):
            connection.net.at(0.03, connection.abort)
        else:
            super().received(connection, data)


def make(folder: Path) -> None:
    scene = Scene(629)
    web = scene.site("151.101.66.39", rtt_s=0.080, hops=9)
    web.listening[80] = Fragile
    for i, path in enumerate(("/", "/export?year=2019", "/help", "/export?year=2019", "/about")):
        scene.fetch(web, "chatter.test", at_s=1 + 3 * i, path=path)
    scene.record(folder / "capture.pcapng", until_s=18)


if __name__ == "__main__":
    make(Path(__file__).parent)
