"""An innocent twin: the server of a fully encrypted proxy is down behind a front that completes handshakes."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Scene
from captures.samples.recipe_payloads import DropsFirstBytes, Says, Sink, printable


def make(folder: Path) -> None:
    scene = Scene(405)
    address = "45.33.71.205"
    server = scene.site(address, rtt_s=0.100, hops=9)
    server.listening[8388] = Sink
    rng = scene.net.rng
    # Beside the server, what completes handshakes for a machine that is gone from 40 s on.
    front = DropsFirstBytes(lambda _: scene.net.now_ns > scene.net.start_ns + 40 * 10**9)
    scene.box(9, front)
    for trial in range(2):
        scene.open(server, Says(printable(rng, 200), leave_after_s=3), at_s=1 + 10 * trial, port=8388)
    for trial in range(3):
        scene.open(server, Says(rng.randbytes(200), leave_after_s=20), at_s=45 + 30 * trial, port=8388)
    scene.record(folder / "capture.pcapng", until_s=150)


if __name__ == "__main__":
    make(Path(__file__).parent)
