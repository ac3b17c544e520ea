"""A box beside the server answers whole hellos for chatter.test; a hello cut within the name gets past it."""

from __future__ import annotations

import random
from pathlib import Path

from captures.samples.recipe import Scene, TlsClient, TlsServer, names
from captures.samples.recipe_certificates import flight
from captures.samples.recipe_interception import Impostor, Wary


def make(folder: Path) -> None:
    scene = Scene(312)
    web = scene.site("151.101.65.231", rtt_s=0.080, hops=9)
    web.listening[443] = lambda: TlsServer(
        flight=lambda name, _, rng: flight(name, rng, issuer="public test authority")
    )
    forged = flight("chatter.test", random.Random(312), issuer="chatter.test")
    scene.box(9, Impostor(names("chatter.test"), lambda _: forged))
    for trial in range(3):
        scene.visit(web, "weather.test", at_s=1 + 9 * trial, flight_bytes=500)
        scene.open(web, Wary("chatter.test"), at_s=4 + 9 * trial)
        scene.open(web, TlsClient("chatter.test", split_at=7, flight_bytes=500), at_s=7 + 9 * trial)
    scene.record(folder / "capture.pcapng", until_s=30)


if __name__ == "__main__":
    make(Path(__file__).parent)
