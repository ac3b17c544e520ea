"""An innocent twin: WireGuard and OpenVPN with a key are silent to whoever is not known to them."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Scene
from captures.samples.recipe_payloads import (
    Datagrams,
    openvpn_reset,
    stun_answer,
    stun_request,
    tell,
    wireguard_initiation,
)


def make(folder: Path) -> None:
    scene = Scene(415)
    address = "45.33.71.215"
    server = scene.site(address, rtt_s=0.070, hops=8)
    rng = scene.net.rng
    ports = Datagrams(server)
    ports.open[51820] = ports.open[1194] = lambda data: stun_answer(data) if data[4:8] == b"\x21\x12\xa4\x42" else None
    for trial in range(3):
        at_s = 1 + 20 * trial
        tell(scene, address, 51820, stun_request(rng), at_s=at_s)
        tell(scene, address, 51820, lambda _: wireguard_initiation(rng), at_s=at_s + 2, copies=3, gap_s=5.0)
        tell(scene, address, 1194, openvpn_reset(rng, tcp=False), at_s=at_s + 4, copies=5, gap_s=2.0)
    scene.visit(server, "weather.test", at_s=3, page_bytes=3_000)
    scene.record(folder / "capture.pcapng", until_s=70)


if __name__ == "__main__":
    make(Path(__file__).parent)
