"""Spans of time as people write them."""

from __future__ import annotations

import pytest

from captures.errors import TargetError
from fingerprint.durations import seconds


@pytest.mark.parametrize(("text", "span_s"), [("90s", 90), ("5m", 300), ("1.5 h", 5400), ("7D", 604800)])
def test_a_span_is_read(text, span_s):
    assert seconds(text, "--every") == span_s


@pytest.mark.parametrize("text", ["", "5", "0s", "-5m", "5 weeks", "m"])
def test_what_is_no_span_is_refused_by_the_option_s_name(text):
    with pytest.raises(TargetError, match="--every"):
        seconds(text, "--every")
