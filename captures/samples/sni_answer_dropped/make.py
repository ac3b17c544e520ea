"""The hello is acknowledged; then everything the server says about chatter.test dies on its way back."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Drop, Scene, names


def make(folder: Path) -> None:
    scene = Scene(143)
    address = "151.101.65.163"
    web = scene.site(address, rtt_s=0.070, hops=8, think_s=0.060)
    scene.box(3, Drop(names("chatter.test"), takes="answers"))
    for trial in range(2):
        scene.visit(web, "weather.test", at_s=1 + 30 * trial)
        scene.visit(web, "chatter.test", at_s=4 + 30 * trial, abort_after_s=20)
    scene.visit(web, "weather.test", at_s=58)
    scene.record(folder / "capture.pcapng", until_s=64)


if __name__ == "__main__":
    make(Path(__file__).parent)
