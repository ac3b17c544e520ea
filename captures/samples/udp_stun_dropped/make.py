"""STUN with the cookie of RFC 8489 is dropped on router 3, without it the same server answers on the same port."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Scene
from captures.samples.recipe_payloads import Datagrams, DropsDatagrams, is_stun, stun_answer, stun_request, tell


def make(folder: Path) -> None:
    scene = Scene(422)
    rng = scene.net.rng
    address = "45.33.71.222"
    host = scene.site(address, rtt_s=0.075, hops=9)
    Datagrams(host, refuses=False).open[3478] = lambda data: stun_answer(data) if is_stun(data) else None
    scene.box(3, DropsDatagrams(lambda p: p.payload[4:8] == b"\x21\x12\xa4\x42"))
    for trial in range(3):
        tell(scene, address, 3478, stun_request(rng, cookie=False), at_s=1 + 15 * trial)
        tell(scene, address, 3478, stun_request(rng), at_s=4 + 15 * trial)
    tell(scene, address, 3478, stun_request(rng, cookie=False), at_s=47)
    scene.record(folder / "capture.pcapng", until_s=55)


if __name__ == "__main__":
    make(Path(__file__).parent)
