"""The one door to the terminal. Names in packets are chosen by strangers, so nothing passes it unsanitised.

A hostile SNI can carry escape sequences, line breaks or characters that reverse the reading direction; they are shown
as visible escapes. `clean` comes before any markup, and text is never parsed as markup: it is put into `Text` objects.
"""

from __future__ import annotations

import os
import re
import sys
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

# ECMA-48: C0 and DEL and C1 steer a terminal. Unicode UAX 9: explicit bidirectional controls reorder what is read.
# U+2028 and U+2029 break lines; U+FEFF and U+200B-U+200F are invisible; lone surrogates cannot be encoded.
STEERING = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
)
# Piped text is laid out as for a terminal of this width.
PLAIN_WIDTH = 100
# Longer lines are hard to read, however wide the terminal is.
WIDEST = 120


def clean(text: str) -> str:
    """The text with every character that could steer a terminal made visible; tabs and line breaks too."""
    return STEERING.sub(visible, text)


def visible(match: re.Match[str]) -> str:
    r"""``\x1b`` for ESC, ``\u202e`` for the right-to-left override."""
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def console(out: IO[str] | None = None) -> Console:
    """A console that colours on a terminal only, honours NO_COLOR, and never reads markup or guesses at highlights."""
    from rich.console import Console

    out = out or sys.stdout
    on_terminal = out.isatty()
    made = Console(
        file=out,
        markup=False,
        highlight=False,
        emoji=False,
        soft_wrap=False,
        no_color=bool(os.environ.get("NO_COLOR")) or not on_terminal,
        color_system="auto" if on_terminal else None,
        force_terminal=on_terminal,
        width=None if on_terminal else PLAIN_WIDTH,
    )
    made.width = min(made.width, WIDEST)
    return made


def hang(to: Console, label: str, words: str, style: str = "") -> None:
    """A label and a text that hangs beside it, cleaned, wrapped under itself, with no blanks at the ends of lines."""
    from rich.text import Text

    lines = Text(clean(words), style).wrap(to, max(20, to.width - len(label)), overflow="fold")
    for n, line in enumerate(lines):
        line.rstrip()
        to.print(Text(" " * len(label) if n else label).append_text(line), soft_wrap=True)


def complain(sentence: str) -> None:
    """One sanitised line to standard error."""
    sys.stderr.write(f"fingerprint: {clean(sentence)}\n")


def ascii_only(out: IO[str]) -> bool:
    """Whether the stream cannot carry the symbols that a report uses."""
    try:
        "✗✓→–".encode(getattr(out, "encoding", None) or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return True
    return False
