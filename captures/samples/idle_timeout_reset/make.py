"""An innocent twin: the server resets connections that were silent for a minute, one of them as a request crosses."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Scene


def make(folder: Path) -> None:
    scene = Scene(156)
    address = "151.101.65.176"
    web = scene.site(address, rtt_s=0.080, hops=9, manners={"chatter.test": "idle", "weather.test": "idle"})
    for trial, name in enumerate(("chatter.test", "weather.test") * 2):
        scene.visit(web, name, at_s=1 + 3 * trial, page_bytes=6_000, linger_s=200)
    scene.record(folder / "capture.pcapng", until_s=85)


if __name__ == "__main__":
    make(Path(__file__).parent)
