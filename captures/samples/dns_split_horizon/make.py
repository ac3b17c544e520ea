"""An innocent twin: the office resolver knows intranet.test by its private address; the world does not know it."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Scene


def make(folder: Path) -> None:
    scene = Scene(135, client="10.1.4.20")
    public = {"news.test": ("151.101.129.155",), "wiki.test": ("185.15.59.155",)}
    office = {**public, "intranet.test": ("10.1.2.3",), "wiki.test": ("10.1.2.4",)}
    scene.resolver("10.1.0.53", office, rtt_s=0.002, hops=1)
    scene.resolver("9.9.9.9", public, rtt_s=0.030, hops=7)
    for address in ("10.1.2.3", "10.1.2.4"):
        scene.site(address, rtt_s=0.003, hops=2)
    scene.site("151.101.129.155")
    for i, (name, address) in enumerate(
        (("intranet.test", "10.1.2.3"), ("wiki.test", "10.1.2.4"), ("news.test", "151.101.129.155"))
    ):
        scene.visit(address, name, at_s=1 + 4 * i, via="10.1.0.53")
        scene.lookup("9.9.9.9", name, at_s=3 + 4 * i)
    scene.record(folder / "capture.pcapng", until_s=16)


if __name__ == "__main__":
    make(Path(__file__).parent)
