"""From the bytes of a file to a service. What does not read as one is refused as a whole, and the row named."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any, TypeVar

from fingerprint.services import fields
from fingerprint.services.model import ANY, Endpoint, Owner, Range, Service

# No dot, so that it cannot be a host that anybody means.
ID = re.compile(r"[a-z0-9][a-z0-9-]{0,40}")
DATED = {"from", "until", "source", "standing"}
TOP = {"id", "title", "version", "about", "kind", "sensitive", "endpoint", "range", "owner", "controls"}
ENDPOINT = {"role", "name", "port", "protocol", "path", "probe", *DATED}
RANGE = {"role", "networks", "port", "protocol", *DATED}
OWNER = {"name", *DATED}
HTTPS = 443
Row = TypeVar("Row")


def read(content: bytes, *, own: bool = False) -> Service:
    """A service from the bytes of its file. Raises ValueError for what is none."""
    told = tomllib.loads(content.decode())
    fields.only(told, TOP)
    name = fields.text(told, "id")
    if not ID.fullmatch(name):
        raise ValueError(f"id {name!r}: want small letters, digits and hyphens")
    if not fields.a(list, told, "endpoint"):
        raise ValueError("it wants [[endpoint]]s")
    controls = fields.a(dict, told, "controls", {})
    return Service(
        id=name,
        title=fields.text(told, "title"),
        version=fields.text(told, "version"),
        about=fields.text(told, "about"),
        kind=fields.text(told, "kind"),
        sensitive=fields.a(bool, told, "sensitive"),
        endpoints=_rows(told, "endpoint", _endpoint),
        ranges=_rows(told, "range", _range),
        owners=_rows(told, "owner", _owner),
        controls=fields.hosts(controls, "generic"),
        neighbours=fields.hosts(controls, "neighbours"),
        sha256=sha256(content).hexdigest(),
        own=own,
    )


def _rows(told: Mapping[str, Any], key: str, made: Callable[[Mapping[str, Any]], Row]) -> tuple[Row, ...]:
    """The rows of a kind; an error names the one that is wrong."""
    rows = []
    for number, row in enumerate(fields.a(list, told, key, []), start=1):
        where = f"{key} {number}"
        try:
            rows.append(made(fields.a(dict, {where: row}, where)))
        except ValueError as error:
            raise ValueError(f"{where}: {error}") from None
    return tuple(rows)


def _endpoint(row: Mapping[str, Any]) -> Endpoint:
    fields.only(row, ENDPOINT)
    name, path = fields.host(fields.text(row, "name")), row.get("path")
    probe = fields.a(bool, row, "probe", default=False)
    protocol, ports = fields.protocol(row), fields.ports(row, HTTPS)
    if path is not None and not (isinstance(path, str) and path.startswith("/")):
        raise ValueError(f"path {path}: want one that begins with /")
    if probe and (name.startswith(ANY) or protocol != "tcp" or ports[0] != ports[1]):
        raise ValueError("only one name, at one port, over tcp can be probed")
    return Endpoint(
        role=fields.role(row), name=name, ports=ports, protocol=protocol, path=path, probe=probe, **fields.dated(row)
    )


def _range(row: Mapping[str, Any]) -> Range:
    fields.only(row, RANGE)
    found = Range(
        role=fields.role(row),
        networks=fields.networks(row),
        ports=fields.ports(row, None),
        protocol=fields.protocol(row),
        **fields.dated(row),
    )
    if found.from_ns is None:
        raise ValueError("from is missing; addresses change hands, so say since when it is known")
    return found


def _owner(row: Mapping[str, Any]) -> Owner:
    fields.only(row, OWNER)
    return Owner(name=fields.text(row, "name"), **fields.dated(row))
