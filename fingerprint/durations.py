"""Spans of time as people write them: ``90s``, ``5m``, ``24h``, ``7d``."""

from __future__ import annotations

import re

from captures.errors import TargetError

UNITS_S = {"s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}


def seconds(text: str, option: str) -> float:
    """The span in seconds, above zero. Raises TargetError, which names the option, for anything else."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([a-z]+)", text.strip().lower())
    span_s = float(match[1]) * UNITS_S.get(match[2], 0.0) if match else 0.0
    if span_s <= 0:
        raise TargetError(f"{option} {text}: want a span of time, for example 90s, 5m or 24h")
    return span_s
