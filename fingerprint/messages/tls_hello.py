"""ClientHello and ServerHello, read as far as they go.

A hello is given as its handshake message (four bytes of type and length, then the body), joined over records or
CRYPTO frames by the caller. Half a hello is read too: what a censor let through is what there is to see.
"""

from __future__ import annotations

from dataclasses import dataclass
from struct import unpack_from
from typing import Final

from captures.marks import LONGEST_NAME_BYTES, printable
from captures.packet import Malformed
from fingerprint.messages import tls_fingerprint

CLIENT_HELLO: Final = 1  # RFC 8446 section 4: HandshakeType
SERVER_HELLO: Final = 2

# IANA TLS ExtensionType values.
SERVER_NAME: Final = 0
SUPPORTED_GROUPS: Final = 10
EC_POINT_FORMATS: Final = 11
SIGNATURE_ALGORITHMS: Final = 13
ALPN: Final = 16
SUPPORTED_VERSIONS: Final = 43
# draft-ietf-tls-esni-13 section 11.1 and later.
ENCRYPTED_CLIENT_HELLO: Final = 0xFE0D
# draft-ietf-tls-esni-01 section 8.1: the encrypted SNI that came before it.
ENCRYPTED_SERVER_NAME: Final = 0xFFCE

# RFC 8446 section 4.1.3: the random of a HelloRetryRequest, SHA-256 of its name.
RETRY_RANDOM: Final = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")
# RFC 8446 section 4.1.3: how the random of a newer server ends when it was talked down.
DOWNGRADE_MARKS: Final = (b"DOWNGRD\x00", b"DOWNGRD\x01")
# draft-ietf-tls-tls13-18 section 4.1.3 and others before the 22nd: versions 0x7F.. in a hello without session id.
_DRAFT_VERSION: Final = 0x7F

Extension = tuple[int, bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientHello:
    """A ClientHello. ``size_bytes`` is what it announces, header included; ``complete`` tells if all of it was there.

    Lists keep the order and the GREASE values (RFC 8701) of the wire. ``over_quic`` matters to JA4 alone.
    """

    legacy_version: int
    random: bytes
    session_id: bytes
    cipher_suites: tuple[int, ...]
    compression_methods: bytes
    extensions: tuple[Extension, ...]
    sni: str | None  # lower case, without a final dot, printable; None where absent, empty or cut off
    complete: bool
    size_bytes: int
    over_quic: bool = False
    malformed: tuple[Malformed, ...] = ()

    def extension(self, kind: int) -> bytes | None:
        """The body of the first extension of that type."""
        return _body(self.extensions, kind)

    @property
    def session_id_bytes(self) -> int:
        """The length of the legacy session id."""
        return len(self.session_id)

    @property
    def alpn(self) -> tuple[str, ...]:
        """The application protocols offered, printable."""
        return tuple(printable(name) for name in self.alpn_raw)

    @property
    def alpn_raw(self) -> tuple[bytes, ...]:
        """The application protocols offered (RFC 7301 section 3.1)."""
        return short_strings((self.extension(ALPN) or b"")[2:])

    @property
    def supported_versions(self) -> tuple[int, ...]:
        """The versions of the supported_versions extension; empty where it is absent (RFC 8446 section 4.2.1)."""
        return numbers((self.extension(SUPPORTED_VERSIONS) or b"")[1:])

    @property
    def groups(self) -> tuple[int, ...]:
        """The key exchange groups, in order of preference (RFC 8446 section 4.2.7)."""
        return numbers((self.extension(SUPPORTED_GROUPS) or b"")[2:])

    @property
    def point_formats(self) -> tuple[int, ...]:
        """The elliptic curve point formats (RFC 8422 section 5.1.2)."""
        return tuple((self.extension(EC_POINT_FORMATS) or b"")[1:])

    @property
    def signature_algorithms(self) -> tuple[int, ...]:
        """The signature schemes, in order of preference (RFC 8446 section 4.2.3)."""
        return numbers((self.extension(SIGNATURE_ALGORITHMS) or b"")[2:])

    @property
    def ech_present(self) -> bool:
        """Whether an outer encrypted_client_hello is there; a real one and a GREASE one cannot be told apart."""
        body = self.extension(ENCRYPTED_CLIENT_HELLO)
        # draft-ietf-tls-esni-13 section 5: ECHClientHelloType 0 is outer, 1 is inner.
        return body is not None and body[:1] != b"\x01"

    @property
    def ech_inner(self) -> bool:
        """Whether this is the inner hello of ECH, which nobody sees but who decrypts it."""
        return (self.extension(ENCRYPTED_CLIENT_HELLO) or b"")[:1] == b"\x01"

    @property
    def esni_present(self) -> bool:
        """Whether the encrypted_server_name of early drafts is there."""
        return self.extension(ENCRYPTED_SERVER_NAME) is not None

    @property
    def ja3(self) -> str:
        """The JA3 string; None of its parts is hashed."""
        return tls_fingerprint.ja3(
            legacy_version=self.legacy_version,
            cipher_suites=self.cipher_suites,
            extensions=[kind for kind, _ in self.extensions],
            groups=self.groups,
            point_formats=self.point_formats,
        )

    @property
    def ja3_md5(self) -> str:
        """The MD5 of the JA3 string, in hex, as lists of known clients give it."""
        return tls_fingerprint.md5_hex(self.ja3)

    @property
    def ja4(self) -> str:
        """The JA4 fingerprint of the client (FoxIO JA4, BSD-3-Clause part)."""
        return tls_fingerprint.ja4(
            over_quic=self.over_quic,
            legacy_version=self.legacy_version,
            supported_versions=self.supported_versions,
            cipher_suites=self.cipher_suites,
            extensions=[kind for kind, _ in self.extensions],
            alpn=next(iter(self.alpn_raw), b""),
            signature_algorithms=self.signature_algorithms,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerHello:
    """A ServerHello or HelloRetryRequest. ``version`` is the one negotiated."""

    legacy_version: int
    version: int
    random: bytes
    session_id: bytes
    cipher_suite: int | None
    compression_method: int | None
    extensions: tuple[Extension, ...]
    complete: bool
    size_bytes: int
    malformed: tuple[Malformed, ...] = ()

    def extension(self, kind: int) -> bytes | None:
        """The body of the first extension of that type."""
        return _body(self.extensions, kind)

    @property
    def retry_request(self) -> bool:
        """Whether this is a HelloRetryRequest."""
        return self.random == RETRY_RANDOM

    @property
    def talked_down(self) -> bool:
        """Whether a server that speaks a newer version says that it was asked for an older one."""
        return self.random[24:] in DOWNGRADE_MARKS

    @property
    def alpn(self) -> str | None:
        """The application protocol chosen, printable; TLS 1.3 encrypts it."""
        return next((printable(name) for name in short_strings((self.extension(ALPN) or b"")[2:])), None)


def read_client_hello(message: bytes, *, over_quic: bool = False) -> ClientHello | None:
    """The ClientHello at the start of a handshake message; None if something else begins there.

    Read from its first 38 bytes on (the header, the version and the random); shorter ones are None.
    """
    have = len(message)
    if have < 38 or message[0] != CLIENT_HELLO or message[4] != 3 or message[1] > 1:
        return None
    size = 4 + (message[1] << 16 | message[2] << 8 | message[3])
    end = min(size, have)
    session_id = b""
    suites: tuple[int, ...] = ()
    methods = b""
    found: list[Extension] = []
    stopped: tuple[Malformed, ...] = ()
    at = 38
    # Each vector is read if it is all there; the first that is not ends the hello.
    if at < end and (stop := at + 1 + message[at]) <= end:
        session_id = message[at + 1 : stop]
        at = stop
        if at + 2 <= end and (stop := at + 2 + (message[at] << 8 | message[at + 1])) <= end:
            suites = unpack_from(f">{stop - at >> 1}H", message, at)[1:]
            at = stop
            if at < end and (stop := at + 1 + message[at]) <= end:
                methods = message[at + 1 : stop]
                at, found, stopped = _extensions(message, stop, end, whole=size <= have)
    sni = None
    for kind, body in found:
        if kind == SERVER_NAME:
            sni = host_name(body)
            break
    if at < end and not stopped and size <= have:
        stopped = (Malformed(layer="tls.client_hello", at_byte=at, why="a list is longer than the message"),)
    return ClientHello(
        legacy_version=message[4] << 8 | message[5],
        random=message[6:38],
        session_id=session_id,
        cipher_suites=suites,
        compression_methods=methods,
        extensions=tuple(found),
        sni=sni,
        complete=size <= have,
        size_bytes=size,
        over_quic=over_quic,
        malformed=stopped,
    )


def read_server_hello(message: bytes) -> ServerHello | None:
    """The ServerHello at the start of a handshake message; None if something else begins there, or too little."""
    if len(message) < 38 or message[0] != SERVER_HELLO or message[4] not in (3, _DRAFT_VERSION):
        return None
    size = 4 + int.from_bytes(message[1:4], "big")
    whole = size <= len(message)
    end = min(size, len(message))
    legacy_version = message[4] << 8 | message[5]
    session_id, suite, method = b"", None, None
    found: list[Extension] = []
    stopped: tuple[Malformed, ...] = ()
    at = 38
    if message[4] == _DRAFT_VERSION:
        if at + 2 <= end:
            suite = message[at] << 8 | message[at + 1]
            at, found, stopped = _extensions(message, at + 2, end, whole=whole)
    elif at < end and (stop := at + 1 + message[at]) <= end:
        session_id = message[at + 1 : stop]
        at = stop
        if at + 3 <= end:
            suite, method = message[at] << 8 | message[at + 1], message[at + 2]
            at, found, stopped = _extensions(message, at + 3, end, whole=whole)
    if at < end and whole and not stopped:
        stopped = (Malformed(layer="tls.server_hello", at_byte=at, why="a list is longer than the message"),)
    chosen = _body(tuple(found), SUPPORTED_VERSIONS) or b""
    return ServerHello(
        legacy_version=legacy_version,
        version=int.from_bytes(chosen, "big") if len(chosen) == 2 else legacy_version,
        random=message[6:38],
        session_id=session_id,
        cipher_suite=suite,
        compression_method=method,
        extensions=tuple(found),
        complete=whole,
        size_bytes=size,
        malformed=stopped,
    )


def _extensions(
    message: bytes, at: int, end: int, *, whole: bool
) -> tuple[int, list[Extension], tuple[Malformed, ...]]:
    """The extensions from ``at`` on, where the reading ended, and why if that was not at the end."""
    found: list[Extension] = []
    if at + 2 > end:
        return at, found, ()
    stop = at + 2 + (message[at] << 8 | message[at + 1])
    if stop > end:
        if whole:
            return at, found, (Malformed(layer="tls.extensions", at_byte=at, why="longer than the message"),)
        stop = end
    at += 2
    while at + 4 <= stop:
        after = at + 4 + (message[at + 2] << 8 | message[at + 3])
        if after > stop:
            break
        found.append((message[at] << 8 | message[at + 1], message[at + 4 : after]))
        at = after
    if at < stop and whole:
        return at, found, (Malformed(layer="tls.extensions", at_byte=at, why="an extension is longer than the list"),)
    return at, found, ()


def _body(extensions: tuple[Extension, ...], kind: int) -> bytes | None:
    for each, body in extensions:
        if each == kind:
            return body
    return None


def host_name(extension: bytes) -> str | None:
    """The host name of a server_name extension, lower case, printable; None if there is none (RFC 6066 section 3)."""
    if len(extension) < 5 or extension[2] != 0:
        return None
    size = extension[3] << 8 | extension[4]
    if size > len(extension) - 5:
        return None
    return tidy_name(extension[5 : 5 + size])


def tidy_name(name: bytes) -> str | None:
    """A name as reports write it: lower case, no final dot, printable; None if empty or too long to be one."""
    if name.endswith(b"."):
        name = name[:-1]
    if not name or len(name) > LONGEST_NAME_BYTES:
        return None
    name = name.lower()
    if name.isascii():
        text = name.decode("ascii")
        if text.isprintable() and " " not in text:
            return text
    return printable(name)


def numbers(body: bytes) -> tuple[int, ...]:
    """Bytes as 16-bit numbers, an odd last byte left out."""
    return unpack_from(f">{len(body) >> 1}H", body)


def short_strings(body: bytes) -> tuple[bytes, ...]:
    """Strings that each follow one byte of length, up to the first that is cut off."""
    found = []
    at = 0
    while at < len(body) and (stop := at + 1 + body[at]) <= len(body):
        found.append(body[at + 1 : stop])
        at = stop
    return tuple(found)
