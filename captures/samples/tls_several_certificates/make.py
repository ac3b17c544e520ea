"""An innocent twin: a front of many sites with a certificate for each, two authorities, and one for nobody."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Scene, TlsServer
from captures.samples.recipe_certificates import certificate, flight_with
from captures.samples.recipe_interception import Scanner


def make(folder: Path) -> None:
    scene = Scene(323)
    seen = {"chatter.test": 0}

    def shown(name: str) -> bytes:
        if name == "chatter.test":
            # One site, a certificate of either authority, as a front keeps a spare one.
            seen[name] += 1
            return certificate(name, issuer=("first authority", "second authority")[seen[name] % 2])
        if name == "weather.test":
            return certificate(name, issuer="second authority")
        return certificate("front.test", issuer="front.test", names=("front.test", "chatter.test"))

    for number, address in enumerate(("151.101.65.231", "178.33.7.40")):
        web = scene.site(address, rtt_s=0.040, hops=7)
        web.listening[443] = lambda: TlsServer(flight=lambda name, _, rng: flight_with(shown(name), rng))
        for trial in range(3):
            scene.visit(web, "chatter.test", at_s=1 + 18 * number + 6 * trial, flight_bytes=500)
            scene.visit(web, "weather.test", at_s=3 + 18 * number + 6 * trial, flight_bytes=500)
            scene.open(web, Scanner("garden.test"), at_s=5 + 18 * number + 6 * trial)
    scene.record(folder / "capture.pcapng", until_s=38)


if __name__ == "__main__":
    make(Path(__file__).parent)
