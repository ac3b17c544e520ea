"""Puts the demo's own output into README.md, between its markers."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path
from tempfile import TemporaryDirectory

from fingerprint.verbs import demonstration

README = Path(__file__).resolve().parents[1] / "README.md"
BEGIN, END = "<!-- demo: begin -->", "<!-- demo: end -->"


def said() -> str:
    """What ``fingerprint demo`` prints, without what to try next: the README says that itself."""
    said = io.StringIO()
    with TemporaryDirectory() as folder, contextlib.chdir(folder), contextlib.redirect_stdout(said):
        demonstration.show()
    return said.getvalue().split("\nTry next:")[0].strip()


def pasted(readme: str) -> str:
    """The README with today's demo."""
    before, _, rest = readme.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n```text\n{said()}\n```\n{END}{after}"


if __name__ == "__main__":
    README.write_text(pasted(README.read_text()))
