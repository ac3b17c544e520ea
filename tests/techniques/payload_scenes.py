"""Small scenes of first bytes and datagrams, each with one thing that is not as it was."""

from __future__ import annotations

from pathlib import Path

import captures
from captures.samples.recipe import Scene
from fingerprint import tables
from fingerprint.capture import Capture
from fingerprint.technique import Evidence, Inconclusive, Technique

ADDRESS, OTHER = "45.33.71.9", "170.114.10.9"


def seen(scene: Scene, folder: Path, *, until_s: float) -> Capture:
    """What the client's recorder holds."""
    scene.record(folder / "capture.pcapng", until_s=until_s)
    return Capture(recordings=(captures.read(folder / "capture.pcapng"),), known=tables.built_in())


def clues(technique: Technique, capture: Capture) -> set[str]:
    """Ids of the clues that were found."""
    return {f.clue.id for f in technique.analyse(capture) if isinstance(f, Evidence)}


def why(technique: Technique, capture: Capture) -> list[str]:
    """Why it could not tell."""
    return [f.why for f in technique.analyse(capture) if isinstance(f, Inconclusive)]
