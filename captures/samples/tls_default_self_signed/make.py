"""An innocent twin: one of two servers was never given its certificate and shows the one it was delivered with."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Scene, TlsServer
from captures.samples.recipe_certificates import certificate, flight, flight_with
from captures.samples.recipe_interception import Wary


def make(folder: Path) -> None:
    scene = Scene(325)
    good = scene.site("151.101.65.231", rtt_s=0.080, hops=9)
    good.listening[443] = lambda: TlsServer(
        flight=lambda name, _, rng: flight(name, rng, issuer="public test authority")
    )
    bad = scene.site("178.33.7.40", rtt_s=0.090, hops=8)
    default = certificate("localhost", issuer="localhost")
    bad.listening[443] = lambda: TlsServer(flight=lambda *_: flight_with(default, scene.net.rng))
    for trial in range(3):
        scene.visit(good, "weather.test", at_s=1 + 8 * trial, flight_bytes=500)
        scene.visit(good, "chatter.test", at_s=3 + 8 * trial, flight_bytes=500)
        scene.open(bad, Wary("chatter.test"), at_s=5 + 8 * trial)
    scene.record(folder / "capture.pcapng", until_s=27)


if __name__ == "__main__":
    make(Path(__file__).parent)
