"""An innocent twin, a call: candidates that never answer, media one way, a peer that leaves, a mapping forgotten."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Scene
from captures.samples.recipe_payloads import Datagrams, is_stun, rtp, stun_answer, stun_request, tell


def make(folder: Path) -> None:
    scene = Scene(425)
    rng = scene.net.rng
    stun, peer, relay = "45.33.71.225", "91.198.30.225", "45.33.74.225"
    Datagrams(scene.site(stun)).open[3478] = lambda data: stun_answer(data) if is_stun(data) else None
    ends_s = [20.0]

    def talk(data: bytes) -> bytes | None:
        over = scene.net.now_ns > scene.net.start_ns + ends_s[0] * 1e9
        return None if over else stun_answer(data) if is_stun(data) else rtp(rng, 1, source=77)

    Datagrams(scene.site(peer, rtt_s=0.04)).open[41000] = talk
    Datagrams(scene.site(relay, rtt_s=0.03)).open[8801] = lambda data: (
        None if data[:1] == b"\x80" else stun_answer(data)
    )
    tell(scene, stun, 3478, stun_request(rng), at_s=1)
    # The peer's other candidates: another port of its address, and addresses that nobody has any more.
    for i, (address, port) in enumerate(
        ((peer, 41002), (peer, 3478), ("91.198.31.225", 41000), ("91.198.32.225", 3478))
    ):
        scene.net.lines.setdefault(address, scene.net.line(address, rtt_s=0.05))
        tell(scene, address, port, stun_request(rng), at_s=1.5 + 0.1 * i, copies=7, gap_s=0.5)
    port = scene.port()
    tell(scene, peer, 41000, stun_request(rng), at_s=2, source_port=port)
    tell(
        scene,
        peer,
        41000,
        lambda i: rtp(rng, i, source=99),
        at_s=3,
        copies=120,
        gap_s=0.2,
        goes_on=True,
        source_port=port,
    )
    tell(scene, relay, 8801, lambda i: rtp(rng, i, source=55), at_s=4, copies=60, gap_s=0.2, goes_on=True)
    scene.record(folder / "capture.pcapng", until_s=40)


if __name__ == "__main__":
    make(Path(__file__).parent)
