"""Several clients in one file: what a merge of their captures gives."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from captures.samples.recipe import Scene
from captures.samples.recipe_packets import write_pcapng


def record_together(scenes: Sequence[Scene], file: Path, *, until_s: float) -> None:
    """Let time pass for each of them and write what their clients saw into one file."""
    frames = []
    for scene in scenes:
        scene.net.run(until_s)
        seen = scene.net.taps["client"]
        frames += [(time_ns, packet.frame(towards_client=to_client)) for time_ns, packet, to_client in seen]
    write_pcapng(file, frames)
