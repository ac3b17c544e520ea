"""An innocent twin: the recorder sees every packet twice, 20 microseconds apart."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Scene


def make(folder: Path) -> None:
    scene = Scene(131)
    address = "151.101.129.151"
    scene.resolver("9.9.9.9", {"chatter.test": (address,), "weather.test": (address,)})
    web = scene.site(address)
    for trial in range(3):
        scene.visit(web, "chatter.test", at_s=1 + 4 * trial, via="9.9.9.9")
        scene.visit(web, "weather.test", at_s=3 + 4 * trial, via="9.9.9.9")
    scene.record(folder / "capture.pcapng", until_s=16, copy_after_s=0.000_020)


if __name__ == "__main__":
    make(Path(__file__).parent)
