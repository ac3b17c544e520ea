"""An innocent twin: every Host sends its visitors on to TLS, one of them a little sooner than the others."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Scene


def make(folder: Path) -> None:
    scene = Scene(621)
    manners = {"chatter.test": "upgrade", "library.test": "upgrade"}
    web = scene.site("151.101.66.31", rtt_s=0.080, hops=9, manners=manners)
    other = scene.site("185.199.66.31", rtt_s=0.040, hops=7, manners={"harbor.test": "upgrade"})
    for trial in range(2):
        for i, (site, name) in enumerate(
            ((web, "chatter.test"), (web, "weather.test"), (web, "library.test"), (other, "harbor.test"))
        ):
            scene.fetch(site, name, at_s=1 + 8 * trial + 2 * i)
    scene.record(folder / "capture.pcapng", until_s=18)


if __name__ == "__main__":
    make(Path(__file__).parent)
