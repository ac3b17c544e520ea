"""An innocent twin: the resolver is slow, the stub asks again, both queries are answered, in rotated order."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Scene


def make(folder: Path) -> None:
    scene = Scene(132)
    pool = ("151.101.1.152", "151.101.65.152", "151.101.129.152")
    scene.resolver("9.9.9.9", {"chatter.test": pool, "weather.test": ("146.75.33.152",)}, think_s=1.4, rotate=True)
    web = scene.site(pool[0])
    for trial in range(3):
        scene.lookup("9.9.9.9", "weather.test", at_s=1 + 9 * trial, retry_s=1.0)
        scene.lookup("9.9.9.9", "chatter.test", at_s=4 + 9 * trial, retry_s=1.0)
        scene.visit(web, "chatter.test", at_s=8 + 9 * trial)
    scene.record(folder / "capture.pcapng", until_s=32)


if __name__ == "__main__":
    make(Path(__file__).parent)
