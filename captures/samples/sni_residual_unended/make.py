"""As `sni_residual`, but the recording stops while the two addresses are still cut off from each other."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Drop, Scene, names


def make(folder: Path) -> None:
    scene = Scene(432)
    web = scene.site("151.101.65.232", rtt_s=0.070, hops=8)
    scene.box(3, Drop(names("chatter.test"), residual_s=180.0))
    for at_s in (1, 2, 3):
        scene.visit(web, "weather.test", at_s=at_s, page_bytes=3_000)
    scene.visit(web, "chatter.test", at_s=5, abort_after_s=20)
    scene.visit(web, "weather.test", at_s=15, page_bytes=3_000)
    scene.visit(web, "weather.test", at_s=30, page_bytes=3_000)
    scene.record(folder / "capture.pcapng", until_s=60)


if __name__ == "__main__":
    make(Path(__file__).parent)
