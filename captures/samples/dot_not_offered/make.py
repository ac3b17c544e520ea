"""An innocent twin: a resolver without DNS over TLS refuses port 853, another one ignores it."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Drop, Scene
from captures.samples.recipe_tcp import App


def make(folder: Path) -> None:
    scene = Scene(253)
    refuses, ignores = "151.101.65.253", "146.75.33.253"
    scene.site(refuses, rtt_s=0.050, hops=8)
    scene.site(ignores, rtt_s=0.040, hops=6)
    # Its own firewall, on the router before it.
    scene.box(6, Drop(lambda p: p.destination == ignores and p.destination_port == 853))
    for trial in range(2):
        for i, (address, name) in enumerate(((refuses, "meadow.test"), (ignores, "weather.test"))):
            scene.open(address, App(), at_s=1 + 5 * i + 30 * trial, port=853)
            scene.visit(address, name, at_s=3 + 5 * i + 30 * trial, page_bytes=2_000)
    scene.record(folder / "capture.pcapng", until_s=64)


if __name__ == "__main__":
    make(Path(__file__).parent)
