"""The long headers of a UDP datagram's QUIC packets (RFC 9000 section 17, RFC 8999)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from captures.marks import LONGEST_CONNECTION_ID_BYTES
from captures.packet import Malformed
from fingerprint.messages import quic_keys


class Kind(StrEnum):
    """What a packet's header says that it is."""

    INITIAL = "initial"
    ZERO_RTT = "0-rtt"
    HANDSHAKE = "handshake"
    RETRY = "retry"
    VERSION_NEGOTIATION = "version-negotiation"
    SHORT = "short"  # 1-RTT, as far as a header can tell
    UNKNOWN = "unknown"  # a long header of a version whose packet types are not known here


_KINDS = (Kind.INITIAL, Kind.ZERO_RTT, Kind.HANDSHAKE, Kind.RETRY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """One packet of a datagram; `packet` is all of it, `number_at` where its protected number begins in it."""

    kind: Kind
    version: int | None  # None for a short header
    dcid: bytes
    scid: bytes
    token: bytes  # of an Initial or a Retry
    versions: tuple[int, ...]  # of a Version Negotiation
    packet: bytes
    number_at: int
    complete: bool


def variable_integer(octets: bytes, at: int) -> tuple[int, int] | None:
    """The number at that byte and where the next field begins (RFC 9000 section 16); None if it is cut off."""
    if at >= len(octets):
        return None
    size = 1 << (octets[at] >> 6)
    if at + size > len(octets):
        return None
    return int.from_bytes(octets[at : at + size], "big") & ((1 << (8 * size - 2)) - 1), at + size


def headers(datagram: bytes) -> Iterator[Header | Malformed]:
    """The packets of a datagram in order; a `Malformed` is the last item where one does not parse.

    Zero bytes behind the last packet are padding, which some stacks put there (RFC 9000 section 14.1 forbids none).
    """
    at = 0
    while at < len(datagram):
        if at and not datagram[at] and not datagram[at:].strip(b"\0"):
            return
        first = datagram[at]
        if first & 0x80 == 0:
            # A short header runs to the end of the datagram, and its connection id has no length.
            if first & 0x40 or at == 0:
                yield _short(datagram[at:])
            return
        found, after = _long(datagram, at)
        yield found
        if isinstance(found, Malformed) or after <= at:
            return
        at = after


def _short(packet: bytes) -> Header:
    return Header(
        kind=Kind.SHORT,
        version=None,
        dcid=b"",
        scid=b"",
        token=b"",
        versions=(),
        packet=packet,
        number_at=0,
        complete=True,
    )


def _long(datagram: bytes, start: int) -> tuple[Header | Malformed, int]:
    """A long header and where the packet after it begins."""
    end = len(datagram)
    if start + 6 > end:
        return _cut("a long header is cut off", start), end
    version = int.from_bytes(datagram[start + 1 : start + 5], "big")
    ids = []
    at = start + 5
    for _ in range(2):
        if at >= end or (after := at + 1 + datagram[at]) > end:
            return _cut("a connection id is cut off", at), end
        if quic_keys.known(version) and datagram[at] > LONGEST_CONNECTION_ID_BYTES:
            return _cut("a connection id is longer than any may be", at), end
        ids.append(datagram[at + 1 : after])
        at = after
    if version == 0:
        listed = tuple(int.from_bytes(datagram[i : i + 4], "big") for i in range(at, end - 3, 4))
        return _header(Kind.VERSION_NEGOTIATION, version, ids, datagram[start:], at - start, versions=listed), end
    if not quic_keys.known(version):
        return _header(Kind.UNKNOWN, version, ids, datagram[start:], at - start), end
    kind = _KINDS[quic_keys.packet_type(version, datagram[start])]
    token = b""
    if kind is Kind.RETRY:
        # RFC 9000 section 17.2.5: the token is what lies before the sixteen bytes of the integrity tag.
        return _header(kind, version, ids, datagram[start:], at - start, token=datagram[at : max(at, end - 16)]), end
    if kind is Kind.INITIAL:
        token_bytes = variable_integer(datagram, at)
        if token_bytes is None or sum(token_bytes) > end:
            return _cut("the token is cut off", at), end
        at = token_bytes[1] + token_bytes[0]
        token = datagram[token_bytes[1] : at]
    length = variable_integer(datagram, at)
    if length is None:
        return _cut("the length is cut off", at), end
    after = length[1] + length[0]
    packet = datagram[start : min(after, end)]
    return _header(kind, version, ids, packet, length[1] - start, token=token, complete=after <= end), after


def _header(
    kind: Kind,
    version: int,
    ids: list[bytes],
    packet: bytes,
    number_at: int,
    *,
    token: bytes = b"",
    versions: tuple[int, ...] = (),
    complete: bool = True,
) -> Header:
    return Header(
        kind=kind,
        version=version,
        dcid=ids[0],
        scid=ids[1],
        token=token,
        versions=versions,
        packet=packet,
        number_at=number_at,
        complete=complete,
    )


def _cut(why: str, at: int) -> Malformed:
    return Malformed(layer="quic", at_byte=at, why=why)
