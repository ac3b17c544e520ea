"""Puts an imported set where the tables of the user lie, and says what came of it."""

from __future__ import annotations

import re
from pathlib import Path

from captures.errors import TargetError
from fingerprint import exits, tables
from fingerprint.signatures.importing import imported
from fingerprint.terminal import clean, complain

# Of rows that are left out so many are named one by one.
TOLD = 10


def keep(file: Path, name: str | None) -> int:
    """Write the table. Raises TargetError if the file is no set of signatures, or there is no place for the table."""
    folder = tables.folder()
    if folder is None:
        raise TargetError(f"{tables.VARIABLE} is empty, so no table is kept; set it to a folder or unset it")
    word = re.sub(r"[^a-z0-9]+", "-", (name or file.stem).lower()).strip("-")
    if not word:
        raise TargetError(f"--name {name}: want letters or digits")
    made = imported(file)
    for says in made.complaints[:TOLD]:
        complain(says)
    if len(made.complaints) > TOLD:
        complain(f"and {len(made.complaints) - TOLD} more rows like these were left out")
    if not made.rows:
        raise TargetError(f"{file.name}: no row of it can be used; see above")
    where = folder / f"blockpages-{word}.toml"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        beside = where.with_suffix(".new")
        beside.write_text(made.toml, encoding="utf-8")
        beside.replace(where)
    except OSError as error:
        raise TargetError(f"{where}: {error.strerror}; name another folder in {tables.VARIABLE}") from None
    print(clean(f"{made.rows} signatures in {where}"))  # noqa: T201  # the answer
    print("Next: every analysis uses them and names the table; remove the file to forget them.")  # noqa: T201
    return exits.ANSWERED
