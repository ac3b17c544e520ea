"""An innocent twin: nobody listens. One host says so by ICMP, one says nothing, one has a firewall for these ports."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Scene
from captures.samples.recipe_payloads import Datagrams, is_stun, stun_answer, stun_request, tell


def make(folder: Path) -> None:
    scene = Scene(424)
    rng = scene.net.rng
    refuses, mute, walled = "45.33.71.224", "45.33.72.224", "45.33.73.224"
    Datagrams(scene.site(refuses))
    quiet = Datagrams(scene.site(mute, rtt_s=0.05), refuses=False)
    quiet.open[3478] = lambda data: stun_answer(data) if is_stun(data) else None
    firewalled = Datagrams(scene.site(walled, rtt_s=0.12))
    for port in range(8801, 8811):
        firewalled.open[port] = lambda data: None if data else b""
    for i, address in enumerate((refuses, mute, walled)):
        for j, port in enumerate((3478, 8800, 8801, 8805)):
            tell(scene, address, port, stun_request(rng), at_s=1 + 30 * i + 7 * j, copies=5)
    scene.record(folder / "capture.pcapng", until_s=95)


if __name__ == "__main__":
    make(Path(__file__).parent)
