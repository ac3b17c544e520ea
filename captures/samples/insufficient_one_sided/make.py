"""Only the client's packets were recorded: whether anything answered cannot be known."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Forge, Scene, names


def make(folder: Path) -> None:
    scene = Scene(191)
    address = "151.101.65.211"
    web = scene.site(address, rtt_s=0.080, hops=9)
    scene.box(3, Forge(names("chatter.test"), ("R", {}), ttl_hops=59))
    for trial in range(3):
        scene.visit(web, "weather.test", at_s=1 + 6 * trial)
        scene.visit(web, "chatter.test", at_s=3 + 6 * trial)
    ours = scene.net.client
    scene.record(folder / "capture.pcapng", until_s=22, keep=lambda p: p.source == ours)


if __name__ == "__main__":
    make(Path(__file__).parent)
