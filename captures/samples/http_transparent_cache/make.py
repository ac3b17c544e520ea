"""An innocent twin: a provider's cache answers for popular Hosts, and adds Via to what it fetches for the others."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Scene, response
from captures.samples.recipe_http import PAGE
from captures.samples.recipe_http_boxes import SpeaksForAll


def make(folder: Path) -> None:
    scene = Scene(623)
    cached = response("200 OK", PAGE, "Via: 1.1 cache3.provider.test", "X-Cache: HIT", "Age: 311")
    fetched = response("200 OK", PAGE.replace(b"ordinary", b"rare"), "Via: 1.1 cache3.provider.test", "X-Cache: MISS")
    scene.box(2, SpeaksForAll(lambda asked: cached if b"chatter.test" in asked else fetched, ttl_hops=255))
    web = scene.site("151.101.66.33", rtt_s=0.080, hops=9)
    for trial in range(3):
        scene.fetch(web, "weather.test", at_s=1 + 6 * trial)
        scene.fetch(web, "chatter.test", at_s=3 + 6 * trial)
        scene.visit(web, "weather.test", at_s=5 + 6 * trial)
    scene.record(folder / "capture.pcapng", until_s=20)


if __name__ == "__main__":
    make(Path(__file__).parent)
