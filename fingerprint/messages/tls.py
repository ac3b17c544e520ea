"""One side of a TLS connection, read from the reassembled start of its stream.

Theory of operation. A side is a row of records. Handshake records are joined and cut into messages, which may span
records as records span segments; the last message may be half there. After a ChangeCipherSpec the handshake records of
TLS 1.2 and older are encrypted: their messages are not read any more, unless it is the second ClientHello that a
HelloRetryRequest asked for. Alerts count where they are two bytes long, for an encrypted one is always longer.
"""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct
from typing import Final, TypedDict

from captures.packet import Malformed
from fingerprint.messages.tls_hello import (
    CLIENT_HELLO,
    SERVER_HELLO,
    ClientHello,
    ServerHello,
    read_client_hello,
    read_server_hello,
)
from fingerprint.messages.tls_records import (
    ALERT,
    APPLICATION_DATA,
    CHANGE_CIPHER_SPEC,
    HANDSHAKE,
    Record,
    client_hello,
    records,
    sni_of,
)

__all__ = [
    "Alert",
    "ClientHello",
    "ClientSide",
    "Record",
    "ServerHello",
    "ServerSide",
    "client_hello",
    "records",
    "sni_of",
    "tls_client_side",
    "tls_server_side",
]

_CERTIFICATE: Final = 11  # RFC 5246 section 7.4
_HEADER: Final = Struct("!BBH")  # of a handshake message: type, and a length of 24 bits (RFC 8446 section 4)

# IANA TLS Alerts.
_ALERTS: Final = {
    0: "close_notify",
    10: "unexpected_message",
    20: "bad_record_mac",
    21: "decryption_failed",
    22: "record_overflow",
    30: "decompression_failure",
    40: "handshake_failure",
    41: "no_certificate",
    42: "bad_certificate",
    43: "unsupported_certificate",
    44: "certificate_revoked",
    45: "certificate_expired",
    46: "certificate_unknown",
    47: "illegal_parameter",
    48: "unknown_ca",
    49: "access_denied",
    50: "decode_error",
    51: "decrypt_error",
    60: "export_restriction",
    70: "protocol_version",
    71: "insufficient_security",
    80: "internal_error",
    86: "inappropriate_fallback",
    90: "user_canceled",
    100: "no_renegotiation",
    109: "missing_extension",
    110: "unsupported_extension",
    111: "certificate_unobtainable",
    112: "unrecognized_name",
    113: "bad_certificate_status_response",
    114: "bad_certificate_hash_value",
    115: "unknown_psk_identity",
    116: "certificate_required",
    120: "no_application_protocol",
    121: "ech_required",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """An alert in plain text. ``at_byte`` is its record's body, from the start of the stream."""

    level: int  # 1 warning, 2 fatal
    description: int
    at_byte: int

    @property
    def name(self) -> str:
        """The registered name of the description, its number where there is none."""
        return _ALERTS.get(self.description, str(self.description))

    @property
    def fatal(self) -> bool:
        """Whether the sender gave up the connection."""
        return self.level == 2


@dataclass(frozen=True, slots=True, kw_only=True)
class _Side:
    """What either side shows. In TLS 1.3 application data records also carry the encrypted handshake."""

    first_record_is_tls: bool
    first_record_version: int | None
    handshake_types: tuple[int, ...]  # of plain messages, in order
    certificates: tuple[bytes, ...]  # DER, as sent: the sender's own first (RFC 5246 section 7.4.2)
    alerts: tuple[Alert, ...]
    has_change_cipher_spec: bool
    has_application_data: bool
    application_data_bytes: int  # bodies of such records, as far as they were given
    malformed: tuple[Malformed, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSide(_Side):
    """What the client sent; ``second_hello`` is its answer to a HelloRetryRequest."""

    hello: ClientHello | None
    second_hello: ClientHello | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSide(_Side):
    """What the server, or whoever spoke in its place, sent."""

    server_hello: ServerHello | None
    hello_retry_request: ServerHello | None


def tls_client_side(stream: bytes) -> ClientSide:
    """What a client's stream shows, read as far as it goes."""
    seen = _walk(stream)
    hellos = [hello for kind, body in seen.messages if kind == CLIENT_HELLO and (hello := read_client_hello(body))]
    return ClientSide(
        **seen.both_sides_show(),
        hello=hellos[0] if hellos else None,
        second_hello=hellos[1] if len(hellos) > 1 else None,
    )


def tls_server_side(stream: bytes) -> ServerSide:
    """What a server's stream shows, read as far as it goes."""
    seen = _walk(stream)
    hellos = _server_hellos(seen)
    return ServerSide(
        **seen.both_sides_show(),
        server_hello=next((hello for hello in hellos if not hello.retry_request), None),
        hello_retry_request=next((hello for hello in hellos if hello.retry_request), None),
    )


def hello_of_server(stream: bytes) -> ServerHello | None:
    """The ServerHello in a server's stream; the HelloRetryRequest where that is all there is."""
    hellos = _server_hellos(_walk(stream))
    return next((hello for hello in hellos if not hello.retry_request), hellos[0] if hellos else None)


def _server_hellos(seen: _Walk) -> list[ServerHello]:
    return [hello for kind, body in seen.messages if kind == SERVER_HELLO and (hello := read_server_hello(body))]


class _Shown(TypedDict):
    first_record_is_tls: bool
    first_record_version: int | None
    handshake_types: tuple[int, ...]
    certificates: tuple[bytes, ...]
    alerts: tuple[Alert, ...]
    has_change_cipher_spec: bool
    has_application_data: bool
    application_data_bytes: int
    malformed: tuple[Malformed, ...]


class _Walk:
    """What one walk over the records collects."""

    def __init__(self) -> None:
        self.first: Record | None = None
        self.messages: list[tuple[int, bytes]] = []  # type, and the message with its header
        self.alerts: list[Alert] = []
        self.has_change_cipher_spec = False
        self.has_application_data = False
        self.application_data_bytes = 0
        self.malformed: list[Malformed] = []

    def both_sides_show(self) -> _Shown:
        chains = [_chain(body) for kind, body in self.messages if kind == _CERTIFICATE]
        return _Shown(
            first_record_is_tls=self.first is not None,
            first_record_version=self.first.version if self.first else None,
            handshake_types=tuple(kind for kind, _ in self.messages),
            certificates=tuple(der for chain in chains for der in chain),
            alerts=tuple(self.alerts),
            has_change_cipher_spec=self.has_change_cipher_spec,
            has_application_data=self.has_application_data,
            application_data_bytes=self.application_data_bytes,
            malformed=tuple(self.malformed),
        )


def _walk(stream: bytes) -> _Walk:
    seen = _Walk()
    joined = bytearray()  # handshake bytes that do not make a whole message yet
    for record in records(stream):
        if isinstance(record, Malformed):
            seen.malformed.append(record)
            break
        seen.first = seen.first or record
        if record.kind == HANDSHAKE:
            if not seen.has_change_cipher_spec or joined or _begins_hello(record.body):
                joined += record.body
                _cut_messages(joined, seen.messages)
        elif record.kind == ALERT:
            seen.alerts += _alerts(record, encrypted=seen.has_change_cipher_spec or seen.has_application_data)
        elif record.kind == CHANGE_CIPHER_SPEC:
            seen.has_change_cipher_spec = True
            joined.clear()
        elif record.kind == APPLICATION_DATA:
            seen.has_application_data = True
            seen.application_data_bytes += len(record.body)
    if joined:
        seen.messages.append((joined[0], bytes(joined)))
    return seen


def _begins_hello(body: bytes) -> bool:
    """Whether a plain hello begins here, as one does after the ChangeCipherSpec of a TLS 1.3 retry."""
    # RFC 8446 appendix D.4. An encrypted Finished begins so by chance once in 2^23 times.
    return len(body) >= 6 and body[0] in (CLIENT_HELLO, SERVER_HELLO) and body[1] == 0 and body[4:6] == b"\3\3"


def _cut_messages(joined: bytearray, messages: list[tuple[int, bytes]]) -> None:
    whole, at = bytes(joined), 0
    while at + 4 <= len(whole):
        kind, high, low = _HEADER.unpack_from(whole, at)
        after = at + 4 + (high << 16 | low)
        if after > len(whole):
            break
        messages.append((kind, whole[at:after]))
        at = after
    del joined[:at]


def _alerts(record: Record, *, encrypted: bool) -> list[Alert]:
    """The alerts of a record; none if it is too long to be plain, or says what no alert says."""
    if not record.complete or not record.body or len(record.body) % 2 or (encrypted and len(record.body) != 2):
        return []
    pairs = [(record.body[i], record.body[i + 1]) for i in range(0, len(record.body), 2)]
    if any(level not in (1, 2) for level, _ in pairs):
        return []
    return [Alert(level=level, description=description, at_byte=record.at_byte) for level, description in pairs]


def _chain(message: bytes) -> list[bytes]:
    """The certificates of a TLS 1.2 Certificate message, up to the first that is cut off (RFC 5246 section 7.4.2)."""
    chain = []
    at = 7
    while at + 3 <= len(message):
        after = at + 3 + int.from_bytes(message[at : at + 3], "big")
        if after > len(message):
            break
        chain.append(message[at + 3 : after])
        at = after
    return chain
