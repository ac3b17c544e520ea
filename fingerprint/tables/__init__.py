"""Tables of facts from the field: what is known beforehand, as versioned data that every report names.

One TOML file a table: ``version``, ``about``, and ``[[row]]``s. A table moves no threshold of any technique; it names
things (block pages, resolvers, trust anchors, injectors), and each row says where it is known from. Users add their own
beside ours: ``blockpages-yours.toml`` in `folder` counts wherever ``blockpages`` does.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType

from fingerprint.technique import Known, Table

# Names another folder of tables, for tests and for several sets beside each other; empty for none.
VARIABLE = "FINGERPRINT_TABLES"


@cache
def built_in() -> Known:
    """The tables that come with the tool, in alphabetical order."""
    return Known(tables=tuple(_ours()))


def _ours() -> Iterator[Table]:
    for file in sorted(files(__name__).iterdir(), key=lambda f: f.name):
        if file.name.endswith(".toml"):
            yield read(file.name.removesuffix(".toml"), file.read_bytes())


def folder() -> Path | None:
    """Where the user's own tables lie (XDG base directory specification); None where that is switched off."""
    named = os.environ.get(VARIABLE)
    if named is not None:
        return Path(named) if named else None
    home = os.environ.get("XDG_DATA_HOME") or Path("~/.local/share").expanduser()
    return Path(home) / "fingerprint" / "tables"


@cache
def at_hand() -> tuple[Known, tuple[tuple[str, str], ...]]:
    """Our tables and the user's, and (file, sentence) for each of the user's that cannot be used."""
    mine, complaints = [], []
    known = {table.name for table in built_in().tables}
    for file in _theirs():
        try:
            table = read(file.stem, file.read_bytes())
        except (OSError, ValueError) as error:
            complaints.append((file.name, f"{error}; mend the table or remove it"))
            continue
        if table.name in known:
            says = f"a table of ours has this name; call it {table.name}-something"
            complaints.append((file.name, says))
        elif table.name.partition("-")[0] not in known:
            complaints.append(
                (file.name, f"nothing asks for it; its name begins with one of {', '.join(sorted(known))}")
            )
        else:
            mine.append(table)
    return Known(tables=(*built_in().tables, *mine)), tuple(complaints)


def _theirs() -> tuple[Path, ...]:
    at = folder()
    try:
        return tuple(sorted(at.glob("*.toml"))) if at else ()
    except OSError:
        return ()


def read(name: str, content: bytes) -> Table:
    """A table from the bytes of its file. Raises ValueError for what is none."""
    told = tomllib.loads(content.decode())
    rows: list[Mapping[str, object]] = told.get("row", [])
    if "version" not in told or not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ValueError("it wants a version and [[row]]s")
    return Table(
        name=name,
        version=str(told["version"]),
        sha256=sha256(content).hexdigest(),
        rows=tuple(MappingProxyType(dict(row)) for row in rows),
    )
