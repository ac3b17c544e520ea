"""The opening of a QUIC connection: who asked for which name, and what came back that anybody can read.

Theory of operation. The keys of Initial packets follow from the connection id that the client first sent to, and a
Retry replaces it. So every client Initial is tried with the keys known so far, and then with its own connection id;
what authenticates is true, for chance cannot make a tag of sixteen bytes. The server's Initials open with the same
ids, in the version that they name (a server may answer in another one, RFC 9368). CRYPTO frames are joined by offset,
the first copy of a byte winning, and the ClientHello is read as far as there is no hole. Everything beyond (Handshake,
0-RTT, 1-RTT) is only counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from captures.marks import printable
from captures.packet import Malformed
from fingerprint.messages import quic_keys
from fingerprint.messages.quic_frames import Close, Fragment, frames, joined
from fingerprint.messages.quic_headers import Header, Kind, headers
from fingerprint.messages.tls_hello import ClientHello, ServerHello, read_client_hello, read_server_hello

__all__ = ["Close", "Kind", "QuicOpening", "QuicPacket", "read_initials"]

# Connection ids whose keys are tried: a client has one, two with a Retry; a capture of reused ports has a few.
_KEYS_AT_MOST: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class QuicPacket:
    """One packet of a datagram; ``datagram`` counts from 0 within the side that sent it."""

    from_client: bool
    datagram: int
    kind: Kind
    version: int | None
    dcid: bytes
    scid: bytes
    token: bytes
    size_bytes: int
    authenticated: bool | None  # of Initials and Retries, None where it cannot be told
    packet_number: int | None
    crypto: tuple[Fragment, ...]
    closes: tuple[Close, ...]
    acknowledges: bool  # an ACK frame is in it
    versions: tuple[int, ...]  # that a Version Negotiation offers


@dataclass(frozen=True, slots=True, kw_only=True)
class QuicOpening:
    """All that the Initials of one connection show. Handshake bytes are joined from the start to the first hole."""

    packets: tuple[QuicPacket, ...]  # the client's, then the server's
    client_crypto: bytes
    server_crypto: bytes
    client_hello: ClientHello | None
    server_hello: ServerHello | None
    malformed: tuple[Malformed, ...]

    @property
    def first(self) -> QuicPacket | None:
        """The client's first packet with a long header."""
        return next((p for p in self.packets if p.from_client and p.kind is not Kind.SHORT), None)

    @property
    def version(self) -> int | None:
        """The version of the client's first packet."""
        return self.first.version if self.first else None

    @property
    def version_name(self) -> str | None:
        """That version as people write it: v1, v2, draft-29, Q043, 0x1a2a3a4a."""
        return None if self.version is None else version_name(self.version)

    @property
    def dcid(self) -> bytes | None:
        """The connection id that the client first sent to."""
        return self.first.dcid if self.first else None

    @property
    def scid(self) -> bytes | None:
        """The client's own connection id."""
        return self.first.scid if self.first else None

    @property
    def token(self) -> bytes:
        """The first token that the client presented: of a Retry, or of an earlier connection."""
        return next((p.token for p in self.packets if p.from_client and p.token), b"")

    @property
    def sni(self) -> str | None:
        """The server name of the ClientHello."""
        return self.client_hello.sni if self.client_hello else None

    @property
    def version_negotiation(self) -> QuicPacket | None:
        """The server's Version Negotiation; it is not authenticated, anybody on the path can write one."""
        return next((p for p in self.packets if p.kind is Kind.VERSION_NEGOTIATION and not p.from_client), None)

    @property
    def retry(self) -> QuicPacket | None:
        """The server's Retry; `authenticated` tells whether its sender had seen the client's Initial."""
        return next((p for p in self.packets if p.kind is Kind.RETRY and not p.from_client), None)

    @property
    def closes(self) -> tuple[tuple[QuicPacket, Close], ...]:
        """Every CONNECTION_CLOSE in an Initial, with its packet; whoever saw the client's Initial can write one."""
        return tuple((packet, close) for packet in self.packets for close in packet.closes)

    def initials(self, *, from_client: bool) -> tuple[QuicPacket, ...]:
        """The Initials of one side that authenticate."""
        return tuple(
            p for p in self.packets if p.from_client == from_client and p.kind is Kind.INITIAL and p.authenticated
        )

    @property
    def hello_datagrams(self) -> tuple[int, ...]:
        """The client's datagrams that carry bytes of its ClientHello, repeats included."""
        return tuple(sorted({p.datagram for p in self.initials(from_client=True) if p.crypto}))

    @property
    def server_answered(self) -> bool:
        """Whether the server's side said anything that only who read the client's Initial could say."""
        return any(not p.from_client and p.authenticated for p in self.packets)


def version_name(version: int) -> str:
    """A version as people write it."""
    match version:
        case quic_keys.VERSION_1:
            return "v1"
        case quic_keys.VERSION_2:
            return "v2"
        case _ if version >> 8 == quic_keys.DRAFT >> 8:
            return f"draft-{version & 0xFF}"
        case _ if version >> 24 in (ord("Q"), ord("T")) and version.to_bytes(4, "big")[1:].isdigit():
            return printable(version.to_bytes(4, "big"))  # Google's own versions, before the standard
        case _:
            return f"0x{version:08x}"


class _Keys:
    """The keys known so far, made when first asked for."""

    def __init__(self) -> None:
        self.ids: list[bytes] = []
        self._made: dict[tuple[int, bytes], tuple[quic_keys.InitialKeys, quic_keys.InitialKeys]] = {}

    def open(self, header: Header, *, from_client: bool) -> quic_keys.Opened | None:
        if header.version is None or not header.complete:
            return None
        for connection_id in self.ids:
            opened = self._open_with(header, header.version, connection_id, from_client=from_client)
            if opened is not None:
                return opened
        if not from_client or header.dcid in self.ids or len(self.ids) >= _KEYS_AT_MOST:
            return None
        opened = self._open_with(header, header.version, header.dcid, from_client=True)
        if opened is not None:
            self.ids.append(header.dcid)
        return opened

    def _open_with(
        self, header: Header, version: int, connection_id: bytes, *, from_client: bool
    ) -> quic_keys.Opened | None:
        made = self._made.get((version, connection_id))
        if made is None:
            made = quic_keys.initial_keys(version, connection_id)
            # Keys of ids that opened nothing are not kept: a flood of junk must not fill the memory.
            if connection_id in self.ids:
                self._made[version, connection_id] = made
        return quic_keys.open_initial(made[0 if from_client else 1], header.packet, header.number_at)


def read_initials(client: Sequence[bytes], server: Sequence[bytes] = ()) -> QuicOpening:
    """What the datagrams of one UDP conversation show, each side's in order of time.

    Datagrams that are no QUIC are told in ``malformed`` and change nothing else. Only one connection is read: of a
    second one on the same ports, bytes of its ClientHello never replace bytes of the first.
    """
    keys = _Keys()
    packets: list[QuicPacket] = []
    malformed: list[Malformed] = []
    for from_client, datagrams in ((True, client), (False, server)):
        for index, datagram in enumerate(datagrams):
            for header in headers(datagram):
                if isinstance(header, Malformed):
                    malformed.append(header)
                else:
                    packets.append(_read(header, keys, malformed, from_client=from_client, datagram=index))
    client_crypto = joined(f for p in packets if p.from_client for f in p.crypto)
    server_crypto = joined(f for p in packets if not p.from_client for f in p.crypto)
    return QuicOpening(
        packets=tuple(packets),
        client_crypto=client_crypto,
        server_crypto=server_crypto,
        client_hello=read_client_hello(client_crypto, over_quic=True),
        server_hello=read_server_hello(server_crypto),
        malformed=tuple(malformed),
    )


def _read(header: Header, keys: _Keys, malformed: list[Malformed], *, from_client: bool, datagram: int) -> QuicPacket:
    opened: quic_keys.Opened | None = None
    authenticated: bool | None = None
    crypto: list[Fragment] = []
    closes: list[Close] = []
    acknowledges = False
    if header.kind is Kind.INITIAL and (opened := keys.open(header, from_client=from_client)):
        authenticated = True
        for frame in frames(opened.plain):
            match frame:
                case Fragment():
                    crypto.append(frame)
                case Close():
                    closes.append(frame)
                case Malformed():
                    malformed.append(frame)
                case _:
                    acknowledges = True
    elif header.kind is Kind.INITIAL and keys.ids and header.complete:
        authenticated = False
    elif header.kind is Kind.RETRY and keys.ids and header.version is not None:
        verdicts = [quic_keys.retry_is_genuine(header.version, header.packet, original) for original in keys.ids]
        authenticated = any(verdicts)
    return QuicPacket(
        from_client=from_client,
        datagram=datagram,
        kind=header.kind,
        version=header.version,
        dcid=header.dcid,
        scid=header.scid,
        token=header.token,
        size_bytes=len(header.packet),
        authenticated=authenticated,
        packet_number=opened.packet_number if opened else None,
        crypto=tuple(crypto),
        closes=tuple(closes),
        acknowledges=acknowledges,
        versions=header.versions,
    )
