"""Patterns that are compared with text in linear time, whoever wrote them.

Regular expressions run on RE2 (BSD-3-Clause, no dependency, 5 ms to import), which never backtracks: time is linear in
the text and memory bounded, so that no imported pattern can hang an analysis. Python's own engine is never given one.
"""

from __future__ import annotations

from collections.abc import Callable

Pattern = Callable[[str], bool]

# What a compiled expression may take; RE2 refuses more, such as nested counted repetition. Sets have some thousands.
MOST_BYTES = 1 << 18
LONGEST_PATTERN_CHARS = 4096
# The shortest patterns of the published sets that say anything have five characters ("Olfeo", of a header).
SHORTEST_PATTERN_CHARS = 4
# What every page has says nothing about this one.
_ANY_PAGE = (
    '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Page</title><link rel="stylesheet" href="/a">'
    '<script src="/a.js"></script></head><body><div class="a" id="b"><h1>Page</h1><p>Words, and more words.</p>'
    '<a href="/b">more</a><img src="/c.png" alt=""></div></body></html>'
)


class UnusablePattern(ValueError):
    """Half a sentence about a row that cannot be used."""


def pattern(match: str, wanted: str) -> Pattern:
    """A comparison with the text. Raises UnusablePattern for a broken or too large expression, or without RE2."""
    if len(wanted) > LONGEST_PATTERN_CHARS:
        raise UnusablePattern(f"its pattern has {len(wanted)} characters, want {LONGEST_PATTERN_CHARS} at most")
    if not wanted.isprintable() and any("\ud800" <= c <= "\udfff" for c in wanted):
        raise UnusablePattern("its pattern holds half a character (a lone surrogate)")
    match match:
        case "full":
            return lambda text: text == wanted
        case "prefix":
            return lambda text: text.startswith(wanted)
        case "contains":
            return lambda text: wanted in text
        case _:
            return _expression(wanted)


def says_nothing(match: str, wanted: str) -> str | None:
    """Why a pattern of a stranger's set cannot tell one page from another, as half a sentence; None if it can."""
    if match == "full":
        return None
    if match != "regexp" and len(wanted.strip()) < SHORTEST_PATTERN_CHARS:
        return f"its pattern is shorter than {SHORTEST_PATTERN_CHARS} characters, and stands anywhere"
    compared = pattern(match, wanted)
    return "any page fits it, so that it says nothing" if compared(_ANY_PAGE) or compared("") else None


def _expression(wanted: str) -> Pattern:
    try:
        import re2
    except ImportError:
        raise UnusablePattern(
            "regular expressions need RE2; pip install 'censorship-fingerprint[signatures]'"
        ) from None
    options = re2.Options()
    options.log_errors, options.max_mem, options.dot_nl = False, MOST_BYTES, True
    try:
        compiled = re2.compile(wanted.encode(), options)
    except re2.error as error:
        said = error.args[0] if error.args else error
        raise UnusablePattern(f"its expression is broken ({_text(said)})") from None
    return lambda text: compiled.search(text.encode("utf-8", "replace")) is not None


def _text(said: object) -> str:
    return said.decode(errors="replace") if isinstance(said, bytes) else str(said)
