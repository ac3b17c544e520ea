"""An innocent twin: a server that asks for a token first and takes its time, and one that negotiates."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Lose, Scene
from captures.samples.recipe_quic import QuicServer, visit


def make(folder: Path) -> None:
    scene = Scene(240)
    slow, other = "151.101.65.240", "146.75.33.240"
    QuicServer(scene.site(slow, rtt_s=0.620, hops=14), retries=True, think_s=0.9)
    QuicServer(scene.site(other, rtt_s=0.035, hops=6))
    scene.box(2, Lose(0.08))
    for trial in range(4):
        visit(scene, slow, "chatter.test", at_s=1 + 14 * trial)
        visit(scene, slow, "weather.test", at_s=6 + 14 * trial, tries=2)
        visit(scene, other, "meadow.test", at_s=11 + 14 * trial, version=0x0A0A0A0A)
    scene.record(folder / "capture.pcapng", until_s=60)


if __name__ == "__main__":
    make(Path(__file__).parent)
