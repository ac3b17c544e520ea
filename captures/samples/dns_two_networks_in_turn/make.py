"""A repeated query for a service that lives in two networks: each answer names another one, and both are honest."""

# A method with a given signature:
# ruff: noqa: D102

from __future__ import annotations

from pathlib import Path
from typing import Any

from captures.samples.recipe import Scene


class InTurn(dict[str, tuple[str, ...]]):
    """A zone that names one of two content networks at a time, the other one with every question."""

    def get(self, name: str, *_: Any) -> Any:
        if name == "chatter.test":
            self[name] = ("23.45.12.64",) if self[name] == ("151.101.65.64",) else ("151.101.65.64",)
        return super().get(name)


def make(folder: Path) -> None:
    scene = Scene(614)
    zone = InTurn({"chatter.test": ("151.101.65.64",), "weather.test": ("146.75.33.64",)})
    scene.resolver("9.9.9.9", zone, think_s=1.4)
    homes = [scene.site("151.101.65.64"), scene.site("23.45.12.64")]
    for trial in range(3):
        scene.lookup("9.9.9.9", "weather.test", at_s=1 + 9 * trial)
        scene.lookup("9.9.9.9", "chatter.test", at_s=4 + 9 * trial, retry_s=1.0)
        scene.visit(homes[trial % 2], "chatter.test", at_s=8 + 9 * trial, page_bytes=3_000)
    scene.record(folder / "capture.pcapng", until_s=32)


if __name__ == "__main__":
    make(Path(__file__).parent)
