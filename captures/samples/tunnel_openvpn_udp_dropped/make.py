"""OpenVPN's first packet over UDP dies on router 4; letters and noise of its length are answered on the same port."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Scene
from captures.samples.recipe_payloads import Datagrams, DropsDatagrams, openvpn_reset, printable, tell

PORT = 1194


def make(folder: Path) -> None:
    scene = Scene(414)
    address = "45.33.71.214"
    server = scene.site(address, rtt_s=0.110, hops=10)
    rng = scene.net.rng
    ports = Datagrams(server)
    # A server for tests, that answers whatever it is sent.
    ports.open[PORT] = lambda data: rng.randbytes(26) if data else None
    scene.box(4, DropsDatagrams(lambda p: p.payload[:1] == b"\x38" and len(p.payload) == 14))
    for trial in range(3):
        at_s = 1 + 25 * trial
        tell(scene, address, PORT, b"\x9e" + rng.randbytes(13), at_s=at_s)
        tell(scene, address, PORT, printable(rng, 14), at_s=at_s + 3)
        tell(scene, address, PORT, openvpn_reset(rng, tcp=False), at_s=at_s + 6, copies=5, gap_s=2.0)
    tell(scene, address, PORT, printable(rng, 14), at_s=78)
    scene.record(folder / "capture.pcapng", until_s=85)


if __name__ == "__main__":
    make(Path(__file__).parent)
