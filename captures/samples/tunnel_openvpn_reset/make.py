"""OpenVPN over TCP is reset from router 4 as soon as the client's first packet passes; other bytes are answered."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Forge, Scene
from captures.samples.recipe_payloads import Answers, Says, openvpn_reset


def make(folder: Path) -> None:
    scene = Scene(412)
    address = "45.33.71.212"
    server = scene.site(address, rtt_s=0.150, hops=12)
    rng = scene.net.rng
    server.listening[1194] = lambda: Answers(rng)
    scene.box(4, Forge(lambda p: p.payload[2:3] == b"\x38" and len(p.payload) == 16, ("RA", {}), to_server=True))
    for trial in range(3):
        scene.open(server, Says(rng.randbytes(16), leave_after_s=3), at_s=1 + 15 * trial, port=1194)
        scene.open(server, Says(openvpn_reset(rng, tcp=True), leave_after_s=3), at_s=7 + 15 * trial, port=1194)
    scene.open(server, Says(rng.randbytes(16), leave_after_s=3), at_s=47, port=1194)
    scene.record(folder / "capture.pcapng", until_s=55)


if __name__ == "__main__":
    make(Path(__file__).parent)
