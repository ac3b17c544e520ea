"""An innocent twin: a filter that the network's owner runs answers 0.0.0.0 for an advertising host."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Scene

# RFC 1122 section 3.2.1.3: no address at all; what most home filters answer.
UNSPECIFIED = "0.0.0.0"  # noqa: S104 - nothing listens


def make(folder: Path) -> None:
    scene = Scene(134, client="192.168.1.20")
    honest = {"ads.test": ("104.16.81.154",), "news.test": ("151.101.129.154",)}
    scene.resolver("192.168.1.2", {**honest, "ads.test": (UNSPECIFIED,)}, rtt_s=0.001, hops=0)
    scene.resolver("9.9.9.9", honest, rtt_s=0.030, hops=7)
    web = scene.site("151.101.129.154")
    for trial in range(3):
        scene.visit(web, "news.test", at_s=1 + 4 * trial, via="192.168.1.2")
        scene.lookup("192.168.1.2", "ads.test", at_s=2 + 4 * trial)
        scene.lookup("9.9.9.9", "ads.test", at_s=3 + 4 * trial)
    scene.record(folder / "capture.pcapng", until_s=16)


if __name__ == "__main__":
    make(Path(__file__).parent)
