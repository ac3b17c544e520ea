"""A device on router 3 takes UDP queries for chatter.test and answers SERVFAIL; over TCP it resolves."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import ForgeAnswer, Scene
from captures.samples.recipe_dns import SERVFAIL


def make(folder: Path) -> None:
    scene = Scene(423)
    zone = {
        "chatter.test": ("151.101.129.180",),
        "weather.test": ("146.75.33.180",),
        "library.test": ("199.232.41.180",),
    }
    scene.resolver("9.9.9.9", zone, rtt_s=0.050, hops=8)
    scene.resolver("208.67.222.222", zone, rtt_s=0.055, hops=9)
    scene.box(3, ForgeAnswer(["chatter.test"], [], rcode=SERVFAIL, aa=0, ttl_hops=99, swallow=True))
    for trial in range(3):
        for resolver in ("9.9.9.9", "208.67.222.222"):
            scene.lookup(resolver, "weather.test", at_s=1 + 10 * trial)
            scene.lookup(resolver, "chatter.test", at_s=2 + 10 * trial)
            scene.lookup_over_tcp(resolver, "chatter.test", at_s=3 + 10 * trial)
            scene.lookup(resolver, "library.test", at_s=4 + 10 * trial)
    scene.record(folder / "capture.pcapng", until_s=34)


if __name__ == "__main__":
    make(Path(__file__).parent)
