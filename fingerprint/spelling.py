"""What somebody may have meant who typed a name that does not exist."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

# difflib's ratio: 1 for the same. Two letters swapped in a word of six give 0.83, one missing of six 0.91.
LIKENESS = 0.7


def meant(word: str, known: Iterable[str]) -> str:
    """``did you mean twitter?``, or nothing where no name is near; at most three names, nearest first."""
    names = list(dict.fromkeys(known))
    near = get_close_matches(word.lower(), names, 3, LIKENESS)
    near += [name for name in names if len(word) > 2 and word.lower() in name.split(".") and name not in near]
    return f"did you mean {' or '.join(near[:3])}?" if near else ""
