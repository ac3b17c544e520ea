"""A network as a table has it, and the table with its date."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Protocol

# FIELD practice: origins of prefixes change within weeks; a month apart is the most that is not worth a word.
MOST_DAYS_APART = 30
# How a date is known, best first.
BY_OPTION, BY_METADATA, BY_NAME, BY_FILE_TIME = "option", "metadata", "name", "file time"
# RFC 4291 section 2.5.5.2: where IPv4 addresses lie among those of IPv6.
MAPPED = b"\0" * 10 + b"\xff\xff"
MAPPED_BITS = 96


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """The longest announced prefix that holds an address.

    ``asn`` is None where several announce it; then ``origins`` has them all, in the order of the table. Of a table of
    ranges ``prefix`` is the range, as a prefix where it is one, else ``first-last``.
    """

    asn: int | None
    prefix: str
    name: str | None = None
    origins: tuple[int, ...] = ()


class Table(Protocol):
    """What a file has been made into."""

    def find(self, key: bytes) -> Network | None:
        """The network of an address of 16 bytes, those of IPv4 mapped; None for one that nobody announces."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Networks:
    """A table, where it is from and how old it is. ``complaints`` are sentences about what could not be read of it."""

    file: str
    sha256: str
    dated: date | None
    dated_by: str | None
    table: Table
    complaints: tuple[str, ...] = ()

    def of(self, address: str) -> Network | None:
        """The network of an address; None where the table has none, or it is no address."""
        key = key_of(address)
        return None if key is None else self.table.find(key)

    @property
    def version(self) -> str:
        """Its date, and a word where that is worth little."""
        if self.dated is None:
            return "undated"
        return f"{self.dated.isoformat()}{' (by its file time)' if self.dated_by == BY_FILE_TIME else ''}"

    @property
    def entry(self) -> tuple[str, str, str]:
        """As reports list their tables: name, version, SHA-256."""
        return "networks", self.version, self.sha256

    def too_far_from(self, at_ns: int | None) -> str | None:
        """The complaint about a table that is of another time than something seen then; None if it will do."""
        if self.dated is None or at_ns is None:
            return None
        days = abs((datetime.fromtimestamp(at_ns / 1e9, UTC).date() - self.dated).days)
        if days <= MOST_DAYS_APART:
            return None
        return f"AS numbers are from {self.version}, {days} days from this capture; networks change hands within weeks"


def key_of(address: str) -> bytes | None:
    """An address as 16 bytes, whatever its family; None for what is none."""
    try:
        read = ip_address(address.partition("%")[0])
    except ValueError:
        return None
    return read.packed if isinstance(read, IPv6Address) else MAPPED + read.packed


def address_of(key: bytes) -> IPv4Address | IPv6Address:
    """The address of such a key."""
    return IPv4Address(key[12:]) if key.startswith(MAPPED) else IPv6Address(key)


def prefix_of(key: bytes, bits: int) -> str:
    """A prefix as people write it; ``bits`` counts from the start of the key."""
    first = address_of(key)
    return f"{first}/{bits - MAPPED_BITS if first.version == 4 else bits}"
