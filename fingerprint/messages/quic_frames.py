"""The frames that an Initial packet may carry (RFC 9000 sections 12.4 and 19)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from captures.marks import printable
from captures.packet import Malformed
from fingerprint.messages.quic_headers import variable_integer

_PADDING: Final = 0x00
_OTHER_THAN_PADDING: Final = re.compile(rb"[^\0]")
_PING: Final = 0x01
_ACK_WITH_ECN: Final = 0x03
_CLOSE_BY_APPLICATION: Final = 0x1D

# RFC 9001 section 4.8: error codes from here on are TLS alerts.
_CRYPTO_ERROR: Final = 0x0100

# RFC 9000 section 20.1.
_ERRORS: Final = {
    0x00: "NO_ERROR",
    0x01: "INTERNAL_ERROR",
    0x02: "CONNECTION_REFUSED",
    0x03: "FLOW_CONTROL_ERROR",
    0x04: "STREAM_LIMIT_ERROR",
    0x05: "STREAM_STATE_ERROR",
    0x06: "FINAL_SIZE_ERROR",
    0x07: "FRAME_ENCODING_ERROR",
    0x08: "TRANSPORT_PARAMETER_ERROR",
    0x09: "CONNECTION_ID_LIMIT_ERROR",
    0x0A: "PROTOCOL_VIOLATION",
    0x0B: "INVALID_TOKEN",
    0x0C: "APPLICATION_ERROR",
    0x0D: "CRYPTO_BUFFER_EXCEEDED",
    0x0E: "KEY_UPDATE_ERROR",
    0x0F: "AEAD_LIMIT_REACHED",
    0x10: "NO_VIABLE_PATH",
}

# A hello with certificates of any size stays below; offsets beyond it are not kept.
_HANDSHAKE_AT_MOST_BYTES: Final = 1 << 18


@dataclass(frozen=True, slots=True, kw_only=True)
class Fragment:
    """The body of a CRYPTO frame and its offset in the handshake bytes."""

    offset_bytes: int
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledgement:
    """An ACK frame; `largest` is the highest packet number it acknowledges."""

    largest: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Close:
    """A CONNECTION_CLOSE; `reason` is printable."""

    error_code: int
    by_application: bool
    frame_type: int | None
    reason: str

    @property
    def name(self) -> str:
        """The name of a transport error, CRYPTO_ERROR with the alert's number, or the code."""
        if self.by_application:
            return f"application error {self.error_code}"
        if _CRYPTO_ERROR <= self.error_code < _CRYPTO_ERROR + 256:
            return f"CRYPTO_ERROR {self.alert}"
        return _ERRORS.get(self.error_code, f"0x{self.error_code:x}")

    @property
    def alert(self) -> int | None:
        """The TLS alert that the error code stands for."""
        if not self.by_application and _CRYPTO_ERROR <= self.error_code < _CRYPTO_ERROR + 256:
            return self.error_code - _CRYPTO_ERROR
        return None


Frame = Fragment | Acknowledgement | Close


def frames(plain: bytes) -> Iterator[Frame | Malformed]:
    """The frames of a decrypted Initial but padding and pings; a `Malformed` is last where one does not parse."""
    at = 0
    while at < len(plain):
        kind = plain[at]
        if kind == _PADDING:
            at = _end_of_padding(plain, at)
            continue
        if kind == _PING:
            at += 1
            continue
        found = _frame(kind, plain, at + 1)
        if isinstance(found, str):
            yield Malformed(layer="quic.frame", at_byte=at, why=found)
            return
        frame, at = found
        yield frame


def _end_of_padding(plain: bytes, at: int) -> int:
    found = _OTHER_THAN_PADDING.search(plain, at)
    return found.start() if found else len(plain)


def _frame(kind: int, plain: bytes, at: int) -> tuple[Frame, int] | str:
    """A frame and where the next begins, or why there is none."""
    match kind:
        case 0x06:
            return _crypto(plain, at)
        case 0x02 | 0x03:
            return _acknowledgement(plain, at, counts_ecn=kind == _ACK_WITH_ECN)
        case 0x1C | 0x1D:
            return _close(plain, at, by_application=kind == _CLOSE_BY_APPLICATION)
        case _:
            return f"frame type {kind:#04x} may not be in an Initial"


def _crypto(plain: bytes, at: int) -> tuple[Frame, int] | str:
    numbers, at = _integers(plain, at, 2)
    if len(numbers) < 2 or at + numbers[1] > len(plain):
        return "a CRYPTO frame is cut off"
    return Fragment(offset_bytes=numbers[0], body=plain[at : at + numbers[1]]), at + numbers[1]


def _acknowledgement(plain: bytes, at: int, *, counts_ecn: bool) -> tuple[Frame, int] | str:
    head, at = _integers(plain, at, 4)
    # Every further range is two numbers of at least a byte each.
    if len(head) < 4 or head[2] * 2 > len(plain):
        return "an ACK frame is cut off"
    wanted = head[2] * 2 + (3 if counts_ecn else 0)
    rest, at = _integers(plain, at, wanted)
    if len(rest) < wanted:
        return "an ACK frame is cut off"
    return Acknowledgement(largest=head[0]), at


def _close(plain: bytes, at: int, *, by_application: bool) -> tuple[Frame, int] | str:
    wanted = 2 if by_application else 3
    numbers, at = _integers(plain, at, wanted)
    if len(numbers) < wanted or at + numbers[-1] > len(plain):
        return "a CONNECTION_CLOSE is cut off"
    after = at + numbers[-1]
    return (
        Close(
            error_code=numbers[0],
            by_application=by_application,
            frame_type=None if by_application else numbers[1],
            reason=" ".join(printable(word) for word in plain[at:after].split(b" ")),
        ),
        after,
    )


def _integers(plain: bytes, at: int, count: int) -> tuple[list[int], int]:
    found: list[int] = []
    while len(found) < count and (number := variable_integer(plain, at)) is not None:
        found.append(number[0])
        at = number[1]
    return found, at


def joined(fragments: Iterable[Fragment]) -> bytes:
    """Handshake bytes from offset 0 up to the first hole; the first copy of a byte wins."""
    out, seen = bytearray(), bytearray()
    for fragment in fragments:
        start, end = fragment.offset_bytes, fragment.offset_bytes + len(fragment.body)
        if end > _HANDSHAKE_AT_MOST_BYTES:
            continue
        out.extend(bytes(max(0, end - len(out))))
        seen.extend(bytes(max(0, end - len(seen))))
        if seen.find(1, start, end) < 0:
            out[start:end] = fragment.body
        else:
            for at in range(start, end):
                out[at] = out[at] if seen[at] else fragment.body[at - start]
        seen[start:end] = b"\1" * (end - start)
    hole = seen.find(0)
    return bytes(out if hole < 0 else out[:hole])
