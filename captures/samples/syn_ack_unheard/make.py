"""Seen from the server: its SYN-ACKs to one client are lost on the way back; another client is served."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Drop, Scene


def make(folder: Path) -> None:
    scene = Scene(411)
    address = "151.101.66.21"
    scene.site(address, rtt_s=0.080, hops=9)
    scene.box(4, Drop(lambda p: p.source == address and p.source_port == 443, outbound=False))
    for trial in range(2):
        scene.visit(address, "chatter.test", at_s=1 + 40 * trial)
        scene.fetch(address, "chatter.test", at_s=3 + 40 * trial)
    scene.record(folder / "capture.pcapng", until_s=80, tap="server")


if __name__ == "__main__":
    make(Path(__file__).parent)
