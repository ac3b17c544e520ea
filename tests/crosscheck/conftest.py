"""What these tests need: tshark, and a capture that is judged once."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

import captures
from fingerprint.report.document import as_dict
from fingerprint.verbs import analysing

SAMPLES = Path(captures.__file__).parent / "samples"


@pytest.fixture(autouse=True)
def tshark():
    """Without it these tests say nothing: a failure where the environment promises it, a skip elsewhere."""
    if not shutil.which("tshark"):
        assert not os.environ.get("CI"), "tshark is missing"
        pytest.skip("tshark is not installed")


@pytest.fixture(scope="session")
def registry():
    return analysing.registry((), (), ())


@pytest.fixture(scope="session")
def judged(registry):
    """The report on a file as a document that keeps every address."""

    def judge(file: Path, **options: object) -> dict[str, object]:
        report = analysing.judged([str(file)], registry, jobs=1, **options)
        return as_dict(report, all_ok=True, with_vantage=True)

    return judge


@pytest.fixture
def forged_reset() -> Path:
    return SAMPLES / "sni_forged_reset" / "capture.pcapng"
