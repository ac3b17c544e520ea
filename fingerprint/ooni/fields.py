"""Fields of a measurement as they may be, or not: nobody has checked what a probe sent in."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

# df-000: times of a measurement are in UTC, to the second.
TIME_FORMAT = "%Y-%m-%d %H:%M:%S"
# OONI began in 2012; what is dated before is a clock that was never set.
FIRST_YEAR = 2012
SECOND_NS = 10**9
# RFC 1035 section 2.3.4: a name has at most 253 characters in text.
LONGEST_NAME = 253
# df-007: what a client had no word for, it wrote down in the words of its system. Ends of those that say only that
# there was no way to go, of Linux and macOS and of Windows; a measurement of 2020 in ooni/spec, ts-028, has the first.
UNKNOWN = "unknown_failure"
NO_WAY = {
    "no route to host": "host_unreachable",
    "unreachable host.": "host_unreachable",
    "network is unreachable": "network_unreachable",
    "unreachable network.": "network_unreachable",
}
# RFC 6052 section 2.1: the last 32 bits are the IPv4 address that a translator goes to.
NAT64 = ipaddress.ip_network("64:ff9b::/96")


def table(given: object) -> Mapping[str, Any]:
    """An object; an empty one for anything else."""
    return given if isinstance(given, dict) else {}


def rows(given: object) -> list[Mapping[str, Any]]:
    """The objects of a list; none for anything else."""
    return [row for row in given if isinstance(row, dict)] if isinstance(given, list) else []


def text(given: object) -> str | None:
    """Text that is not empty; bytes that df-001 writes as base64 are read as UTF-8, broken ones replaced."""
    if isinstance(given, str):
        return given or None
    if isinstance(given, dict) and given.get("format") == "base64" and isinstance(given.get("data"), str):
        try:
            return base64.b64decode(given["data"]).decode("utf-8", "replace") or None
        except (binascii.Error, ValueError):
            return None
    return None


def whole(given: object) -> int | None:
    """A whole number; None for anything else, truth values too."""
    return given if isinstance(given, int) and not isinstance(given, bool) else None


def seconds(given: object) -> float:
    """Seconds since the measurement began; 0 for what is none."""
    if isinstance(given, int | float) and not isinstance(given, bool) and math.isfinite(given):
        return min(max(float(given), 0.0), 86_400.0)
    return 0.0


def failure(given: object) -> str | None:
    """A failure of df-007: None where there was none; whatever is not text is an unknown one."""
    if given is None or given is False or given == "":
        return None
    if not isinstance(given, str):
        return UNKNOWN
    if given.startswith(UNKNOWN):
        return next((word for end, word in NO_WAY.items() if given.endswith(end)), given)
    return given


def time_ns(given: object) -> int:
    """Nanoseconds since the epoch. Raises ValueError for what is no time, or from before there was OONI."""
    if not isinstance(given, str):
        raise ValueError("it does not say when it was measured")  # noqa: TRY004  # one kind of error for a line
    try:
        at = datetime.strptime(given.removesuffix("Z").replace("T", " ")[:19], TIME_FORMAT).replace(tzinfo=UTC)
    except ValueError:
        raise ValueError(f"its time is {given[:40]!r}") from None
    if at.year < FIRST_YEAR:
        raise ValueError(f"its time is {given[:40]!r}, from before there was OONI")
    return round(at.timestamp()) * SECOND_NS


def asn(given: object) -> int | None:
    """The number of an AS; None for ``AS0``, by which a probe withholds it, and for anything else."""
    digits = given[2:] if isinstance(given, str) and given[:2].upper() == "AS" else ""
    number = int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 10 else 0
    return number if 0 < number < 1 << 32 else None


def country(given: object) -> str | None:
    """ISO 3166-1 alpha-2 in upper case; None for ``ZZ``, by which a probe withholds it."""
    code = given.upper() if isinstance(given, str) else ""
    return code if len(code) == 2 and code.isascii() and code.isalpha() and code != "ZZ" else None


def address(given: object) -> str | None:
    """An IP address as it is commonly written; None for anything else (``[scrubbed]`` too)."""
    return _address(given) if isinstance(given, str) else None


@lru_cache(maxsize=65_536)
def _address(given: str) -> str | None:
    try:
        return ipaddress.ip_address(given.strip("[]")).compressed
    except ValueError:
        return None


def beyond_nat64(where: str) -> str:
    """The IPv4 address behind one that DNS64 made of it; any other address itself."""
    ip = ipaddress.ip_address(where)
    return str(ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)) if ip in NAT64 else where


def endpoint(given: object) -> tuple[str, int] | None:
    """Address and port of ``1.2.3.4:443`` or ``[2001:db8::1]:443``."""
    host, _, port = given.rpartition(":") if isinstance(given, str) else ("", "", "")
    where = address(host)
    return (where, int(port)) if where and port.isascii() and port.isdigit() and int(port) < 1 << 16 else None


def written(where: str, port: int) -> str:
    """An endpoint as OONI and our reports write it: an IPv6 address in brackets."""
    return f"[{where}]:{port}" if ":" in where else f"{where}:{port}"


def name(given: object) -> str | None:
    """A host name in lower case as an A-label without its final dot, or an address; None for what is neither."""
    if not isinstance(given, str) or not given:
        return None
    if where := address(given):
        return where
    try:
        host = given.rstrip(".").lower()
        host = host if host.isascii() else host.encode("idna").decode("ascii")
    except UnicodeError:
        return None
    fits = 0 < len(host) <= LONGEST_NAME and all(c.isalnum() or c in "-._" for c in host)
    return host if fits else None


def url(given: object) -> tuple[str, str, int | None, str] | None:
    """Scheme, host, port and path of a URL; None for what is none."""
    try:
        parts = urlsplit(given) if isinstance(given, str) else urlsplit("")
        host = name(parts.hostname)
        return (parts.scheme.lower(), host, parts.port, parts.path) if host else None
    except ValueError:
        return None
