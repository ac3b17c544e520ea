"""One of three random-looking connections is taken; everything else to that port passes."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Scene
from captures.samples.recipe_payloads import Answers, DropsFirstBytes, Says, looks_random, printable

PORT = 443


def make(folder: Path) -> None:
    scene = Scene(402)
    address = "45.33.71.202"
    server = scene.site(address, rtt_s=0.090, hops=10)
    rng = scene.net.rng
    server.listening[PORT] = lambda: Answers(rng)
    scene.box(3, DropsFirstBytes(looks_random, share=lambda number: number % 3 == 0, passes_first=True))
    for trial in range(12):
        scene.open(
            server,
            Says(printable(rng, 180), more=[printable(rng, 90)], leave_after_s=2),
            at_s=1 + 14 * trial,
            port=PORT,
        )
        scene.open(
            server, Says(rng.randbytes(180), more=[rng.randbytes(90)], leave_after_s=2), at_s=5 + 14 * trial, port=PORT
        )
    scene.record(folder / "capture.pcapng", until_s=190)


if __name__ == "__main__":
    make(Path(__file__).parent)
