"""Handshakes of WireGuard die on router 3; a server that echoes anything answers everything else of that length."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Scene
from captures.samples.recipe_payloads import Datagrams, DropsDatagrams, printable, tell, wireguard_initiation

PORT = 51820


def make(folder: Path) -> None:
    scene = Scene(413)
    address = "45.33.71.213"
    server = scene.site(address, rtt_s=0.090, hops=9)
    rng = scene.net.rng
    Datagrams(server).open[PORT] = lambda data: data[:92]
    scene.box(3, DropsDatagrams(lambda p: p.payload[:4] == b"\x01\x00\x00\x00" and len(p.payload) == 148))
    for trial in range(3):
        tell(scene, address, PORT, b"\xc7" + rng.randbytes(147), at_s=1 + 20 * trial)
        tell(scene, address, PORT, printable(rng, 148), at_s=3 + 20 * trial)
        tell(scene, address, PORT, lambda _: wireguard_initiation(rng), at_s=5 + 20 * trial, copies=3, gap_s=5.0)
    tell(scene, address, PORT, b"\x55" + rng.randbytes(147), at_s=62)
    scene.record(folder / "capture.pcapng", until_s=70)


if __name__ == "__main__":
    make(Path(__file__).parent)
