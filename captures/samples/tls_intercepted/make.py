"""A box on router 2 answers hellos for chatter.test itself, with a certificate of its own making."""

# A method with a given signature:
# ruff: noqa: ARG002, D102

from __future__ import annotations

import random
from pathlib import Path

from captures.samples.recipe import Connection, Drop, Forge, Packet, Scene, TlsClient, TlsServer, alert, names
from captures.samples.recipe_certificates import flight


class Wary(TlsClient):
    """A browser that does not know the issuer: it says unknown_ca and closes."""

    def received(self, connection: Connection, data: bytes) -> None:
        # RFC 5246 section 7.2.2.
        connection.send(alert(48))
        connection.close()


def make(folder: Path) -> None:
    scene = Scene(211)
    address = "151.101.65.231"
    web = scene.site(address, rtt_s=0.080, hops=9)
    web.listening[443] = lambda: TlsServer(
        flight=lambda name, _, rng: flight(name, rng, issuer="public test authority")
    )
    forged = flight("chatter.test", random.Random(211), issuer="chatter.test")
    doomed: set[int] = set()

    def goodbye(p: Packet) -> bool:
        return "F" in p.flags and p.source_port in doomed

    def hello(p: Packet) -> bool:
        if names("chatter.test")(p):
            doomed.add(p.source_port)
            return True
        return False

    scene.box(2, Forge(hello, ("PA", {"payload": forged, "window": 502}), ttl_hops=64, after_s=0.003))
    scene.box(2, Forge(goodbye, ("FA", {"window": 502}), ttl_hops=64, after_s=0.001))
    scene.box(2, Drop(lambda p: p.source_port in doomed))
    for trial in range(3):
        scene.visit(web, "weather.test", at_s=1 + 6 * trial, flight_bytes=500)
        scene.open(web, Wary("chatter.test"), at_s=3 + 6 * trial)
    scene.record(folder / "capture.pcapng", until_s=20)


if __name__ == "__main__":
    make(Path(__file__).parent)
