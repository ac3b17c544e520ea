"""Seen from the server: a reset in the client's name, and then the client goes on."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Forge, Scene, names


def make(folder: Path) -> None:
    scene = Scene(149)
    address = "151.101.65.169"
    web = scene.site(address, rtt_s=0.090, hops=10)
    # As Airtel's: toward the server only, IP ID 242 (lhmerino/censorship-detection).
    scene.box(
        3,
        Forge(
            names("chatter.test"), ("RA", {"ip_id": 242, "window": 16}), ttl_hops=68, to_client=False, to_server=True
        ),
    )
    for trial in range(3):
        scene.visit(web, "weather.test", at_s=1 + 6 * trial)
        scene.visit(web, "chatter.test", at_s=3 + 6 * trial)
    scene.record(folder / "capture.pcapng", until_s=24, tap="server")


if __name__ == "__main__":
    make(Path(__file__).parent)
