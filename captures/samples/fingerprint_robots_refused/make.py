"""An innocent twin: the front of a site resets the clients that it takes for robots, itself."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Connection, Scene, TlsServer


class Front(TlsServer):
    """Resets a client by what its hello offers."""

    def _answer(self, connection: Connection, hello: bytes) -> None:
        if b"\x00\x2b\x00\x07\x06" in hello:
            super()._answer(connection, hello)
        else:
            connection.abort()


def make(folder: Path) -> None:
    scene = Scene(344)
    web = scene.site("151.101.65.231", rtt_s=0.080, hops=9)
    web.listening[443] = Front
    for trial in range(3):
        for number, name in enumerate(("chatter.test", "weather.test")):
            at_s = 1 + 10 * trial + 5 * number
            scene.visit(web, name, at_s=at_s)
            scene.visit(web, name, at_s=at_s + 2, old=True)
    scene.record(folder / "capture.pcapng", until_s=34)


if __name__ == "__main__":
    make(Path(__file__).parent)
