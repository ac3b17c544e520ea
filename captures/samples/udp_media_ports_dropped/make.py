"""Ports 8801 to 8810 are dropped on router 2, whoever is asked; both hosts refuse the ports beside them."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Scene
from captures.samples.recipe_payloads import Datagrams, DropsDatagrams, is_stun, stun_answer, stun_request, tell


def make(folder: Path) -> None:
    scene = Scene(421)
    rng = scene.net.rng
    media, other = "170.114.10.221", "45.33.71.221"
    for address in (media, other):
        host = scene.site(address, rtt_s=0.100 if address == media else 0.060, hops=10)
        ports = Datagrams(host)
        ports.open[3478] = lambda data: stun_answer(data) if is_stun(data) else None
        if address == media:
            for port in range(8801, 8811):
                ports.open[port] = lambda data: stun_answer(data) if is_stun(data) else None
    scene.box(2, DropsDatagrams(lambda p: 8801 <= p.destination_port <= 8810))
    scene.resolver("9.9.9.9", {"calls.example": (media,), "weather.test": (other,)})
    scene.lookup("9.9.9.9", "calls.example", at_s=0.2)
    scene.lookup("9.9.9.9", "weather.test", at_s=0.5)
    at_s = 1.0
    for port in (8801, 8804, 8810):
        for address in (other, media):
            tell(scene, address, 3478, stun_request(rng), at_s=at_s)
            tell(scene, address, 8790 + port % 10, stun_request(rng), at_s=at_s + 1, copies=1)
            tell(scene, address, port, stun_request(rng), at_s=at_s + 2, copies=5)
            at_s += 9
    scene.record(folder / "capture.pcapng", until_s=at_s + 3)


if __name__ == "__main__":
    make(Path(__file__).parent)
