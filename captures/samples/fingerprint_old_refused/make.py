"""An innocent twin: the server speaks no old TLS and says so by an alert."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Connection, Scene, TlsServer, alert

# RFC 5246 section 7.2.
PROTOCOL_VERSION = 70


class Modern(TlsServer):
    """Wants supported_versions in a hello."""

    def _answer(self, connection: Connection, hello: bytes) -> None:
        # RFC 8446 section 4.2.1: type 43.
        if b"\x00\x2b\x00\x07\x06" in hello:
            super()._answer(connection, hello)
            return
        connection.send(alert(PROTOCOL_VERSION))
        connection.close()


def make(folder: Path) -> None:
    scene = Scene(343)
    web = scene.site("151.101.65.231", rtt_s=0.080, hops=9)
    web.listening[443] = Modern
    for trial in range(3):
        for number, name in enumerate(("chatter.test", "weather.test")):
            at_s = 1 + 10 * trial + 5 * number
            scene.visit(web, name, at_s=at_s)
            scene.visit(web, name, at_s=at_s + 2, old=True)
    scene.record(folder / "capture.pcapng", until_s=34)


if __name__ == "__main__":
    make(Path(__file__).parent)
