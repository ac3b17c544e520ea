"""Puts the demo's own output into README.md, between its markers."""

from __future__ import annotations

import io
import sys
from pathlib import Path

from fingerprint import demonstration

README = Path(__file__).resolve().parents[1] / "README.md"
BEGIN, END = "<!-- demo: begin -->", "<!-- demo: end -->"


def said() -> str:
    """What ``fingerprint demo`` prints, without what to try next: the README says that itself."""
    real, sys.stdout = sys.stdout, io.StringIO()
    try:
        demonstration.show()
        return sys.stdout.getvalue().split("\nTry next:")[0].strip()
    finally:
        sys.stdout = real


def pasted(readme: str) -> str:
    """The README with today's demo."""
    before, _, rest = readme.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n```text\n{said()}\n```\n{END}{after}"


if __name__ == "__main__":
    README.write_text(pasted(README.read_text()))
