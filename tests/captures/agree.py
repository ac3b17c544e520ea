"""Comparing the two passes."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from captures import COLUMNS, CaptureError, Recording, read
from tests.captures.craft import reference_pass


def outcome(path: Path) -> Recording | str:
    try:
        return read(path)
    except CaptureError as error:
        return str(error)


def assert_both_passes_agree(path: Path) -> Recording | str:
    """Reads a file with both passes; they must give the same arrays, or the same complaint."""
    compiled = outcome(path)
    with reference_pass():
        plain = outcome(path)
    if isinstance(compiled, str) or isinstance(plain, str):
        assert compiled == plain
        return compiled
    for name in COLUMNS:
        ours, theirs = getattr(compiled.columns, name), getattr(plain.columns, name)
        assert ours.dtype == theirs.dtype, name
        np.testing.assert_array_equal(ours, theirs, err_msg=name)
    for name in compiled.flows.__slots__:
        ours, theirs = getattr(compiled.flows, name), getattr(plain.flows, name)
        assert ours.dtype == theirs.dtype, name
        np.testing.assert_array_equal(ours, theirs, err_msg=name)
    for name in ("names", "errors", "interfaces", "sha256", "fragments"):
        assert getattr(compiled, name) == getattr(plain, name), name
    return compiled
