"""A forged 404 with nothing in it beats the page of chatter.test."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Forge, Scene
from captures.samples.recipe_http_boxes import asks


def make(folder: Path) -> None:
    scene = Scene(609)
    web = scene.site("151.101.66.19", rtt_s=0.080, hops=9)
    stub = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    scene.box(3, Forge(asks("chatter.test"), ("FPA", {"payload": stub, "window": 1024, "ip_id": 0x1111}), ttl_hops=99))
    for trial in range(3):
        scene.fetch(web, "weather.test", at_s=1 + 6 * trial)
        scene.fetch(web, "chatter.test", at_s=3 + 6 * trial)
    scene.record(folder / "capture.pcapng", until_s=20)


if __name__ == "__main__":
    make(Path(__file__).parent)
