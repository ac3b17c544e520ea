"""TCP options as Linux writes them, and the few that are read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from struct import pack, unpack_from

# RFC 9293 section 3.2, RFC 2018, RFC 7323: kinds.
_MSS, _SCALE, _SACK_PERMITTED, _SACK, _TIMESTAMPS = 2, 3, 4, 5, 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a segment carried."""

    mss_bytes: int | None = None
    scale: int | None = None
    sack_permitted: bool = False
    timestamps: tuple[int, int] | None = None  # value, echo
    blocks: tuple[tuple[int, int], ...] = field(default=())


def of_handshake(mss_bytes: int, stamps: tuple[int, int] | None, *, sack: bool = True, scale: int | None = 7) -> bytes:
    """MSS, SACK permitted, timestamps, NOP, window scale: Linux's order."""
    out = pack("!BBH", _MSS, 4, mss_bytes)
    if stamps is not None:
        out += (pack("!BB", _SACK_PERMITTED, 2) if sack else b"\x01\x01") + pack("!BBII", _TIMESTAMPS, 10, *stamps)
    elif sack:
        out += b"\x01\x01" + pack("!BB", _SACK_PERMITTED, 2)
    return out if scale is None else out + pack("!BBBB", 1, _SCALE, 3, scale)


def of_segment(stamps: tuple[int, int] | None, blocks: Sequence[tuple[int, int]]) -> bytes:
    """Timestamps and selective acknowledgements, each behind two NOPs."""
    out = b"" if stamps is None else pack("!BBBBII", 1, 1, _TIMESTAMPS, 10, *stamps)
    if blocks:
        out += pack("!BBBB", 1, 1, _SACK, 2 + 8 * len(blocks)) + b"".join(pack("!II", *b) for b in blocks)
    return out


def read(raw: bytes) -> Options:
    """Tolerant: what makes no sense ends the reading."""
    found: dict[str, object] = {}
    at = 0
    while at < len(raw) and raw[at]:
        if raw[at] == 1:
            at += 1
            continue
        size = raw[at + 1] if at + 1 < len(raw) else 0
        if size < 2 or at + size > len(raw):
            break
        match raw[at], size:
            case (2, 4):
                found["mss_bytes"] = unpack_from("!H", raw, at + 2)[0]
            case (3, 3):
                found["scale"] = min(raw[at + 2], 14)
            case (4, 2):
                found["sack_permitted"] = True
            case (8, 10):
                found["timestamps"] = unpack_from("!II", raw, at + 2)
            case (5, _):
                edges = unpack_from(f"!{(size - 2) // 4}I", raw, at + 2)
                found["blocks"] = tuple(zip(edges[::2], edges[1::2], strict=False))
        at += size
    return Options(**found)  # type: ignore[arg-type]
