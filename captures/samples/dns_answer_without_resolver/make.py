"""Queries to an address that runs no resolver: silence for weather.test, an answer for chatter.test."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import ForgeAnswer, Scene


def make(folder: Path) -> None:
    scene = Scene(123)
    nobody, resolver = "154.83.14.7", "9.9.9.9"
    zone = {"chatter.test": ("151.101.129.143",), "weather.test": ("146.75.33.143",)}
    scene.site(nobody, rtt_s=0.120, hops=11)
    scene.resolver(resolver, zone)
    scene.box(4, ForgeAnswer(["chatter.test"], ["31.13.94.49"], ttl_hops=243, aa=0))
    for trial in range(3):
        scene.lookup(resolver, "weather.test", at_s=1 + 14 * trial)
        scene.lookup(nobody, "weather.test", at_s=2 + 14 * trial, retry_s=2.0)
        scene.lookup(nobody, "chatter.test", at_s=8 + 14 * trial)
    scene.record(folder / "capture.pcapng", until_s=52)


if __name__ == "__main__":
    make(Path(__file__).parent)
