"""What the fields of a service's file may hold. Whatever else stands there is the file's fault: ValueError."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any, TypeVar

from fingerprint.services.model import ANY, CARRIED, PROTOCOLS
from fingerprint.services.roles import CONTROL, ROLES

LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
STANDINGS = ("read", "memory")
KINDS = {bool: "true or false", str: "a text", list: "a list", dict: "a table", date: "a day such as 2021-03-31"}
T = TypeVar("T")


def a(kind: type[T], told: Mapping[str, Any], key: str, default: object = None) -> T:
    """What stands under a key, if it is of that kind."""
    value = told.get(key, default)
    if not isinstance(value, kind):
        raise ValueError(f"{key}: want {KINDS[kind]}")  # noqa: TRY004  # it is the file that is wrong
    return value


def text(told: Mapping[str, Any], key: str) -> str:
    """A text that is not empty."""
    if found := a(str, told, key, "").strip():
        return found
    raise ValueError(f"{key} is missing")


def only(row: Mapping[str, Any], known: Collection[str]) -> None:
    """Refuses fields that nobody knows."""
    if unknown := sorted(set(row).difference(known)):
        raise ValueError(f"there is no field {', '.join(unknown)}")


def dated(row: Mapping[str, Any]) -> dict[str, Any]:
    """``from``, ``until``, ``source`` and ``standing``, as `fingerprint.services.model.Dated` has them."""
    from_ns, until_ns, standing = _day(row, "from"), _day(row, "until"), text(row, "standing")
    if standing not in STANDINGS:
        raise ValueError(f"standing {standing}: choose from {', '.join(STANDINGS)}")
    if from_ns is not None and until_ns is not None and from_ns >= until_ns:
        raise ValueError("it ends before it begins")
    return {"from_ns": from_ns, "until_ns": until_ns, "source": text(row, "source"), "standing": standing}


def role(row: Mapping[str, Any]) -> str:
    """One of the vocabulary; ``control`` is no matter of a table."""
    found = text(row, "role")
    if found not in ROLES or found == CONTROL:
        raise ValueError(f"there is no role {found}; choose from {', '.join(r for r in ROLES if r != CONTROL)}")
    return found


def protocol(row: Mapping[str, Any]) -> str:
    """``tcp`` if nothing is said."""
    found = row.get("protocol", "tcp")
    if found not in CARRIED:
        raise ValueError(f"protocol {found}: choose from {', '.join(PROTOCOLS)}")
    return str(found)


def ports(row: Mapping[str, Any], default: object) -> tuple[int, int]:
    """First and last of ``443`` or ``"8801-8810"``."""
    value = row.get("port", default)
    match = re.fullmatch(r"(\d{1,5})(?:-(\d{1,5}))?", str(value)) if not isinstance(value, bool) else None
    low, high = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
    if not 0 < low <= high < 65536:
        raise ValueError(f'port {value}: want a number from 1 to 65535, or "first-last"')
    return low, high


def host(said: str) -> str:
    """A host's name or address as it is compared, or a pattern."""
    try:
        return str(ip_address(said))
    except ValueError:
        name = said.lower().removesuffix(".")
    labels = name.removeprefix(ANY).split(".")
    if len(labels) < 2 or not all(LABEL.fullmatch(label) for label in labels):
        raise ValueError(f"{said}: want a host in A-labels, an address, or *.suffix")
    return name


def hosts(told: Mapping[str, Any], key: str) -> tuple[str, ...]:
    """Names of controls."""
    found = tuple(host(str(name)) for name in a(list, told, key, []))
    if any(n.startswith(ANY) for n in found):
        raise ValueError(f"controls.{key}: want hosts, no patterns")
    return found


def networks(row: Mapping[str, Any]) -> tuple[IPv4Network | IPv6Network, ...]:
    """One or more prefixes."""
    try:
        found = tuple(ip_network(prefix) for prefix in a(list, row, "networks"))
    except ValueError as error:
        raise ValueError(f"networks: {error}; want prefixes such as 192.0.2.0/24") from None
    if not found:
        raise ValueError("networks: want at least one prefix")
    return found


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
        raise ValueError(f"{key}: want a day without a time, such as 2021-03-31")  # noqa: TRY004  # as above
    return day_ns(a(date, {key: value}, key))
