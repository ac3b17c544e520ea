"""What a payload begins with, and the one name that a packet alone may show.

Both are cheap looks at a few bytes, made for every packet; the compiled core makes the same ones. Whoever cites a
packet parses it again with care.
"""

from __future__ import annotations

from captures.columns import Mark, State

DNS_PORTS = (53, 5353)

# RFC 9110 section 9.3, RFC 5789, RFC 4918: the methods of HTTP and of WebDAV, with the space that ends them.
METHODS = (
    b"GET ",
    b"POST ",
    b"HEAD ",
    b"PUT ",
    b"DELETE ",
    b"OPTIONS ",
    b"CONNECT ",
    b"TRACE ",
    b"PATCH ",
    b"PROPFIND ",
    b"PROPPATCH ",
    b"MKCOL ",
    b"COPY ",
    b"MOVE ",
    b"LOCK ",
    b"UNLOCK ",
)

# RFC 5246 section 6.2.3: a protected record holds at most 2^14 + 2048 bytes.
LONGEST_TLS_RECORD_BYTES = 18432

# RFC 1035 section 2.3.4. Longer server names and Hosts are no host names either.
LONGEST_NAME_BYTES = 255

# RFC 9000 section 17.2: connection ids of version 1 are at most 20 bytes long.
LONGEST_CONNECTION_ID_BYTES = 20

_TLS_HANDSHAKE = 22
_CLIENT_HELLO = 1
_SERVER_NAME = 0


def mark_tcp(payload: bytes) -> int:
    """The `Mark` of a TCP payload."""
    if len(payload) < 4:
        return Mark.NONE
    first = payload[0]
    if 20 <= first <= 23:
        return _mark_tls(payload)
    if payload[:5] == b"HTTP/":
        return Mark.HTTP_RESPONSE
    if 67 <= first <= 85 and payload.startswith(METHODS):
        return Mark.HTTP_REQUEST
    return Mark.NONE


def _mark_tls(payload: bytes) -> int:
    if len(payload) < 5 or payload[1] != 3 or payload[2] > 4:
        return Mark.NONE
    record_bytes = payload[3] << 8 | payload[4]
    if not 0 < record_bytes <= LONGEST_TLS_RECORD_BYTES:
        return Mark.NONE
    match payload[0]:
        case 21:
            return Mark.TLS_ALERT
        case 22:
            return Mark.TLS_HELLO if _begins_hello(payload) else Mark.TLS_HANDSHAKE
        case _:
            return Mark.TLS_OTHER


def _begins_hello(payload: bytes) -> bool:
    """Whether a ClientHello begins here; an encrypted message begins with any byte, so more than one is looked at."""
    if len(payload) < 6 or payload[5] != _CLIENT_HELLO:
        return False
    return not (len(payload) > 6 and payload[6] > 1) and not (len(payload) > 9 and payload[9] != 3)


def mark_udp(payload: bytes, *, dns_port: bool) -> int:
    """The `Mark` of a UDP payload."""
    if dns_port:
        if len(payload) < 12:
            return Mark.NONE
        return Mark.DNS_ANSWER if payload[2] & 0x80 else Mark.DNS_QUERY
    if len(payload) < 7 or payload[0] & 0xC0 != 0xC0 or payload[5] > LONGEST_CONNECTION_ID_BYTES:
        return Mark.NONE
    # RFC 9000 section 17.2.1: version 0 marks a Version Negotiation packet.
    return Mark.NONE if payload[1:5] == b"\0\0\0\0" else Mark.QUIC_LONG


def name_in(payload: bytes, mark: int, *, whole: bool) -> tuple[bytes | None, int]:
    """The name that a marked payload shows, in lower case, and `State.WHOLE_NAME` where the message is all there.

    ``whole`` tells whether every byte of the payload was captured.
    """
    match mark:
        case Mark.TLS_HELLO:
            name, complete = server_name(payload), True
        case Mark.HTTP_REQUEST:
            name, complete = host(payload)
        case Mark.DNS_QUERY | Mark.DNS_ANSWER:
            name, complete = question_name(payload), whole
        case _:
            return None, 0
    return name, State.WHOLE_NAME if name is not None and complete else 0


def server_name(payload: bytes) -> bytes | None:
    """The SNI of a ClientHello that is whole in these bytes, over as many TLS records as it takes."""
    hello = _handshake_message(payload)
    if hello is None:
        return None
    # RFC 8446 section 4.1.2: version, random, session id, cipher suites, compression methods, extensions.
    at = 4 + 2 + 32
    for length_bytes in (1, 2, 1):
        if at + length_bytes > len(hello):
            return None
        at += length_bytes + int.from_bytes(hello[at : at + length_bytes], "big")
    if at + 2 > len(hello):
        return None
    end = min(at + 2 + int.from_bytes(hello[at : at + 2], "big"), len(hello))
    at += 2
    while at + 4 <= end:
        kind = hello[at] << 8 | hello[at + 1]
        size = hello[at + 2] << 8 | hello[at + 3]
        at += 4
        if at + size > end:
            return None
        if kind == _SERVER_NAME:
            return _host_name(hello[at : at + size])
        at += size
    return None


def _handshake_message(payload: bytes) -> bytes | None:
    """The first handshake message, joined over records; None if its end is not in these bytes."""
    joined = bytearray()
    at = 0
    while at + 5 <= len(payload) and payload[at] == _TLS_HANDSHAKE:
        size = payload[at + 3] << 8 | payload[at + 4]
        joined += payload[at + 5 : at + 5 + size]
        if len(joined) >= 4:
            message_bytes = 4 + int.from_bytes(joined[1:4], "big")
            if len(joined) >= message_bytes:
                return bytes(joined[:message_bytes])
        at += 5 + size
    return None


def _host_name(extension: bytes) -> bytes | None:
    """The first entry of a server_name extension if it is a host_name (RFC 6066 section 3)."""
    if len(extension) < 5 or extension[2] != 0:
        return None
    size = extension[3] << 8 | extension[4]
    if size > len(extension) - 5:
        return None
    return _tidy(extension[5 : 5 + size])


def question_name(payload: bytes) -> bytes | None:
    """The name of the first question of a DNS message, labels joined by dots; None for the root and for nonsense."""
    if len(payload) < 12 or payload[4:6] == b"\0\0":
        return None
    labels: list[bytes] = []
    at = 12
    while at < len(payload):
        size = payload[at]
        at += 1
        if size == 0:
            return _tidy(b".".join(labels)) if labels else None
        # RFC 1035 section 4.1.4: nothing precedes a question that a pointer could point to.
        if size > 63 or at + size > len(payload) or at + size - 12 > LONGEST_NAME_BYTES:
            return None
        labels.append(payload[at : at + size].replace(b".", b"\\x2e"))
        at += size
    return None


def host(payload: bytes) -> tuple[bytes | None, bool]:
    """The value of the first Host line of an HTTP request without its port, and whether the header ends here."""
    found: bytes | None = None
    at = 0
    while (end := payload.find(b"\n", at)) >= 0:
        line_end = end - 1 if end > at and payload[end - 1] == 13 else end
        if line_end == at and at:
            return found, True
        if found is None and at and payload[at : at + 5].lower() == b"host:":
            found = _without_port(payload[at + 5 : line_end].strip(b" \t"))
            if found is None:
                return None, False
        at = end + 1
    return found, False


def _without_port(value: bytes) -> bytes | None:
    """``example.org:8080`` is example.org, ``[::1]:80`` is [::1]; a colon followed by other than digits stays."""
    digits = len(value)
    while digits and 48 <= value[digits - 1] <= 57:
        digits -= 1
    if digits and value[digits - 1] == 58:
        value = value[: digits - 1]
    return _tidy(value)


def _tidy(name: bytes) -> bytes | None:
    """In lower case, one final dot removed; None if nothing is left or it is too long for a name."""
    if name[-1:] == b".":
        name = name[:-1]
    if not name or len(name) > LONGEST_NAME_BYTES + 3 * name.count(b"\\x2e"):
        return None
    return name.lower()


def printable(name: bytes) -> str:
    r"""A name that no terminal and no page can trip over: bytes outside printable ASCII as ``\xHH``."""
    return "".join(chr(byte) if 0x20 < byte < 0x7F else f"\\x{byte:02x}" for byte in name)
