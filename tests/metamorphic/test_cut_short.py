"""Frames cut short show less: no name that was not blocked before is blocked then."""

from __future__ import annotations

from pathlib import Path

import pytest

import captures
from captures.write import Frame, Link, write
from fingerprint.engine import analyse
from fingerprint.plugins.registry import load
from fingerprint.verdict.model import Verdict
from tests.lab.judging import simulated
from tests.metamorphic.test_metamorphic import LARGEST_PKTS, sample_captures

# Enough for every header; a name in a ClientHello lies farther on.
SNAPLEN_BYTES = 100


def cut(path: Path, to: Path) -> Path:
    """The capture as a recorder with a small snaplen would have it."""
    recording = captures.read(path)
    if len(recording.columns) > LARGEST_PKTS:
        pytest.skip(f"{len(recording.columns)} packets; the shorter captures of its kind are tested")
    c = recording.columns
    frames = (
        Frame(
            content=recording.frame(row)[:SNAPLEN_BYTES],
            time_ns=int(c.time_ns[row]),
            wire_bytes=int(c.wire_bytes[row]),
            interface=int(c.interface[row]),
        )
        for row in range(len(c))
    )
    write(to, frames, links=[Link(link_type=i.link_type) for i in recording.interfaces])
    return to


def blocked(path: Path) -> dict[str, Verdict]:
    return {v.target: v for v in analyse([str(path)], techniques=load()).verdicts if v.state == "blocked"}


@pytest.mark.parametrize("path", sample_captures(), ids=lambda p: f"{p.parent.name}-{p.name.split('.')[0]}")
def test_what_is_cut_off_blocks_nobody_else(path: Path, tmp_path: Path) -> None:
    short, whole = blocked(cut(path, tmp_path / "cut.pcapng")), blocked(path)
    # Where names cannot be read any more, an address may stand for them.
    places = {e.rsplit("/", 1)[0].rsplit(":", 1)[0].strip("[]") for v in whole.values() for e in v.endpoints}
    assert {name for name in short if name not in places} <= set(whole)
    assert bool(short) <= bool(whole)


async def test_a_name_beside_which_others_are_cut_off_is_not_blocked_for_them(tmp_path: Path) -> None:
    _, recording, _ = await simulated("gfw-rst", tmp_path)
    whole, short = blocked(recording), blocked(cut(recording, tmp_path / "cut.pcapng"))
    assert "forum.test" in whole
    assert "garden.test" not in whole
    assert short
    assert "garden.test" not in short
