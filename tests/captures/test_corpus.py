"""Foreign captures: both passes agree, nothing breaks, and independent readers see the same packets."""

from __future__ import annotations

import shutil
import subprocess
import time

import pytest
from scapy.utils import RawPcapNgReader, RawPcapReader

from captures import CaptureError, read
from tests.captures.agree import assert_both_passes_agree, outcome

pytestmark = pytest.mark.corpus

# Versions and link types that tshark gives up on, and this reader reads.
_NOT_READ_BY_TSHARK = "contains record data that TShark doesn't support"


def test_both_passes_agree_on_every_file(corpus):
    files = sorted(path for path in corpus.glob("*/*") if path.stat().st_size < 3_000_000)
    for path in files:
        assert_both_passes_agree(path)
    assert len(files) > 800


def test_every_malformed_file_is_read_in_good_time_and_every_packet_decodes(corpus):
    files = sorted((corpus / "malformed").iterdir())
    for path in files:
        began = time.monotonic()
        recording = outcome(path)
        if isinstance(recording, str):
            assert recording.startswith(path.name)
            continue
        for row in range(len(recording.columns)):
            assert recording.packet(row).number == row + 1
        assert time.monotonic() - began < 10, path.name
    assert len(files) > 200


def test_scapy_reads_the_same_bytes(corpus):
    compared = 0
    for path in sorted(corpus.glob("[bcil]*/*.pcap*"))[::4]:
        if path.stat().st_size > 1_000_000 or path.suffix not in (".pcap", ".pcapng"):
            continue
        recording = read(path)
        try:
            with (RawPcapReader if path.suffix == ".pcap" else RawPcapNgReader)(str(path)) as reader:
                frames = [frame for frame, _ in reader]
        except Exception:  # noqa: BLE001 - what scapy cannot read is no oracle
            continue
        if len(frames) != len(recording.columns) and path.suffix == ".pcapng":
            continue  # scapy skips blocks that Wireshark numbers
        assert [recording.frame(row) for row in range(len(frames))] == frames, path.name
        compared += len(frames)
    assert compared > 5_000


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
def test_packet_numbers_are_those_of_wireshark(corpus):
    compared = 0
    for path in sorted(corpus.glob("*/*"))[::8]:
        if path.stat().st_size > 1_000_000 or path.suffix == ".xz":
            continue
        command = ["tshark", "-n", "-r", str(path), "-T", "fields", "-e", "frame.cap_len"]
        told = subprocess.run(command, capture_output=True, text=True, check=False)
        if _NOT_READ_BY_TSHARK in told.stderr:
            continue
        try:
            ours = len(read(path).columns)
        except CaptureError:
            ours = 0
        assert ours == len(told.stdout.splitlines()), path.name
        compared += ours
    assert compared > 2_000
