"""What a box reads in the bytes that pass: the name in a ClientHello or a request, a DNS question, a QUIC version.

Written for the laboratory alone and tolerant as a DPI is: a name is found as soon as it lies whole in the bytes at
hand, whatever is missing behind it.
"""

from __future__ import annotations

from dataclasses import dataclass
from struct import unpack_from

# RFC 8446 section 5.1: a record is type, version, length and up to 2^14 bytes; 22 is a handshake.
_RECORD_HEAD, _HANDSHAKE = 5, 22
# RFC 8446 section 4: 1 is a ClientHello. RFC 6066 section 3: extension 0 carries the server's name.
_CLIENT_HELLO, _SERVER_NAME = 1, 0
# RFC 9110 section 9.3.
METHODS = (b"GET ", b"POST ", b"HEAD ", b"PUT ", b"OPTIONS ", b"DELETE ", b"CONNECT ", b"TRACE ")


def is_tls(stream: bytes) -> bool:
    """Whether these bytes could be the beginning of a TLS handshake record."""
    return stream[:1] == b"\x16" and stream[1:2] in (b"\x03", b"")


def is_http(stream: bytes) -> bool:
    """Whether these bytes could be the beginning of an HTTP/1 request."""
    return any(stream.startswith(m) or (stream and m.startswith(stream)) for m in METHODS)


def sni(stream: bytes, *, joins_records: bool = True) -> str | None:
    """The name in the ClientHello that these bytes begin with, None if there is none or it is not whole yet.

    Without ``joins_records`` only the first record is read, as many devices do.
    """
    hello = _handshake(stream, joins_records=joins_records)
    try:
        return _server_name(hello) if hello[:1] == bytes([_CLIENT_HELLO]) else None
    except (IndexError, ValueError):
        return None


def hello_is_whole(stream: bytes, *, joins_records: bool = True) -> bool:
    """Whether nothing more of the ClientHello is to come (bytes that are no hello at all are whole)."""
    if not is_tls(stream):
        return True
    hello = _handshake(stream, joins_records=joins_records)
    if not joins_records and len(stream) >= _RECORD_HEAD:
        return len(hello) >= int.from_bytes(stream[3:5], "big")
    return len(hello) >= 4 and len(hello) >= 4 + int.from_bytes(hello[1:4], "big")


def host(stream: bytes) -> str | None:
    """The Host of the request that these bytes begin with, None if there is none or its line is not whole yet."""
    if not stream.startswith(METHODS):
        return None
    for line in stream.split(b"\r\n\r\n")[0].split(b"\r\n")[1:]:
        field, colon, value = line.partition(b":")
        whole = stream.find(line + b"\r\n") >= 0
        if colon and whole and field.strip().lower() == b"host":
            return value.strip().decode("latin-1").rsplit(":", 1)[0]
    return None


def request_is_whole(stream: bytes) -> bool:
    """Whether the head of the request has ended (bytes that are no request at all are whole)."""
    return not is_http(stream) or b"\r\n\r\n" in stream


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """The first question of a DNS query, and what an answer has to repeat."""

    name: str
    rtype: int
    transaction: int
    recursion: bool
    raw: bytes  # the question section as it was sent


def question(message: bytes) -> Question | None:
    """The question of a DNS query over UDP, None for anything else."""
    if len(message) < 17:
        return None
    transaction, bits, count = unpack_from("!HHH", message)
    # A response bit, an opcode other than QUERY, or several questions: no resolver is asked so.
    if bits & 0xF800 or count != 1:
        return None
    labels, at = [], 12
    while at < len(message) and message[at]:
        size = message[at]
        if size > 63 or at + 1 + size >= len(message):
            return None
        labels.append(message[at + 1 : at + 1 + size])
        at += 1 + size
    if at + 5 > len(message):
        return None
    name = b".".join(labels).decode("latin-1")
    rtype = int.from_bytes(message[at + 1 : at + 3], "big")
    raw = message[12 : at + 5]
    return Question(name=name, rtype=rtype, transaction=transaction, recursion=bool(bits & 0x100), raw=raw)


def is_dns(stream: bytes) -> bool:
    """Whether these bytes could begin a DNS query over TCP: a length, then a message that fits it."""
    return question(stream[2:]) is not None and int.from_bytes(stream[:2], "big") >= 17


def quic_version(datagram: bytes) -> int | None:
    """The version in a QUIC long header (RFC 8999 section 5.1), None for anything else."""
    if len(datagram) < 7 or datagram[0] & 0xC0 != 0xC0:
        return None
    return int.from_bytes(datagram[1:5], "big")


def _handshake(stream: bytes, *, joins_records: bool) -> bytes:
    """The handshake bytes of the first record, or of all that follow one another."""
    parts, at = [], 0
    while at + _RECORD_HEAD <= len(stream) and stream[at] == _HANDSHAKE and stream[at + 1] == 3:
        size = int.from_bytes(stream[at + 3 : at + 5], "big")
        parts.append(stream[at + _RECORD_HEAD : at + _RECORD_HEAD + size])
        at += _RECORD_HEAD + size
        if not joins_records:
            break
    return b"".join(parts)


def _server_name(hello: bytes) -> str | None:
    """RFC 8446 section 4.1.2 and RFC 6066 section 3. Raises IndexError where the bytes end too soon."""
    at = 4 + 2 + 32
    at += 1 + hello[at]
    at += 2 + _number(hello, at, 2)
    at += 1 + hello[at]
    end = at + 2 + _number(hello, at, 2)
    at += 2
    while at + 4 <= end:
        kind, size = _number(hello, at, 2), _number(hello, at + 2, 2)
        at += 4
        if kind == _SERVER_NAME:
            length = _number(hello, at + 3, 2)
            if at + 5 + length > len(hello):
                return None
            return hello[at + 5 : at + 5 + length].decode("latin-1")
        at += size
    return None


def _number(data: bytes, at: int, size: int) -> int:
    if at + size > len(data):
        raise IndexError(at)
    return int.from_bytes(data[at : at + size], "big")
