"""A vantage as fields of a file or of a document, checked.

The one place that knows what may stand in each field. What is wrong is one sentence, so that whoever wrote a sidecar
can mend it; nothing is guessed, and nothing that does not fit is passed over.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from fingerprint.vantages.vantage import Clock, Vantage

WORDS = ("name", "provider", "place", "note", "simulated")
FIELDS = ("name", "provider", "asn", "country", "place", "note", "clock", "simulated")
CLOCK_FIELDS = ("offset_s", "error_s", "source")
# RFC 6793 section 3: AS numbers have four octets; RFC 7607: zero is nobody's.
LARGEST_ASN = (1 << 32) - 1
# A note is a sentence or two; whatever is longer is another file by mistake.
LONGEST_WORD = 2000


def vantage(told: Mapping[str, Any], *, strict: bool = True) -> Vantage:
    """The vantage of these fields; what is missing or null is None. Raises ValueError for what does not fit.

    ``strict`` refuses fields that do not exist, as slips of a pen; documents of later versions may have more.
    """
    if strict:
        refuse_strangers(told, FIELDS, "a vantage")
    return Vantage(
        **{field: word(field, told.get(field)) for field in WORDS},
        asn=asn(told.get("asn")),
        country=country(told.get("country")),
        clock=clock(told.get("clock"), strict=strict),
    )


def refuse_strangers(told: Mapping[str, Any], known: tuple[str, ...], of: str) -> None:
    """Raises ValueError for a field that does not exist."""
    for field in told:
        if field not in known:
            raise ValueError(f"{of} has no field {field!r}; choose from {', '.join(known)}")


def word(field: str, given: object) -> str | None:
    """Text, without white space around it; None for none. Raises ValueError for anything else."""
    if given is None:
        return None
    if not isinstance(given, str):
        raise ValueError(f"{field} is {given!r}; want text")  # noqa: TRY004  # one kind of error for a field
    text = given.strip()
    if not text:
        raise ValueError(f"{field} is empty; leave it out")
    if len(text) > LONGEST_WORD:
        raise ValueError(f"{field} has {len(text)} characters; want at most {LONGEST_WORD}")
    return text


def asn(given: object) -> int | None:
    """An AS number, as a number or as ``AS64500``. Raises ValueError for anything else."""
    if given is None:
        return None
    number = given if type(given) is int else 0
    if isinstance(given, str) and (
        match := re.fullmatch(r"(?:AS)?(\d{1,10})", given.strip(), re.IGNORECASE | re.ASCII)
    ):
        number = int(match[1])
    if not 0 < number <= LARGEST_ASN:
        raise ValueError(f"asn is {given!r}; want a number such as 64500")
    return number


def country(given: object) -> str | None:
    """A country's two letters, in upper case. Raises ValueError for anything else."""
    if given is None:
        return None
    if not isinstance(given, str) or not re.fullmatch(r"[A-Za-z]{2}", given.strip(), re.ASCII):
        raise ValueError(f"country is {given!r}; want two letters (ISO 3166-1), for example PK")
    return given.strip().upper()


def clock(given: object, *, strict: bool = True) -> Clock:
    """The clock's offset and error in seconds. Raises ValueError for anything else."""
    if given is None:
        return Clock()
    if not isinstance(given, Mapping):
        raise ValueError(f"clock is {given!r}; want a table with {', '.join(CLOCK_FIELDS)}")  # noqa: TRY004  # as above
    if strict:
        refuse_strangers(given, CLOCK_FIELDS, "a clock")
    error_s = seconds("clock.error_s", given.get("error_s"))
    if error_s is not None and error_s < 0:
        raise ValueError(f"clock.error_s is {error_s:g}; want seconds, either way, not below zero")
    return Clock(
        offset_s=seconds("clock.offset_s", given.get("offset_s")) or 0.0,
        error_s=error_s,
        source=word("clock.source", given.get("source")),
    )


def seconds(field: str, given: object) -> float | None:
    """A finite number; None for none. Raises ValueError for anything else."""
    if given is None:
        return None
    if isinstance(given, bool) or not isinstance(given, int | float) or not math.isfinite(given):
        raise ValueError(f"{field} is {given!r}; want a number of seconds")
    return float(given)
