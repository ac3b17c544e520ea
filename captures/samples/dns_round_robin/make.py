"""An innocent twin: names with several addresses, handed out in turn, and one query asked twice."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Scene


def make(folder: Path) -> None:
    scene = Scene(106)
    pool = ("151.101.1.140", "151.101.65.140", "151.101.129.140", "151.101.193.140")
    zone = {"chatter.test": pool, "weather.test": ("146.75.33.140", "146.75.37.140")}
    scene.resolver("208.67.222.222", zone, rtt_s=0.060, hops=9, rotate=True)
    web = scene.site(pool[0])
    scene.site(pool[1]), scene.site(pool[2]), scene.site(pool[3])
    for trial in range(5):
        scene.lookup("208.67.222.222", "weather.test", at_s=1 + 4 * trial)
        scene.visit(web, "chatter.test", at_s=2 + 4 * trial, via="208.67.222.222")
    scene.record(folder / "capture.pcapng", until_s=24)


if __name__ == "__main__":
    make(Path(__file__).parent)
