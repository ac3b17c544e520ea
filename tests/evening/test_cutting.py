"""A recording made small keeps every packet, its time and its length; only bulk payload goes."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

import captures
from fingerprint.lab.evening import cutting
from fingerprint.lab.simulated.carrier import SimulatedCarrier
from fingerprint.lab.world import SERVER_A
from fingerprint.steps import Transfer


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    carrier = SimulatedCarrier("none", folder=tmp_path_factory.mktemp("whole"))
    message = Transfer(address=SERVER_A[0], name="herbs.test", path="/large", size_bytes=100_000, seconds=5.0)

    async def go():
        await carrier.perform(message, listen_s=5.0)
        return await carrier.flush()

    return asyncio.run(go())


def test_every_packet_keeps_its_time_and_its_length(recording, tmp_path):
    whole, cut = captures.read(recording), captures.read(cutting.packed(recording, tmp_path / "cut.pcapng.xz"))
    for column in ("time_ns", "wire_bytes", "payload_bytes", "seq", "ack", "tcp_flags", "window"):
        assert np.array_equal(getattr(whole.columns, column), getattr(cut.columns, column)), column
    assert whole.ended_ns == cut.ended_ns


def test_openings_stay_whole_and_bulk_goes(recording, tmp_path):
    whole, cut = captures.read(recording), captures.read(cutting.packed(recording, tmp_path / "cut.pcapng.xz"))
    kept = cut.columns.captured_bytes
    assert whole.names == cut.names
    assert whole.frame(3) == cut.frame(3)
    assert kept.sum() < whole.columns.captured_bytes.sum() / 3
    assert all(kept[row] >= cut.columns.payload_offset[row] for row in range(len(kept)))


def test_the_same_recording_gives_the_same_bytes(recording, tmp_path):
    one, two = (cutting.packed(recording, tmp_path / name).read_bytes() for name in ("1.xz", "2.xz"))
    assert one == two


def test_the_whole_is_not_touched(recording, tmp_path):
    before = recording.read_bytes()
    cutting.packed(recording, tmp_path / "cut.pcapng.xz")
    assert recording.read_bytes() == before
