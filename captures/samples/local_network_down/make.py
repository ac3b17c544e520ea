"""An innocent twin: after ten seconds the client's own link is gone, and with it every name."""

# Methods with given signatures:
# ruff: noqa: ARG002, D102

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Box, Line, Packet, Scene


class Unplugged(Box):
    """Passes packets until somebody pulls the plug."""

    def see(self, packet: Packet, line: Line, *, outbound: bool) -> tuple[Packet, ...]:
        return (packet,) if self.net.now_ns - self.net.start_ns < 10e9 else ()


def make(folder: Path) -> None:
    scene = Scene(164)
    sites = {"chatter.test": "151.101.65.184", "weather.test": "146.75.33.184", "library.test": "199.232.41.184"}
    scene.resolver("9.9.9.9", {name: (address,) for name, address in sites.items()})
    scene.box(1, Unplugged())
    for i, (name, address) in enumerate(sites.items()):
        scene.site(address)
        scene.visit(address, name, at_s=1 + 2 * i, via="9.9.9.9")
        scene.visit(address, name, at_s=12 + 3 * i)
        scene.lookup("9.9.9.9", name, at_s=13 + 3 * i, retry_s=5)
    scene.record(folder / "capture.pcapng", until_s=50)


if __name__ == "__main__":
    make(Path(__file__).parent)
