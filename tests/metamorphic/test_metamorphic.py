"""Other names, addresses, distances, hops and TTLs change no verdict: not on our samples, not on foreign captures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

import captures
from fingerprint.engine import analyse
from fingerprint.plugins.registry import load
from tests.metamorphic.transform import TRANSFORMS

SAMPLES = Path(captures.__file__).parent / "samples"
# Small enough to be rewritten frame by frame; the rest are longer transfers of the same kinds.
LARGEST_PKTS = 4000


def verdicts(path: Path) -> Sequence[tuple[str, tuple[str, ...]]]:
    """States with mechanisms of all targets, names left out."""
    report = analyse([str(path)], techniques=load())
    return sorted((v.state, tuple(sorted(m.node for m in v.mechanisms))) for v in report.verdicts if v.mechanisms)


def sample_captures() -> list[Path]:
    """Every capture among the samples."""
    return sorted(p for p in SAMPLES.glob("*/*.pcapng*"))


def _holds(path: Path, how: str, folder: Path) -> None:
    recording = captures.read(path)
    if len(recording.columns) > LARGEST_PKTS:
        pytest.skip(f"{len(recording.columns)} packets; the shorter captures of its kind are tested")
    changed = folder / "renamed.pcap"
    changed.write_bytes(TRANSFORMS[how](recording))
    assert verdicts(changed) == verdicts(path)


@pytest.mark.parametrize("how", TRANSFORMS)
@pytest.mark.parametrize("path", sample_captures(), ids=lambda p: f"{p.parent.name}-{p.name.split('.')[0]}")
def test_a_change_that_changes_nothing_changes_no_verdict_on_samples(path: Path, how: str, tmp_path: Path) -> None:
    _holds(path, how, tmp_path)


@pytest.mark.corpus
@pytest.mark.parametrize("how", TRANSFORMS)
@pytest.mark.parametrize("folder", ["lab", "censorship", "injection", "benign"])
def test_a_change_that_changes_nothing_changes_no_verdict_on_foreign_captures(
    corpus: Path, folder: str, how: str, tmp_path: Path
) -> None:
    differing = []
    for path in sorted((corpus / folder).iterdir()):
        recording = captures.read(path)
        if len(recording.columns) > LARGEST_PKTS:
            continue
        changed = tmp_path / "renamed.pcap"
        changed.write_bytes(TRANSFORMS[how](recording))
        before, after = verdicts(path), verdicts(changed)
        if before != after:
            differing.append(f"{path.name}: {before} became {after}")
    assert differing == []


def test_the_name_of_the_file_is_read_by_nobody(tmp_path: Path) -> None:
    for path in sample_captures()[:8]:
        copy = tmp_path / ("benign_ok" + "".join(path.suffixes))
        copy.write_bytes(path.read_bytes())
        assert verdicts(copy) == verdicts(path)
