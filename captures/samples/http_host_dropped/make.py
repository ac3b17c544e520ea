"""A request that names chatter.test is dropped in the path, with all that follows; weather.test passes there."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Drop, Scene
from captures.samples.recipe_http_boxes import asks


def make(folder: Path) -> None:
    scene = Scene(601)
    web = scene.site("151.101.66.11", rtt_s=0.070, hops=9)
    scene.box(4, Drop(asks("chatter.test"), takes="rest"))
    for trial in range(2):
        scene.fetch(web, "weather.test", at_s=1 + 24 * trial)
        scene.fetch(web, "chatter.test", at_s=3 + 24 * trial)
    scene.fetch(web, "library.test", at_s=49)
    scene.record(folder / "capture.pcapng", until_s=60)


if __name__ == "__main__":
    make(Path(__file__).parent)
