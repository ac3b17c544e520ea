"""Fixtures that every part of the tests may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

import captures

# Whatever tables and services the person at this machine has added: the tests know ours.
os.environ["FINGERPRINT_TABLES"] = os.environ["FINGERPRINT_SERVICES"] = ""
# A busy machine is no fault of an example; where CI is set hypothesis draws the same examples every time by itself.
if not os.environ.get("CI"):
    settings.register_profile("busy machines", deadline=None)
    settings.load_profile("busy machines")
BESIDE_THE_CHECKOUT = Path(__file__).resolve().parents[2] / "shared" / "corpus"


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The folder of foreign captures: FINGERPRINT_CORPUS, or ``shared/corpus`` beside the checkout."""
    folder = Path(os.environ.get("FINGERPRINT_CORPUS") or BESIDE_THE_CHECKOUT)
    if not (folder / "index.json").is_file():
        pytest.skip(f"no corpus of captures in {folder.name}; set FINGERPRINT_CORPUS to its folder")
    return folder


@pytest.fixture(scope="session")
def samples() -> list[Path]:
    """The captures that come with the package, one a case, as they are installed."""
    found = sorted(Path(captures.__file__).parent.glob("samples/*/capture.*"))
    assert found, "no sample is installed"
    return found
