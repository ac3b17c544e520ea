"""An innocent twin: the company's gateway signs for every name, with its product's own authority."""

from __future__ import annotations

import random
from pathlib import Path

from captures.samples.recipe import Packet, Scene, TlsServer
from captures.samples.recipe_certificates import certificate, flight, flight_with
from captures.samples.recipe_interception import Impostor, Scanner

NAMES = ("weather.test", "chatter.test", "garden.test")


def make(folder: Path) -> None:
    scene = Scene(321)

    def signed(hello: Packet) -> bytes:
        name = next(n for n in NAMES if n.encode() in hello.payload)
        leaf = certificate(name, issuer="FGT60F-1", organisation="Fortinet", key="the gateway")
        return flight_with(leaf, random.Random(name))

    scene.box(1, Impostor(lambda p: any(n.encode() in p.payload for n in NAMES), signed))
    for number, address in enumerate(("151.101.65.231", "178.33.7.40")):
        web = scene.site(address, rtt_s=0.080, hops=9)
        web.listening[443] = lambda: TlsServer(
            flight=lambda name, _, rng: flight(name, rng, issuer="public test authority")
        )
        for trial, asked in enumerate(NAMES * 2):
            scene.open(web, Scanner(asked), at_s=1 + 14 * number + 2 * trial)
    scene.record(folder / "capture.pcapng", until_s=30)


if __name__ == "__main__":
    make(Path(__file__).parent)
