"""One RST+ACK that carries ten bytes, to the client only."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Forge, Scene, names


def make(folder: Path) -> None:
    scene = Scene(172)
    address = "151.101.65.192"
    web = scene.site(address, rtt_s=0.120, hops=12)
    # As the Henan firewall's: ten bytes, IP ID 1, TTL 58 on arrival (gfw.report, sp25 regional study).
    ten = bytes((*range(1, 10), 0))
    scene.box(3, Forge(names("chatter.test"), ("RA", {"payload": ten, "ip_id": 1}), ttl_hops=60))
    for trial in range(3):
        scene.visit(web, "chatter.test", at_s=1 + 6 * trial)
        scene.visit(web, "weather.test", at_s=3 + 6 * trial)
    scene.record(folder / "capture.pcapng", until_s=22)


if __name__ == "__main__":
    make(Path(__file__).parent)
