"""Whether a document has the shape of ``fingerprint/report/1`` as far as anything is read from it.

The schema says more; this says what would break a reader, in a sentence, without a library. Fields that older versions
did not write are filled with what they mean when missing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

SCHEMA = "fingerprint/report/1"
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z")
HASH = re.compile(r"[0-9a-f]{64}")
NODE = re.compile(r"[a-z][a-z0-9_-]*(\.[a-z0-9_-]+)+")
STATES = ("ok", "down", "blocked", "insufficient", "invalid")
REACHES = ("none", "degraded", "partial", "full")
# Field of a target → types that it may have.
TARGET: Mapping[str, tuple[type, ...]] = {
    "target": (str,),
    "service": (str, type(None)),
    "role": (str, type(None)),
    "vantage": (str, type(None)),
    "endpoints": (list,),
    "mechanisms": (list,),
    "cause": (dict, type(None)),
    "next": (list,),
}
MECHANISM: Mapping[str, tuple[type, ...]] = {
    "mechanism": (str,),
    "posterior": (int, float, type(None)),
    "position": (str,),
    "trigger": (dict, type(None)),
    "location": (dict, type(None)),
    "injector": (list,),
    "shape": (str, type(None)),
    "rate_bps": (int, float, type(None)),
    "evidence": (list,),
}
# What a version before these fields existed would have written.
LATER: Mapping[str, Any] = {"worked": None, "failed": None, "flows": []}
LATER_OF_MECHANISM: Mapping[str, Any] = {"rate_interval_bps": None, "calibrated": None}


class Misshapen(ValueError):
    """What is wrong with a document, as the end of a sentence that begins with its name."""


def document(told: object) -> dict[str, Any]:
    """The document. Raises Misshapen, which says what is wrong, for one that is none or has no captures."""
    if not isinstance(told, dict) or told.get("schema") != SCHEMA:
        raise Misshapen(f"is no document of {SCHEMA}")
    for field in ("captures", "targets", "tables", "errors"):
        if not isinstance(told.get(field), list):
            raise Misshapen(f"has no list of {field}")
    for number, capture in enumerate(told["captures"]):
        _capture(capture, number)
    for number, table in enumerate(told["tables"]):
        if not isinstance(table, dict) or any(not isinstance(table.get(f), str) for f in ("name", "version", "sha256")):
            raise Misshapen(f"has a table {number} without name, version or sha256")
    return told


def _capture(capture: object, number: int) -> None:
    if not isinstance(capture, dict) or not isinstance(capture.get("file"), str):
        raise Misshapen(f"has a capture {number} without a file")
    if not HASH.fullmatch(str(capture.get("sha256"))):
        raise Misshapen(f"has a capture {number} without its SHA-256")
    if not isinstance(capture.get("packets"), int) or not isinstance(capture.get("quality"), list):
        raise Misshapen(f"has a capture {number} without packets or quality")
    if not isinstance(capture.get("vantage"), dict):
        raise Misshapen(f"has a capture {number} without a vantage")
    for field in ("first", "last"):
        if not _is_time(capture.get(field)):
            raise Misshapen(f"has a capture {number} whose {field} is no time")


def target(told: object) -> dict[str, Any]:
    """The target with what its version did not know. Raises Misshapen for one that cannot be used."""
    if not isinstance(told, dict):
        raise Misshapen("is no object")
    _typed(told, TARGET)
    if told.get("state") not in STATES or told.get("reach", "none") not in REACHES:
        raise Misshapen("has a state or reach that there is none of")
    for field in ("first", "last"):
        if not _is_time(told.get(field)):
            raise Misshapen(f"has a {field} that is no time")
    for field in ("worked", "failed"):
        span = told.get(field)
        if span is not None and (not isinstance(span, list) or len(span) != 2 or not all(map(_is_time, span))):
            raise Misshapen(f"has a {field} that is no pair of times")
    if (told["state"] == "blocked") != bool(told["mechanisms"]):
        raise Misshapen("is blocked without a mechanism, or has one and is not")
    if any(not isinstance(word, str) for field in ("endpoints", "next") for word in told[field]):
        raise Misshapen("has endpoints or steps that are no text")
    mechanisms = [_mechanism(m) for m in told["mechanisms"]]
    cause = told["cause"]
    if cause is not None and not _is_probability(cause.get("posterior")):
        raise Misshapen("has a cause without a probability")
    return {**LATER, "reach": "none", **told, "mechanisms": mechanisms}


def _mechanism(told: object) -> dict[str, Any]:
    if not isinstance(told, dict):
        raise Misshapen("has a mechanism that is no object")
    _typed(told, MECHANISM)
    if not _is_probability(told["posterior"]) or not NODE.fullmatch(told["mechanism"]):
        raise Misshapen("has a mechanism without a probability or a name")
    link = (told["location"] or {}).get("link")
    if link is not None and (not isinstance(link, list) or [type(hop) for hop in link] != [int, int]):
        raise Misshapen("has a mechanism on a link that is none")
    for match in told["injector"]:
        if not isinstance(match, dict) or not isinstance(match.get("name"), str):
            raise Misshapen("has an injector without a name")
    return {**LATER_OF_MECHANISM, **told}


def _typed(told: Mapping[str, Any], types: Mapping[str, tuple[type, ...]]) -> None:
    for field, allowed in types.items():
        if field not in told:
            raise Misshapen(f"lacks {field}")
        if not isinstance(told[field], allowed):
            raise Misshapen(f"has {field} of another kind than it must be")


def _is_time(told: object) -> bool:
    if told is None:
        return True
    if not isinstance(told, str) or not TIME.fullmatch(told):
        return False
    try:
        datetime.fromisoformat(told[:19])
    except ValueError:
        return False
    return True


def _is_probability(told: object) -> bool:
    return told is None or (isinstance(told, (int, float)) and 0 <= told <= 1)
