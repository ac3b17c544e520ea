"""An innocent twin: before login, the hotspot answers port 80 of every address with its own login page."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Scene, response
from captures.samples.recipe_http_boxes import SpeaksForAll


def make(folder: Path) -> None:
    scene = Scene(622, client="192.168.88.20")
    login = response("302 Found", b"", "Location: http://login.portal.test/welcome", "Connection: close")
    scene.box(1, SpeaksForAll(lambda _: login))
    sites = [scene.site(f"{net}.66.32", rtt_s=0.080, hops=9) for net in ("151.101", "185.199", "45.60")]
    for trial in range(2):
        for i, (site, name) in enumerate(zip(sites, ("chatter.test", "weather.test", "library.test"), strict=True)):
            scene.fetch(site, name, at_s=1 + 9 * trial + 3 * i)
            scene.visit(site, name, at_s=2 + 9 * trial + 3 * i)
    scene.record(folder / "capture.pcapng", until_s=22)


if __name__ == "__main__":
    make(Path(__file__).parent)
