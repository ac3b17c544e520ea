"""Prefixes and ranges in sorted columns: a million take some tens of megabytes, and a look-up some microseconds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fingerprint.networks.network import Network, address_of, prefix_of

# An address as a fixed string of bytes: numpy orders them as numbers are ordered. It strips zeros from the end of what
# it hands out, so keys are filled up again before they are compared.
KEY = np.dtype("S16")
KEY_BITS = 128
KEY_BYTES = 16


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Prefixes:
    """The prefixes of each length apart. An origin below zero stands for several: ``-1 - index`` into ``several``."""

    # Bits from the start of the key, longest first, with networks in order and the origin of each.
    lengths: tuple[tuple[int, NDArray[np.bytes_], NDArray[np.int64]], ...]
    several: Sequence[tuple[int, ...]]

    def find(self, key: bytes) -> Network | None:
        """By the longest prefix that holds it; nothing is there for what AS 0 announces (RFC 7607)."""
        number = int.from_bytes(key)
        for bits, networks, origins in self.lengths:
            masked = ((number >> (KEY_BITS - bits)) << (KEY_BITS - bits)).to_bytes(KEY_BYTES)
            at = int(np.searchsorted(networks, masked))
            if at < len(networks) and filled(networks[at]) == masked:
                return self._network(masked, bits, int(origins[at]))
        return None

    def _network(self, key: bytes, bits: int, origin: int) -> Network | None:
        if origin == 0:
            return None
        origins = (origin,) if origin > 0 else self.several[-1 - origin]
        return Network(asn=origin if origin > 0 else None, prefix=prefix_of(key, bits), origins=origins)


def prefixes(
    keys: bytes | bytearray, bits: NDArray[np.uint8], origins: NDArray[np.int64], several: Sequence[tuple[int, ...]]
) -> Prefixes:
    """Columns of equal length, in any order; of a prefix that stands there twice the first line counts."""
    octets = np.frombuffer(keys, dtype=np.uint8).reshape(-1, KEY_BYTES)
    lengths = []
    for length in sorted({int(b) for b in np.unique(bits)}, reverse=True):
        mine = bits == length
        mask = np.frombuffer((((1 << length) - 1) << (KEY_BITS - length)).to_bytes(KEY_BYTES), dtype=np.uint8)
        networks = np.ascontiguousarray(octets[mine] & mask).view(KEY).ravel()
        order = np.argsort(networks, kind="stable")
        lengths.append((length, networks[order], origins[mine][order]))
    return Prefixes(lengths=tuple(lengths), several=several)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ranges:
    """Ranges that do not overlap, in order. ``names`` are descriptions, each once; ``name`` is the index into them."""

    first: NDArray[np.bytes_]
    last: NDArray[np.bytes_]
    origin: NDArray[np.int64]
    name: NDArray[np.int64]
    names: Sequence[str]

    def find(self, key: bytes) -> Network | None:
        """The range that holds it, unless nobody announces that."""
        at = int(np.searchsorted(self.first, key, side="right")) - 1
        if at < 0 or not filled(self.last[at]) >= key or not self.origin[at]:
            return None
        origin = int(self.origin[at])
        span = span_of(filled(self.first[at]), filled(self.last[at]))
        return Network(asn=origin, prefix=span, name=self.names[int(self.name[at])] or None, origins=(origin,))


def ranges(
    first: bytes | bytearray,
    last: bytes | bytearray,
    origin: NDArray[np.int64],
    name: NDArray[np.int64],
    names: Sequence[str],
) -> Ranges:
    """Columns of equal length, in any order."""
    starts, ends = np.frombuffer(first, dtype=KEY), np.frombuffer(last, dtype=KEY)
    order = np.argsort(starts, kind="stable")
    return Ranges(first=starts[order], last=ends[order], origin=origin[order], name=name[order], names=names)


def filled(key: np.bytes_ | bytes) -> bytes:
    """The key with the zeros that numpy strips."""
    return bytes(key).ljust(KEY_BYTES, b"\0")


def span_of(first: bytes, last: bytes) -> str:
    """A range as a prefix where it is one, else as ``first-last``."""
    low, high = int.from_bytes(first), int.from_bytes(last)
    size = high - low + 1
    if size & (size - 1) == 0 and low % size == 0:
        return prefix_of(first, KEY_BITS - size.bit_length() + 1)
    return f"{address_of(first)}-{address_of(last)}"
