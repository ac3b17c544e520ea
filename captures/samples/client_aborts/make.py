"""An innocent twin: the user closes the tab while the page loads, or before the answer is there."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Scene


def make(folder: Path) -> None:
    scene = Scene(157)
    address = "151.101.65.177"
    web = scene.site(address, rtt_s=0.080, hops=9, pages={"chatter.test": 60_000})
    scene.resolver("9.9.9.9", {"chatter.test": (address,), "weather.test": (address,)})
    for trial, after_s in enumerate((0.05, 0.30, 0.02)):
        scene.visit(web, "chatter.test", at_s=1 + 6 * trial, via="9.9.9.9", page_bytes=60_000, abort_after_s=after_s)
        scene.visit(web, "weather.test", at_s=4 + 6 * trial, via="9.9.9.9")
    scene.record(folder / "capture.pcapng", until_s=22)


if __name__ == "__main__":
    make(Path(__file__).parent)
