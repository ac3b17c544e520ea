"""Every technique keeps what the public suite checks: it fires, it is silent, and it says when it cannot tell."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import captures
import techniques
from fingerprint.testing import check_technique

SAMPLES = Path(captures.__file__).parent / "samples"
FILES = {file.stem.replace("_", "-"): file for file in sorted(Path(techniques.__file__).parent.glob("[!_]*.py"))}
# Technique → kinds that it carries alone (see test_square.py), samples on which it fires, and on which it cannot tell.
CONFORMANCE = json.loads(Path(__file__).with_name("conformance.json").read_text())


def sample(name: str) -> Path:
    (capture,) = (SAMPLES / name).glob("capture.pcapng*")
    return capture


def innocents() -> list[Path]:
    """Samples in which nobody is blocked."""
    quiet = []
    for file in sorted(SAMPLES.glob("*/expected.json")):
        targets = json.loads(file.read_text())["targets"].values()
        if not any("blocked" in target["state"] for target in targets):
            quiet += sorted(file.parent.glob("capture.pcapng*"))
    return quiet


def test_every_technique_is_entered_and_no_other():
    assert sorted(CONFORMANCE) == sorted(FILES)


@pytest.mark.parametrize("technique", FILES)
def test_a_technique_keeps_what_it_promises(technique):
    told = CONFORMANCE.get(technique, {"fires": [], "cannot_tell": []})
    assert told["fires"], f"name a sample on which {technique} fires"
    assert told["cannot_tell"], f"name a sample on which {technique} cannot tell"
    check_technique(
        FILES[technique],
        fires_on=map(sample, told["fires"]),
        cannot_tell_on=map(sample, told["cannot_tell"]),
        silent_on=innocents(),
    )
