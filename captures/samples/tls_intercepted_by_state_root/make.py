"""A box on router 3 answers hellos for chatter.test at two addresses, with leaves of a root that a state handed out."""

from __future__ import annotations

import random
from pathlib import Path

from captures.samples.recipe import Scene, TlsServer, names
from captures.samples.recipe_certificates import certificate, flight, flight_with
from captures.samples.recipe_interception import Impostor, Scanner


def make(folder: Path) -> None:
    scene = Scene(311)
    leaf = certificate("chatter.test", issuer="Information Security Certification Authority", organisation="ISCA")
    box = Impostor(names("chatter.test"), lambda _: flight_with(leaf, random.Random(311)), ttl_hops=128)
    scene.box(3, box)
    for number, (address, rtt_s) in enumerate((("151.101.65.231", 0.080), ("178.33.7.40", 0.120))):
        web = scene.site(address, rtt_s=rtt_s, hops=9)
        web.listening[443] = lambda: TlsServer(
            flight=lambda name, _, rng: flight(name, rng, issuer="public test authority")
        )
        for trial in range(2):
            scene.visit(web, "weather.test", at_s=1 + 12 * number + 6 * trial, flight_bytes=500)
            scene.open(web, Scanner("chatter.test"), at_s=3 + 12 * number + 6 * trial)
    scene.record(folder / "capture.pcapng", until_s=28)


if __name__ == "__main__":
    make(Path(__file__).parent)
