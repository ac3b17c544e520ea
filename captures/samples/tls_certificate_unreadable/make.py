"""A server shows something in the place of its certificate that is none."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Scene, TlsServer
from captures.samples.recipe_certificates import certificate, flight, flight_with
from captures.samples.recipe_interception import Wary


def make(folder: Path) -> None:
    scene = Scene(326)
    web = scene.site("151.101.65.231", rtt_s=0.080, hops=9)
    torn = certificate("chatter.test", issuer="public test authority")
    torn = torn[:60] + bytes(len(torn) - 60)

    web.listening[443] = lambda: TlsServer(
        flight=lambda name, _, rng: (
            flight_with(torn, rng) if name == "chatter.test" else flight(name, rng, issuer="public test authority")
        )
    )
    for trial in range(2):
        scene.visit(web, "weather.test", at_s=1 + 6 * trial, flight_bytes=500)
        scene.open(web, Wary("chatter.test"), at_s=3 + 6 * trial)
    scene.record(folder / "capture.pcapng", until_s=14)


if __name__ == "__main__":
    make(Path(__file__).parent)
