"""An SSH client's banner is dropped on router 3; the server's own arrives, and other first bytes pass."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Scene
from captures.samples.recipe_payloads import DropsFirstBytes, SpeaksWhenSpokenTo, Sshd, printable, ssh_banner


def make(folder: Path) -> None:
    scene = Scene(411)
    address = "45.33.71.211"
    server = scene.site(address, rtt_s=0.130, hops=11)
    rng = scene.net.rng
    server.listening[22] = lambda: Sshd(rng)
    scene.box(3, DropsFirstBytes(lambda data: data.startswith(b"SSH-")))
    for trial in range(3):
        scene.open(server, SpeaksWhenSpokenTo(printable(rng, 32), leave_after_s=4), at_s=1 + 30 * trial, port=22)
        scene.open(server, SpeaksWhenSpokenTo(ssh_banner(), leave_after_s=15), at_s=8 + 30 * trial, port=22)
    scene.open(server, SpeaksWhenSpokenTo(printable(rng, 32), leave_after_s=4), at_s=92, port=22)
    scene.record(folder / "capture.pcapng", until_s=100)


if __name__ == "__main__":
    make(Path(__file__).parent)
