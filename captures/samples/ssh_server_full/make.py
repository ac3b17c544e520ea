"""An innocent twin: an SSH server drops connections by lot before it has read anything, as MaxStartups has it."""

# A method with a given signature:
# ruff: noqa: D102

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Connection, Scene
from captures.samples.recipe_payloads import SpeaksWhenSpokenTo, Sshd, printable, ssh_banner


class Full(Sshd):
    """Every other connection is reset at the banner."""

    number = 0

    def received(self, connection: Connection, data: bytes) -> None:
        Full.number += 1
        if Full.number % 3 == 0:
            connection.abort()
        else:
            super().received(connection, data)


def make(folder: Path) -> None:
    scene = Scene(416)
    Full.number = 0
    address = "45.33.71.216"
    server = scene.site(address, rtt_s=0.085, hops=9)
    rng = scene.net.rng
    server.listening[22] = lambda: Full(rng)
    for trial in range(8):
        scene.open(server, SpeaksWhenSpokenTo(ssh_banner(), leave_after_s=4), at_s=1 + 8 * trial, port=22)
        if trial % 4 == 3:
            scene.open(server, SpeaksWhenSpokenTo(printable(rng, 30), leave_after_s=4), at_s=5 + 8 * trial, port=22)
    scene.record(folder / "capture.pcapng", until_s=75)


if __name__ == "__main__":
    make(Path(__file__).parent)
