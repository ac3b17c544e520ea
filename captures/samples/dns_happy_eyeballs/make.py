"""An innocent twin: A and AAAA are asked at once from one port, and the answers cross."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Scene


def make(folder: Path) -> None:
    scene = Scene(137)
    address = "151.101.129.157"
    zone = {"chatter.test": (address, "2a04:4e42:200::396"), "weather.test": (address,)}
    scene.resolver("9.9.9.9", zone)
    web = scene.site(address)
    for trial in range(3):
        for i, name in enumerate(("chatter.test", "weather.test")):
            scene.lookup("9.9.9.9", name, at_s=1 + 6 * trial + 2 * i, kind=28)
            scene.visit(web, name, at_s=1.0005 + 6 * trial + 2 * i, via="9.9.9.9")
    scene.record(folder / "capture.pcapng", until_s=20)


if __name__ == "__main__":
    make(Path(__file__).parent)
