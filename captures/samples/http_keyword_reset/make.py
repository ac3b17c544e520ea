"""A word in the path draws forged resets under every Host; other paths pass."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Forge, Scene
from captures.samples.recipe_http_boxes import asks


def make(folder: Path) -> None:
    scene = Scene(603)
    web = scene.site("151.101.66.13", rtt_s=0.090, hops=10)
    scene.box(4, Forge(asks(path="falun"), ("R", {}), ("RA", {"ip_id": 0x2B1C}), ttl_hops=101))
    for trial in range(3):
        for i, (host, path) in enumerate(
            (
                ("chatter.test", "/?q=garden"),
                ("weather.test", "/?q=garden"),
                ("chatter.test", "/?q=falun1"),
                ("weather.test", "/?q=falun1"),
            )
        ):
            scene.fetch(web, host, at_s=1 + 12 * trial + 3 * i, path=path)
    scene.record(folder / "capture.pcapng", until_s=40)


if __name__ == "__main__":
    make(Path(__file__).parent)
