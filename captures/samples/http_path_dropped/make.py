"""One path of chatter.test is dropped in the path; its other pages pass, and so does that path elsewhere."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Drop, Scene
from captures.samples.recipe_http_boxes import asks


def make(folder: Path) -> None:
    scene = Scene(602)
    web = scene.site("151.101.66.12", rtt_s=0.060, hops=8)
    scene.box(4, Drop(asks("chatter.test", "/groups/7"), takes="rest"))
    for trial in range(2):
        scene.fetch(web, "chatter.test", at_s=1 + 26 * trial, path="/groups/6")
        scene.fetch(web, "weather.test", at_s=2 + 26 * trial, path="/groups/7")
        scene.fetch(web, "chatter.test", at_s=4 + 26 * trial, path="/groups/7")
        scene.fetch(web, "chatter.test", at_s=8 + 26 * trial, path="/groups/8")
    scene.record(folder / "capture.pcapng", until_s=58)


if __name__ == "__main__":
    make(Path(__file__).parent)
