"""Tables of facts from the field: what is known beforehand, as versioned data that every report names.

One TOML file a table: ``version``, ``about``, and ``[[row]]``s. A table moves no threshold of any technique; it names
things (block pages, resolvers, trust anchors, injectors), and each row says where it is known from.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from hashlib import sha256
from importlib.resources import files
from types import MappingProxyType

from fingerprint.technique import Known, Table


@cache
def built_in() -> Known:
    """The tables that come with the tool, in alphabetical order."""
    return Known(tables=tuple(_tables()))


def _tables() -> Iterator[Table]:
    for file in sorted(files(__name__).iterdir(), key=lambda f: f.name):
        if file.name.endswith(".toml"):
            yield read(file.name.removesuffix(".toml"), file.read_bytes())


def read(name: str, content: bytes) -> Table:
    """A table from the bytes of its file."""
    told = tomllib.loads(content.decode())
    rows: list[Mapping[str, object]] = told.get("row", [])
    return Table(
        name=name,
        version=str(told["version"]),
        sha256=sha256(content).hexdigest(),
        rows=tuple(MappingProxyType(dict(row)) for row in rows),
    )
