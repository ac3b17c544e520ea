"""Reads tables of lines: CAIDA's pfx2as and iptoasn's TSV.

No object is kept a line; what cannot be read is counted and its first line named.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from socket import AF_INET, AF_INET6, inet_pton

import numpy as np

from fingerprint.networks import tables
from fingerprint.networks.network import MAPPED, MAPPED_BITS, Table

LARGEST_ASN = (1 << 32) - 1
# A file of which so many lines are no lines of its kind is another kind of file.
MOST_WRONG_RATIO = 0.5
# Lines from which the kind is told, within so many characters.
LOOKED_AT, BEGINNING_CHARS = 20, 100_000


@dataclass(slots=True)
class Wrong:
    """Lines that could not be read."""

    count: int = 0
    first: int = 0
    lines: int = 0

    def at(self, number: int) -> None:
        """One more."""
        self.count += 1
        self.first = self.first or number

    def told(self) -> tuple[str, ...]:
        """A sentence, if there is anything to say. Raises ValueError where most lines are wrong."""
        if self.count > MOST_WRONG_RATIO * self.lines or not self.lines:
            raise ValueError(f"{self.count} of its {self.lines} lines cannot be read")
        if not self.count:
            return ()
        which = f"line {self.first}" if self.count == 1 else f"{self.count} lines, the first of them line {self.first},"
        return (f"{which} of {self.lines} cannot be read and {'is' if self.count == 1 else 'are'} left out",)


Read = tuple[Table, tuple[str, ...]]


def kind(text: str) -> str | None:
    """``pfx2as`` or ``iptoasn``, by the first lines that are one or the other; None for anything else."""
    for _, line in islice(_lines(text[:BEGINNING_CHARS]), LOOKED_AT):
        match line.split("\t"):
            case [prefix, length, _] if _is_address(prefix) and length.isdecimal():
                return "pfx2as"
            case [first, last, origin, *_] if _is_address(first) and _is_address(last) and origin.isdecimal():
                return "iptoasn"
    return None


def _is_address(text: str) -> bool:
    try:
        _key(text)
    except OSError:
        return False
    return True


def _key(address: str) -> bytes:
    """16 bytes. Raises OSError for what is no address."""
    return inet_pton(AF_INET6, address) if ":" in address else MAPPED + inet_pton(AF_INET, address)


def pfx2as(text: str) -> Read:
    """CAIDA's prefixes: ``_`` between ASes that announce the same prefix, ``,`` between those of an AS set.

    Source: the data set's README (routeviews-prefix2as).
    """
    keys, bits, origins = bytearray(), array("B"), array("q")
    several: dict[tuple[int, ...], int] = {}
    wrong = Wrong()
    for number, line in _lines(text):
        wrong.lines += 1
        try:
            prefix, length, said = line.split("\t")
            key, size = _key(prefix), int(length) if length.isdecimal() else -1
            before = 0 if ":" in prefix else MAPPED_BITS
            origin = int(said) if said.isdecimal() else _several(said, several)
            if not before <= size + before <= tables.KEY_BITS or origin > LARGEST_ASN:
                raise ValueError  # noqa: TRY301  # counted below like every line that is none
        except (ValueError, OSError):
            wrong.at(number)
            continue
        keys += key
        bits.append(size + before)
        origins.append(origin)
    says = wrong.told()
    columns = np.frombuffer(bits, dtype=np.uint8), np.frombuffer(origins, dtype=np.int64)
    return tables.prefixes(keys, *columns, list(several)), says


def _several(said: str, known: dict[tuple[int, ...], int]) -> int:
    """``-1 - index`` of these origins, each once. Raises ValueError for what are none."""
    origins = tuple(dict.fromkeys(int(word) for word in said.replace("_", ",").split(",")))
    if not all(0 <= origin <= LARGEST_ASN for origin in origins):
        raise ValueError(said)
    return origins[0] if len(origins) == 1 else -1 - known.setdefault(origins, len(known))


def iptoasn(text: str) -> Read:
    """Ranges with both ends, the origin (0: nobody announces it), a country that is not used, and a description."""
    firsts, lasts, origins, names = bytearray(), bytearray(), array("q"), array("q")
    known: dict[str, int] = {}
    wrong = Wrong()
    for number, line in _lines(text):
        wrong.lines += 1
        try:
            first, last, said, *more = line.split("\t", 4)
            start, end, origin = _key(first), _key(last), int(said) if said.isdecimal() else -1
            if start > end or (":" in first) != (":" in last) or not 0 <= origin <= LARGEST_ASN:
                raise ValueError  # noqa: TRY301  # as above
        except (ValueError, OSError):
            wrong.at(number)
            continue
        firsts += start
        lasts += end
        origins.append(origin)
        names.append(known.setdefault(more[1] if len(more) > 1 else "", len(known)))
    says = wrong.told()
    columns = np.frombuffer(origins, dtype=np.int64), np.frombuffer(names, dtype=np.int64)
    return tables.ranges(firsts, lasts, *columns, list(known)), says


def _lines(text: str) -> Iterable[tuple[int, str]]:
    """Lines with their numbers; comments and empty ones are none."""
    for number, line in enumerate(text.split("\n"), 1):
        if line and line != "\r" and not line.startswith("#"):
            yield number, line.rstrip("\r")
