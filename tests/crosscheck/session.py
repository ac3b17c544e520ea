"""A TLS 1.3 session with its key log, made in memory and written as a capture."""

from __future__ import annotations

import datetime as dt
import ssl
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from fingerprint.testing.conversation import Conversation

REQUEST = b"GET /news HTTP/1.1\r\nHost: inside.forum.test\r\n\r\n"
ANSWER = b"HTTP/1.1 418 Short and stout\r\nContent-Length: 2\r\n\r\nno"


@dataclass
class Session:
    """The flights of one session, client first, and where its secrets are."""

    keylog: Path
    issuer: str
    flights: list[bytes] = field(default_factory=list)

    def over(self, talk: Conversation) -> Conversation:
        """The session over a connection made by hand."""
        talk.opens()
        for i, flight in enumerate(self.flights):
            pieces = [flight[at : at + 1200] for at in range(0, len(flight), 1200)]
            for piece in pieces:
                (talk.asks if i % 2 == 0 else talk.answers)(piece)
        return talk


def session(folder: Path, name: str = "forum.test", *, issuer: str = "Honest CA") -> Session:
    """Handshake, request and answer between two ends in memory."""
    folder.mkdir(exist_ok=True)
    chain = _certificate(folder, name, issuer)
    keylog = folder / "keys.log"
    here, there = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    here.check_hostname, here.verify_mode = False, ssl.CERT_NONE
    here.minimum_version = ssl.TLSVersion.TLSv1_3
    here.keylog_filename = str(keylog)
    there.load_cert_chain(chain)
    there.num_tickets = 0
    made = Session(keylog=keylog, issuer=issuer)
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = here.wrap_bio(to_client, to_server, server_hostname=name)
    server = there.wrap_bio(to_server, to_client, server_side=True)
    for end, act in (
        (client, client.do_handshake), (server, server.do_handshake), (client, client.do_handshake),
    ):  # fmt: skip
        _try(act)
        _flush(made, to_server if end is client else to_client, end is client)
    _try(server.do_handshake)
    client.write(REQUEST)
    _flush(made, to_server, from_client=True)
    server.read(4096)
    server.write(ANSWER)
    _flush(made, to_client, from_client=False)
    return made


def _try(act):
    try:
        act()
    except ssl.SSLWantReadError:
        return


def _flush(made: Session, pipe: ssl.MemoryBIO, from_client: bool) -> None:
    said = pipe.read()
    pipe.write(said)  # still to be read by the other end
    if not said:
        return
    if (len(made.flights) % 2 == 0) == from_client:
        made.flights.append(said)
    else:
        made.flights[-1] += said


def _certificate(folder: Path, name: str, issuer: str) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    signer = ec.generate_private_key(ec.SECP256R1())
    made = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(
            x509.Name(
                [
                    x509.NameAttribute(NameOID.ORGANIZATION_NAME, issuer),
                    x509.NameAttribute(NameOID.COMMON_NAME, issuer),
                ]
            )
        )
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(dt.datetime(2020, 3, 1, tzinfo=dt.UTC))
        .not_valid_after(dt.datetime(2030, 3, 1, tzinfo=dt.UTC))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(signer, SHA256())
    )
    file = folder / "chain.pem"
    file.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + made.public_bytes(Encoding.PEM)
    )
    return file
