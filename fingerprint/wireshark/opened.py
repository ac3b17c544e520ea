"""What a key log opens: the certificates of TLS 1.3 and the requests and answers inside, as facts beside a verdict.

Decrypted by tshark. A chain goes where chains in the clear go, so that an interception shows as it does in TLS 1.2;
what was asked and answered inside is told as an observation and moves no verdict.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from captures.recording import Decrypted, Recording
from fingerprint.capture import Capture
from fingerprint.conversations.streams import Stream
from fingerprint.messages.certificate import Certificate, read_certificate
from fingerprint.technique import Clue, Evidence, Subject, cite
from fingerprint.verdict.model import Verdict
from fingerprint.wireshark.keylog import Keylog

# Sessions of one capture whose inside is told, and exchanges of each: a report is no log.
MOST_SESSIONS, MOST_EXCHANGES = 100, 4
BY = "keylog"

CERTIFICATE = Clue(
    id="certificate-under-the-key-log",
    says="inside the TLS session {name} is shown a certificate of {holder}, signed by {issuer}; "
    "SHA-256 of its key {key}",
    group="decrypted",
    given={},
    source="RFC 8446 section 4.4.2, decrypted with the key log given",
)
EXCHANGE = Clue(
    id="exchange-under-the-key-log",
    says="inside the TLS session {what}",
    group="decrypted",
    given={},
    source="RFC 9110, decrypted with the key log given",
)


class Frame(NamedTuple):
    """A packet to cite."""

    capture: int
    number: int


def opened(recording: Recording, file: Path, keylog: Keylog) -> Recording:
    """The recording with what tshark decrypts of it; `Recording.errors` says so if the key log is of another session.

    Raises PrivilegeError without tshark, CaptureError if it fails.
    """
    from fingerprint.wireshark import shark

    capture = Capture(recordings=(recording,))
    complaint = keylog.complaint(capture)
    if complaint is None:
        by_trial = keylog.of(capture)
        mine = {row for s in capture.streams if s.trial in by_trial for row in s.rows.tolist()}
        mine |= {row for q in capture.quic for row in q.rows.tolist()} if keylog.over_quic(capture) else set()
        found = {number - 1: shown(cells) for number, cells in shark.decrypted(file, keylog.path) if number - 1 in mine}
        if found:
            return replace(recording, decrypted=found)
        complaint = (
            f"{keylog.path.name}: shows nothing; its secrets are not those of the packets, or few packets are here"
        )
    return replace(recording, errors=(*recording.errors, complaint))


def shown(cells: list[tuple[str, ...]]) -> Decrypted:
    """What tshark's columns say of one packet."""
    certificates, hosts, authorities, statuses, codes = cells
    chain = tuple(bytes.fromhex(c.replace(":", "")) for c in certificates)
    return Decrypted(certificates=chain, hosts=(*hosts, *authorities), statuses=(*statuses, *codes))


def with_observations(verdicts: tuple[Verdict, ...], capture: Capture) -> tuple[Verdict, ...]:
    """The verdicts, each with what was seen inside the sessions of its target."""
    if not any(r.decrypted for r in capture.recordings):
        return verdicts
    by_name: dict[str, list[tuple[str, Evidence]]] = {}
    told = 0
    for stream in capture.streams:
        said = [(BY, e) for e in evidence(stream)] if stream.name and told < MOST_SESSIONS else []
        told += bool(said)
        by_name.setdefault(stream.name or "", []).extend(said)
    return tuple(replace(v, observations=(*v.observations, *by_name.get(v.target, ()))) for v in verdicts)


def evidence(stream: Stream) -> Iterator[Evidence]:
    """What the packets of one session show inside, as observations."""
    inside = stream.recording.decrypted
    rows = [row for row in stream.rows.tolist() if row in inside]
    name, server = stream.name or stream.server.address, stream.server
    subject = Subject(name=stream.name, address=server.address, port=server.port, protocol="tls", trial=stream.trial)
    for row in [r for r in rows if inside[r].certificates][:1]:
        leaf = read_certificate(inside[row].certificates[0])
        if isinstance(leaf, Certificate):
            at, key = Frame(stream.capture, row + 1), leaf.key_sha256
            yield cite(CERTIFICATE, subject, at, name=name, holder=leaf.subject, issuer=leaf.issuer, key=key)
    for row in [r for r in rows if inside[r].hosts or inside[r].statuses][:MOST_EXCHANGES]:
        asked = [f"{host} is asked for" for host in inside[row].hosts]
        answered = [f"status {status} answers" for status in inside[row].statuses]
        yield cite(EXCHANGE, subject, Frame(stream.capture, row + 1), what=", ".join((*asked, *answered)))


__all__ = ["BY", "opened", "with_observations"]
