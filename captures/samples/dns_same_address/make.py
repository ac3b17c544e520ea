"""Four unrelated names get one and the same address from one resolver; another resolver keeps them apart."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Scene

CENSORED = ("chatter.test", "video.test", "freenews.test", "forum.test")


def make(folder: Path) -> None:
    scene = Scene(127)
    honest = {
        "chatter.test": ("151.101.129.147",),
        "video.test": ("142.250.74.14",),
        "freenews.test": ("104.16.81.147",),
        "forum.test": ("185.15.59.147",),
        "weather.test": ("146.75.33.147",),
        "library.test": ("199.232.41.147",),
    }
    scene.resolver("39.32.1.1", {**honest, **dict.fromkeys(CENSORED, ("39.32.10.9",))}, rtt_s=0.008, hops=3)
    scene.resolver("9.9.9.9", honest, rtt_s=0.030, hops=7)
    for trial in range(2):
        for i, name in enumerate(honest):
            scene.lookup("39.32.1.1", name, at_s=1 + 20 * trial + i)
            scene.lookup("9.9.9.9", name, at_s=9 + 20 * trial + i)
    for i, name in enumerate(honest):
        scene.site(honest[name][0])
        scene.visit(honest[name][0], name, at_s=42 + i, page_bytes=3_000)
    scene.record(folder / "capture.pcapng", until_s=52)


if __name__ == "__main__":
    make(Path(__file__).parent)
