"""An innocent twin: a filter that somebody chose looks into one category of sites only."""

from __future__ import annotations

import random
from pathlib import Path

from captures.samples.recipe import Scene, TlsServer, names
from captures.samples.recipe_certificates import certificate, flight, flight_with
from captures.samples.recipe_interception import Impostor, Scanner


def make(folder: Path) -> None:
    scene = Scene(322)
    leaf = certificate(
        "chatter.test", issuer="Kaspersky Anti-Virus Personal Root Certificate", organisation="AO Kaspersky Lab"
    )
    scene.box(1, Impostor(names("chatter.test"), lambda _: flight_with(leaf, random.Random(322))))
    web = scene.site("151.101.65.231", rtt_s=0.080, hops=9)
    web.listening[443] = lambda: TlsServer(
        flight=lambda name, _, rng: flight(name, rng, issuer="public test authority")
    )
    for trial in range(3):
        scene.visit(web, "weather.test", at_s=1 + 6 * trial, flight_bytes=500)
        scene.open(web, Scanner("chatter.test"), at_s=3 + 6 * trial)
    scene.record(folder / "capture.pcapng", until_s=20)


if __name__ == "__main__":
    make(Path(__file__).parent)
