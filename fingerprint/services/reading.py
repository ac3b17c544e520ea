"""From the bytes of a file to a service. What does not read as one is refused as a whole, and the row named."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from datetime import UTC, date, datetime
from hashlib import sha256
from ipaddress import ip_address
from typing import Any, TypeVar

from fingerprint.services.model import ANY, CARRIED, PROTOCOLS, Endpoint, Service
from fingerprint.services.roles import CONTROL, ROLES

# No dot, so that it cannot be a host that anybody means.
ID = re.compile(r"[a-z0-9][a-z0-9-]{0,40}")
LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
STANDINGS = ("read", "memory")
TOP = {"id", "title", "version", "about", "kind", "sensitive", "endpoint", "controls"}
ROW = {"role", "name", "port", "protocol", "path", "from", "until", "source", "standing", "probe"}
HTTPS = 443
KINDS = {bool: "true or false", str: "a text", list: "a list", dict: "a table", date: "a day such as 2021-03-31"}
T = TypeVar("T")


def read(content: bytes, *, own: bool = False) -> Service:
    """A service from the bytes of its file. Raises ValueError for what is none."""
    told = tomllib.loads(content.decode())
    unknown = sorted(set(told) - TOP)
    if unknown:
        raise ValueError(f"there is no field {', '.join(unknown)}")
    name = _text(told, "id")
    if not ID.fullmatch(name):
        raise ValueError(f"id {name!r}: want small letters, digits and hyphens")
    rows, controls = _a(list, told, "endpoint"), _a(dict, told, "controls", {})
    if not rows:
        raise ValueError("it wants [[endpoint]]s")
    return Service(
        id=name,
        title=_text(told, "title"),
        version=_text(told, "version"),
        about=_text(told, "about"),
        kind=_text(told, "kind"),
        sensitive=_a(bool, told, "sensitive"),
        endpoints=tuple(_endpoint(row, f"endpoint {i}") for i, row in enumerate(rows, start=1)),
        controls=_hosts(controls, "generic"),
        neighbours=_hosts(controls, "neighbours"),
        sha256=sha256(content).hexdigest(),
        own=own,
    )


def _endpoint(row: object, where: str) -> Endpoint:
    try:
        return _read_endpoint(_a(dict, {where: row}, where))
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None


def _read_endpoint(row: Mapping[str, Any]) -> Endpoint:
    if unknown := sorted(set(row) - ROW):
        raise ValueError(f"there is no field {', '.join(unknown)}")
    role, protocol, standing = _text(row, "role"), row.get("protocol", "tcp"), _text(row, "standing")
    name, probe, path = host(_text(row, "name")), _a(bool, row, "probe", default=False), row.get("path")
    from_ns, until_ns = _day(row, "from"), _day(row, "until")
    if role not in ROLES or role == CONTROL:
        raise ValueError(f"there is no role {role}; choose from {', '.join(r for r in ROLES if r != CONTROL)}")
    if protocol not in CARRIED:
        raise ValueError(f"protocol {protocol}: choose from {', '.join(PROTOCOLS)}")
    if standing not in STANDINGS:
        raise ValueError(f"standing {standing}: choose from {', '.join(STANDINGS)}")
    if from_ns is not None and until_ns is not None and from_ns >= until_ns:
        raise ValueError("it ends before it begins")
    if path is not None and not (isinstance(path, str) and path.startswith("/")):
        raise ValueError(f"path {path}: want one that begins with /")
    ports = _ports(row.get("port", HTTPS))
    if probe and (name.startswith(ANY) or protocol != "tcp" or ports[0] != ports[1]):
        raise ValueError("only one name, at one port, over tcp can be probed")
    return Endpoint(
        role=role,
        name=name,
        ports=ports,
        protocol=protocol,
        path=path,
        from_ns=from_ns,
        until_ns=until_ns,
        source=_text(row, "source"),
        standing=standing,
        probe=probe,
    )


def host(text: str) -> str:
    """A host's name or address as it is compared, or a pattern. Raises ValueError for what is none."""
    try:
        return str(ip_address(text))
    except ValueError:
        name = text.lower().removesuffix(".")
    labels = name.removeprefix(ANY).split(".")
    if len(labels) < 2 or not all(LABEL.fullmatch(label) for label in labels):
        raise ValueError(f"{text}: want a host in A-labels, an address, or *.suffix")
    return name


def day_ns(day: date) -> int:
    """The first instant of a day, UTC, in nanoseconds since the epoch."""
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 10**9


def _day(row: Mapping[str, Any], key: str) -> int | None:
    value = row.get(key)
    if value is None:
        return None
    if isinstance(value, str):
        value = date.fromisoformat(value)
    if isinstance(value, datetime):
        raise ValueError(f"{key}: want a day without a time, such as 2021-03-31")  # noqa: TRY004  # the file is wrong
    return day_ns(_a(date, {key: value}, key))


def _ports(value: object) -> tuple[int, int]:
    """``443`` or ``"8801-8810"``."""
    match = re.fullmatch(r"(\d{1,5})(?:-(\d{1,5}))?", str(value)) if not isinstance(value, bool) else None
    low, high = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
    if not 0 < low <= high < 65536:
        raise ValueError(f'port {value}: want a number from 1 to 65535, or "first-last"')
    return low, high


def _hosts(told: Mapping[str, Any], key: str) -> tuple[str, ...]:
    found = tuple(host(str(name)) for name in _a(list, told, key, []))
    if any(n.startswith(ANY) for n in found):
        raise ValueError(f"controls.{key}: want hosts, no patterns")
    return found


def _text(told: Mapping[str, Any], key: str) -> str:
    if text := _a(str, told, key, "").strip():
        return text
    raise ValueError(f"{key} is missing")


def _a(kind: type[T], told: Mapping[str, Any], key: str, default: object = None) -> T:
    """What stands under a key, if it is of that kind. Raises ValueError otherwise: it is the file that is wrong."""
    value = told.get(key, default)
    if not isinstance(value, kind):
        raise ValueError(f"{key}: want {KINDS[kind]}")  # noqa: TRY004
    return value
