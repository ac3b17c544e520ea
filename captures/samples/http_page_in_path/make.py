"""A box keeps the request and answers it itself, with FIN and RST; the server never hears of it."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Scene, response
from captures.samples.recipe_http_boxes import Answers, asks

BODY = (
    b"<html><head><title>Access restricted</title></head><body><h1>Access to this resource is restricted</h1>"
    b"<p>By decision of the authority this website is blocked.</p></body></html>"
)


def make(folder: Path) -> None:
    scene = Scene(606)
    web = scene.site("151.101.66.16", rtt_s=0.085, hops=10)
    page = response("200 OK", BODY, "Connection: close")
    scene.box(
        4, Answers(asks("chatter.test"), ("FPA", {"payload": page, "window": 8192}), ("R", {"ip_id": 7}), ttl_hops=120)
    )
    for trial in range(3):
        scene.fetch(web, "weather.test", at_s=1 + 6 * trial)
        scene.fetch(web, "chatter.test", at_s=3 + 6 * trial)
    scene.record(folder / "capture.pcapng", until_s=22)


if __name__ == "__main__":
    make(Path(__file__).parent)
