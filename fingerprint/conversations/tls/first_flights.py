"""What answered a ClientHello: the ServerHello, the certificate if it is in the clear, what the client made of it.

A `Flight` is facts only. TLS 1.2 and older show the certificate; of TLS 1.3 there is the ServerHello alone. Both tell
how long the answer took, and the client's alert, where it sends one in the clear, what it thought of who signed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from captures.columns import Mark
from fingerprint.conversations.openings import Opening, opening
from fingerprint.conversations.segments import ACK, SYN, Segment
from fingerprint.conversations.streams import HEAD_PKTS, Stream
from fingerprint.messages.certificate import Certificate, UnreadableCertificate, read_certificate
from fingerprint.messages.tls import ServerHello, hello_of_server, tls_client_side, tls_server_side

TLS_1_3 = 0x0304
# RFC 8446 section 6.2: bad_certificate, certificate_unknown, unknown_ca. An expired one is another matter.
TURNED_AWAY = {42: "bad_certificate", 46: "certificate_unknown", 48: "unknown_ca"}
# RFC 8446: an encrypted Finished takes at most 74 bytes, an alert 19; who sends more has asked for something.
ASKED_BYTES = 100
# Hello and flight, request and answer.
EXCHANGE_WORDS = 4
# Flights of one name at one place that are read; more would only repeat them.
READ = 8
# A client that turned a certificate away sends little after its hello.
LEFT_BYTES = 6000
_BEGUN_BYTES = 16384


@dataclass(frozen=True, kw_only=True, eq=False)
class Flight:
    """A server's first flight, or that of whoever spoke in its place."""

    stream: Stream

    @property
    def name(self) -> str | None:
        """The name in the hello."""
        return self.stream.name

    @property
    def place(self) -> tuple[str, str, int]:
        """Client, address, port."""
        return self.stream.client.address, self.stream.server.address, self.stream.server.port

    @cached_property
    def took_s(self) -> float:
        """From the last byte of the hello to the first of the flight."""
        o = self.opening
        asked = [s for s in o.request if o.answer is not None and s.number < o.answer.number]
        if o.answer is None or not asked:
            return float("inf")
        return (o.answer.time_ns - asked[-1].time_ns) / 1e9

    @property
    def about_took_s(self) -> float:
        """`took_s` told from the summary alone, from the first byte of the hello."""
        times = self.stream.recording.columns.time_ns
        return float(times[self.stream.answer_row] - times[self.stream.request_row]) / 1e9

    @property
    def about_handshake_s(self) -> float:
        """`handshake_s` told from the summary alone: to the first packet that is not the first one's sender's."""
        c, rows = self.stream.recording.columns, self.stream.rows[:8]
        back = rows[c.direction[rows] != c.direction[rows[0]]]
        return float(c.time_ns[back[0]] - c.time_ns[rows[0]]) / 1e9 if len(back) else float("inf")

    @cached_property
    def opening(self) -> Opening:
        """The exchange that it is a part of."""
        return opening(self.stream)

    @cached_property
    def handshake_s(self) -> float | None:
        """What the handshake of this very connection took; None where its SYN was repeated or not captured."""
        head = self.stream.head
        syns = [s for s in head if s.from_client and s.flags & SYN and not s.flags & ACK]
        answers = [s for s in head if not s.from_client and s.flags & SYN]
        if len(syns) != 1 or len(answers) != 1:
            return None
        return (answers[0].time_ns - syns[0].time_ns) / 1e9

    @cached_property
    def hello(self) -> ServerHello | None:
        """The ServerHello, as far as the first segment of the flight holds it."""
        payload = self.stream.recording.payload(self.stream.answer_row)
        return hello_of_server(payload)

    @cached_property
    def shape(self) -> tuple[object, ...]:
        """What a server's software and settings decide of a ServerHello, given one and the same ClientHello."""
        hello = self.hello
        if hello is None or not hello.complete:
            return ()
        return hello.version, hello.cipher_suite, tuple(kind for kind, _ in hello.extensions)

    @cached_property
    def chain(self) -> tuple[Certificate | UnreadableCertificate, ...]:
        """The certificates that can be read, the server's own first; of TLS 1.3 only where the reader had the keys."""
        if self.hello is None or self.hello.version >= TLS_1_3:
            return tuple(read_certificate(der) for der in self._decrypted)
        return tuple(read_certificate(der) for der in tls_server_side(self._begun(from_client=False)).certificates)

    @property
    def _decrypted(self) -> tuple[bytes, ...]:
        opened = self.stream.recording.decrypted
        rows = self.stream.rows.tolist() if opened else ()
        return next((opened[row].certificates for row in rows if row in opened and opened[row].certificates), ())

    @property
    def leaf(self) -> Certificate | None:
        """The certificate of whoever answered, if it can be read."""
        first = self.chain[0] if self.chain else None
        return first if isinstance(first, Certificate) else None

    @property
    def unreadable(self) -> UnreadableCertificate | None:
        """What stands in its place, if it cannot."""
        first = self.chain[0] if self.chain else None
        return first if isinstance(first, UnreadableCertificate) else None

    @cached_property
    def turned_away(self) -> str | None:
        """The client's alert about who signed; None if it sent none in the clear."""
        marks = self.stream.recording.columns.mark[self.stream.rows[:HEAD_PKTS]]
        if self.stream.client_bytes > LEFT_BYTES or not (marks == int(Mark.TLS_ALERT)).any():
            return None
        alerts = tls_client_side(self._begun(from_client=True)).alerts
        return next((TURNED_AWAY[a.description] for a in alerts if a.description in TURNED_AWAY), None)

    @cached_property
    def taken(self) -> bool:
        """The client went on to ask for something, and was answered."""
        side = tls_client_side(self._begun(from_client=True))
        if self.turned_away or side.application_data_bytes < ASKED_BYTES:
            return False
        words: list[bool] = []
        for s in self.stream.head:
            if s.payload_bytes and (not words or words[-1] != s.from_client):
                words.append(s.from_client)
        return len(words) >= EXCHANGE_WORDS

    @property
    def shown(self) -> tuple[Segment, ...]:
        """The hello and the segments of the flight, to cite."""
        return (*self.opening.request[:1], *self._said()) or self.stream.head[:1]

    @property
    def alerting(self) -> tuple[Segment, ...]:
        """The hello, and the client's alert."""
        alert = int(Mark.TLS_ALERT)
        said = [s for s in self.stream.head if s.from_client and s.payload_bytes and s.mark == alert]
        return (*self.opening.request[:1], *said[:1]) or self.stream.head[:1]

    @property
    def strange_header(self) -> str | None:
        """How the flight's segments differ from the same sender's SYN-ACK where a host's do not; None if they agree."""
        o = self.opening
        if o.syn is None or o.syn_ack is None or o.answer is None:
            return None
        unlike = []
        if o.answer.ttl_hops != o.syn_ack.ttl_hops:
            unlike.append(f"a hop limit of {o.answer.ttl_hops} after {o.syn_ack.ttl_hops}")
        # RFC 7323 section 3.2: once negotiated, every segment carries timestamps.
        if o.syn.has_timestamps and o.syn_ack.has_timestamps and not o.answer.has_timestamps:
            unlike.append("no timestamps, though they were agreed on")
        return " and ".join(unlike) or None

    def _said(self) -> tuple[Segment, ...]:
        answer = self.opening.answer
        if answer is None:
            return ()
        head = self.stream.head
        until = next(
            (s.time_ns for s in head if s.from_client and s.payload_bytes and s.time_ns > answer.time_ns), None
        )
        said = [s for s in head if not s.from_client and s.payload_bytes and s.time_ns >= answer.time_ns]
        return tuple(s for s in said if until is None or s.time_ns <= until)[:4]

    def _begun(self, *, from_client: bool) -> bytes:
        """The start of one direction, as far as the stream's first segments hold it without a hole."""
        out = b""
        for s in sorted((s for s in self.stream.head if s.from_client == from_client), key=lambda s: s.seq):
            at = s.seq - 1
            if s.payload_bytes and not s.flags & SYN and at <= len(out) < s.end - 1:
                out += self.stream.recording.payload(s.row)[len(out) - at :]
            if len(out) >= _BEGUN_BYTES:
                break
        return out


def flights(streams: Iterable[Stream]) -> Iterator[Flight]:
    """The flights of all TLS connections that were answered, a few for each name at each place, no limited hellos."""
    counted: dict[tuple[object, ...], int] = {}
    for stream in streams:
        if stream.protocol != "tls" or not stream.answered or stream.request_ttl_hops is not None:
            continue
        key = (stream.client.address, stream.name, stream.server)
        counted[key] = counted.get(key, 0) + 1
        if counted[key] <= READ:
            yield Flight(stream=stream)


def covers(leaf: Certificate, name: str) -> bool:
    """Whether a certificate is good for a name (RFC 6125 section 6.4.3: a star stands for one whole label)."""
    name = name.lower().rstrip(".")
    names = [n.lower().rstrip(".") for n in leaf.names]
    if not names:
        names = [n.lower() for n in (attribute(leaf.subject, "CN"),) if n]
    return any(n == name or (n.startswith("*.") and n[2:] == name.partition(".")[2]) for n in names)


def attribute(distinguished: str | None, kind: str) -> str | None:
    """The first value of an attribute of an RFC 4514 name, its escapes taken off; None if it has none."""
    for part in _split(distinguished or ""):
        key, equals, value = part.partition("=")
        if equals and key.strip().upper() == kind:
            return _plain(value)
    return None


def _split(text: str) -> Iterator[str]:
    start = at = 0
    while at < len(text):
        if text[at] == "\\":
            at += 1
        elif text[at] in ",+":
            yield text[start:at]
            start = at + 1
        at += 1
    yield text[start:]


def _plain(value: str) -> str:
    out, at = [], 0
    while at < len(value):
        at += value[at] == "\\" and at + 1 < len(value)
        out.append(value[at])
        at += 1
    return "".join(out)


def signer(leaf: Certificate) -> str:
    """Who signed, as far as two authorities of one organisation are one: its organisation, else the whole name."""
    return attribute(leaf.issuer, "O") or leaf.issuer or ""
