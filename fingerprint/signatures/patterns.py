"""Patterns that are compared with text in linear time, whoever wrote them.

Regular expressions run on RE2 (BSD-3-Clause, no dependency, 5 ms to import), which never backtracks: time is linear in
the text and memory bounded, so that no imported pattern can hang an analysis. Python's own engine is never given one.
"""

from __future__ import annotations

from collections.abc import Callable

Pattern = Callable[[str], bool]

# What a compiled expression may take; RE2 refuses more, such as nested counted repetition.
MOST_BYTES = 1 << 20
LONGEST_PATTERN_CHARS = 4096


class UnusablePattern(ValueError):
    """Half a sentence about a row that cannot be used."""


def pattern(match: str, wanted: str) -> Pattern:
    """A comparison with the text. Raises UnusablePattern for a broken or too large expression, or without RE2."""
    if len(wanted) > LONGEST_PATTERN_CHARS:
        raise UnusablePattern(f"its pattern has {len(wanted)} characters, want {LONGEST_PATTERN_CHARS} at most")
    match match:
        case "full":
            return lambda text: text == wanted
        case "prefix":
            return lambda text: text.startswith(wanted)
        case "contains":
            return lambda text: wanted in text
        case _:
            return _expression(wanted)


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
        compiled = re2.compile(wanted, options)
    except re2.error as error:
        said = error.args[0] if error.args else error
        raise UnusablePattern(f"its expression is broken ({_text(said)})") from None
    return lambda text: compiled.search(text) is not None


def _text(said: object) -> str:
    return said.decode(errors="replace") if isinstance(said, bytes) else str(said)
