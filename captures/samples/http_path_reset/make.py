"""One path of chatter.test draws forged resets; the same path under another Host passes."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Forge, Scene
from captures.samples.recipe_http_boxes import asks


def make(folder: Path) -> None:
    scene = Scene(604)
    web = scene.site("151.101.66.14", rtt_s=0.075, hops=9)
    scene.box(3, Forge(asks("chatter.test", "/june"), ("RA", {"ip_id": 0x77D1, "df": True}), ttl_hops=92))
    for trial in range(3):
        for i, (host, path) in enumerate(
            (("chatter.test", "/may"), ("weather.test", "/june"), ("chatter.test", "/june"))
        ):
            scene.fetch(web, host, at_s=1 + 9 * trial + 3 * i, path=path)
    scene.record(folder / "capture.pcapng", until_s=30)


if __name__ == "__main__":
    make(Path(__file__).parent)
