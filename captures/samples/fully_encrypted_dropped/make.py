"""Connections that begin with random bytes go dead, and the address with them for 180 s; printable ones pass."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Scene
from captures.samples.recipe_payloads import DropsFirstBytes, Says, Sink, looks_random, printable

PORT = 8388


def make(folder: Path) -> None:
    scene = Scene(401)
    address = "45.33.71.201"
    server = scene.site(address, rtt_s=0.160, hops=12)
    server.listening[PORT] = Sink
    scene.box(4, DropsFirstBytes(looks_random, residual_s=180.0))
    rng = scene.net.rng
    at_s = 1.0
    for _ in range(3):
        for _ in range(2):
            scene.open(server, Says(printable(rng, 220), leave_after_s=3), at_s=at_s, port=PORT)
            at_s += 6
        scene.open(server, Says(rng.randbytes(220), leave_after_s=20), at_s=at_s, port=PORT)
        scene.visit(server, "weather.test", at_s=at_s + 8, page_bytes=3_000)
        scene.open(server, Says(printable(rng, 220), leave_after_s=3), at_s=at_s + 40, port=PORT)
        at_s += 210
    scene.open(server, Says(printable(rng, 220), leave_after_s=3), at_s=at_s, port=PORT)
    scene.record(folder / "capture.pcapng", until_s=at_s + 10)


if __name__ == "__main__":
    make(Path(__file__).parent)
