"""An innocent twin: between two connections the server got a new certificate, from another authority."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Scene, TlsServer
from captures.samples.recipe_certificates import certificate, flight_with


def make(folder: Path) -> None:
    scene = Scene(324)
    web = scene.site("151.101.65.231", rtt_s=0.080, hops=9)
    old = certificate("chatter.test", issuer="first authority")
    new = certificate("chatter.test", issuer="second authority", key="chatter.test next")
    spent = [0]

    def shown(name: str) -> bytes:
        if name != "chatter.test":
            return certificate(name, issuer="first authority")
        spent[0] += 1
        return old if spent[0] <= 3 else new

    web.listening[443] = lambda: TlsServer(flight=lambda name, _, rng: flight_with(shown(name), rng))
    for trial in range(6):
        scene.visit(web, "weather.test", at_s=1 + 6 * trial, flight_bytes=500)
        scene.visit(web, "chatter.test", at_s=3 + 6 * trial, flight_bytes=500)
    scene.record(folder / "capture.pcapng", until_s=40)


if __name__ == "__main__":
    make(Path(__file__).parent)
