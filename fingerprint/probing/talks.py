"""The bytes of the conversations that messages stand for, without IO (see `fingerprint.probing.carrier.Talk`).

Both the live wire and the simulated path speak through these, so that what the lab tests is what the field sends.
Whatever is heard, `Talk.feed` never raises: a censor may answer with anything.
"""

from __future__ import annotations

from random import Random
from typing import Literal

from fingerprint.probing import hellos, queries
from fingerprint.probing.carrier import Talk
from fingerprint.probing.http_bytes import Answer, host_of, pieces, request
from fingerprint.steps import (
    ESNI,
    VEILED,
    Crafted,
    Datagram,
    Handshake,
    Hello,
    Message,
    Payload,
    Query,
    Request,
    Transfer,
)

# After the first answer to a datagram one listens on: of a race the genuine answer is the later one. Farther than
# resolvers are (an anycast resolver answers within 0.1 s nearly everywhere).
LATE_S = 0.3
# What a small page is read of.
PAGE_BYTES = 4096
# An upload is written in pieces of one TLS record (RFC 8446 section 5.1).
RECORD_BYTES = 16_384
# TLS record types: alert and handshake (RFC 8446 section 5.1).
ALERT, HANDSHAKE = 21, 22

Ended = Literal["done", "fin", "reset", "time"]


def talk(message: Message, seed: int) -> Talk:
    """The conversation of a message; ``seed`` draws its filler and transaction id. Crafted packets have none."""
    match message:
        case Query():
            return QueryTalk(message, seed)
        case Hello():
            return TlsTalk(hello_engine(message, seed), message, seed)
        case Transfer(secure=True):
            name = hellos.spelled(message.name, "plain")
            return TlsTalk(hellos.Tls(name, size_bytes=hellos.SMALL_BYTES, seed=seed), message, seed)
        case Request() | Transfer():
            return PlainTalk(message, seed)
        case Payload() | Datagram():
            return FirstWords(message.payload)
        case Handshake():
            return NoTalk()
        case Crafted():
            raise ValueError("crafted packets are no conversation; put them on the wire as they are")


def said(message: Message, talked: Talk, ended: Ended, *, acknowledged: bool = True) -> str:
    """`Replies.outcome` of a conversation over an open connection, by how it ended.

    ``done``: the talk wanted no more; ``fin`` and ``reset``: the far end closed or reset before that; ``time``: nothing
    of the kind within `Send.listen_s` (or `Transfer.seconds`). ``acknowledged``: the far end has all that was said.
    """
    if isinstance(message, Payload):
        return first_words(message, talked, ended, acknowledged=acknowledged)
    if talked.done:
        return talked.outcome
    if ended == "reset":
        return "reset"
    if ended == "fin":
        whole = isinstance(message, Transfer) and talked.outcome == "answered" and talked.received_bytes > PAGE_BYTES
        return talked.outcome if whole or talked.outcome in ("alert", "garbled") else "closed"
    if talked.outcome != "answered":
        return talked.outcome
    return "slow" if isinstance(message, Transfer) else "stalled"


def first_words(message: Payload, talked: Talk, ended: Ended, *, acknowledged: bool) -> str:
    """The outcome of a payload. A server that speaks first has not answered while it has not acknowledged it."""
    if ended == "reset":
        return "reset"
    if talked.done and acknowledged:
        return talked.outcome
    if ended == "fin":
        return "closed"
    return "taken" if message.payload and acknowledged else "silent"


def decoy(message: Hello | Request | Transfer, opening: bytes, seed: int) -> bytes:
    """What `Decoy` puts in the place of ``opening``: the same words for the decoy's name, equally long."""
    other = message.decoy.name if not isinstance(message, Request) and message.decoy else None
    if other is None:
        raise ValueError("the message has no decoy")
    if isinstance(message, Transfer) and not message.secure:
        return request(other, message.path, first_bytes=None if message.upload else message.size_bytes)
    size_bytes = max(len(opening), hellos.SMALL_BYTES // 2)
    return hellos.Tls(hellos.spelled(other, "plain"), size_bytes=size_bytes, seed=seed).hello


def hello_engine(message: Hello, seed: int) -> hellos.Tls:
    """The TLS client behind a hello, its ClientHello of the wanted length."""
    size_bytes = message.size_bytes or (hellos.LARGE_BYTES if message.form == "large" else hellos.SMALL_BYTES)
    if message.form == "ech" and hellos.library() == "stdlib":
        size_bytes -= hellos.ECH_BYTES  # which is inserted afterwards
    size_bytes -= hellos.OPENSSL_FORMS.get(message.form, 0)
    name = hellos.spelled(message.name, message.form)
    return hellos.Tls(name, size_bytes=size_bytes, seed=seed, form=message.form)


class NoTalk:
    """A connection on which nothing is said."""

    done = True
    received_bytes = 0
    outcome = "answered"
    answers: tuple[str, ...] = ()

    def open(self) -> tuple[bytes, ...]:
        """Nothing."""
        return ()

    def feed(self, heard: bytes) -> tuple[bytes, ...]:  # noqa: ARG002  # whatever it is, there is no answer to it
        """Nothing."""
        return ()


class FirstWords:
    """Some bytes, whatever they mean, and the first thing that comes back. Done with that."""

    def __init__(self, words: bytes) -> None:
        """Say ``words``."""
        self._words = words
        self.done = False
        self.heard = b""
        self.received_bytes = 0
        self.answers: tuple[str, ...] = ()

    def open(self) -> tuple[bytes, ...]:
        """The words."""
        return (self._words,)

    def feed(self, heard: bytes) -> tuple[bytes, ...]:
        """Keep the first piece."""
        self.received_bytes += len(heard)
        self.heard = self.heard or heard
        self.done = True
        return ()

    @property
    def outcome(self) -> str:
        """Whatever comes is an answer, an empty datagram too."""
        return "answered" if self.done else "silent"


class QueryTalk:
    """One query, over UDP (each `feed` is a datagram) or TCP. Done at the first answer: see LATE_S."""

    def __init__(self, message: Query, seed: int) -> None:
        """The query of ``message``."""
        self._stream = message.over == "tcp"
        self._asked = queries.datagram(message, seed)
        self._heard = b""
        self.received_bytes = 0
        self.done = False
        self.outcome = "silent"
        self.answers: tuple[str, ...] = ()

    def open(self) -> tuple[bytes, ...]:
        """The query."""
        return (queries.framed(self._asked) if self._stream else self._asked,)

    def feed(self, heard: bytes) -> tuple[bytes, ...]:
        """Take in an answer; later ones add to `answers`."""
        self.received_bytes += len(heard)
        if not self._stream:
            self._take(heard)
            return ()
        self._heard += heard
        while len(self._heard) >= 2 and len(self._heard) >= 2 + (size := int.from_bytes(self._heard[:2], "big")):
            self._take(self._heard[2 : 2 + size])
            self._heard = self._heard[2 + size :]
        return ()

    def _take(self, message: bytes) -> None:
        given = queries.addresses(message, self._asked)
        if given is None:
            self.outcome = "garbled" if self.outcome == "silent" else self.outcome
            return
        self.done, self.outcome = True, "answered"
        self.answers = tuple(dict.fromkeys((*self.answers, *given)))


class PlainTalk:
    """HTTP in the clear: one request, and its answer as far as it is wanted."""

    def __init__(self, message: Request | Transfer, seed: int) -> None:
        """The request of ``message``."""
        self._writing, enough_bytes = _wanted(message, seed)
        self._answer = Answer(enough_bytes=enough_bytes)
        self.heard = b""  # its beginning: whether it is a page, a refusal or another place
        self.received_bytes = 0
        self.answers: tuple[str, ...] = ()

    def open(self) -> tuple[bytes, ...]:
        """The request."""
        return self._writing

    def feed(self, heard: bytes) -> tuple[bytes, ...]:
        """Take in a part of the answer."""
        self.received_bytes += len(heard)
        self.heard += heard[: max(0, PAGE_BYTES - len(self.heard))]
        self._answer.hear(heard)
        return ()

    @property
    def done(self) -> bool:
        """The page or file is through."""
        return self._answer.complete

    @property
    def outcome(self) -> str:
        """``garbled`` if it is no HTTP."""
        if not self.received_bytes:
            return "silent"
        return "answered" if self._answer.is_http else "garbled"


class TlsTalk:
    """TLS: the handshake, one request over it, and its answer as far as it is wanted."""

    def __init__(self, engine: hellos.Tls, message: Hello | Transfer, seed: int) -> None:
        """``engine`` has made its ClientHello and not yet heard anything."""
        self._tls = engine
        self._form = message.form if isinstance(message, Hello) else "plain"
        self._seed = seed
        self._writing, enough_bytes = _wanted(message, seed)
        self._answer = Answer(enough_bytes=enough_bytes)
        self._asked = self._first_flight = False
        # The server hears another hello than the client made, so that nothing beyond its first flight can come.
        self._unlike = self._form in ("ech", VEILED, ESNI) and engine.library == "stdlib"
        self._kind: int | None = None  # of the first record heard; 0 for what is no TLS
        self._head = b""
        self.received_bytes = 0
        self.answers: tuple[str, ...] = ()

    def open(self) -> tuple[bytes, ...]:
        """The ClientHello, in the pieces of its form."""
        return hellos.pieces(self._tls.hello, self._form, self._tls.name, self._seed)

    def feed(self, heard: bytes) -> tuple[bytes, ...]:
        """Take in bytes of the server, and go on."""
        self.received_bytes += len(heard)
        if self._kind is None:
            self._head += heard[:2]
            self._kind = _record_type(self._head)
        if self._unlike:
            self._first_flight = self._kind is not None
            return ()
        self._answer.hear(self._tls.hear(heard))
        writing = [self._tls.outgoing()]
        if self._tls.shaken and not self._asked and not self._tls.over:
            self._asked = True
            writing.extend(self._tls.say(part) for part in self._writing)
        return tuple(part for part in writing if part)

    @property
    def done(self) -> bool:
        """The page or file is through, or the server's TLS has ended, or nothing more can come."""
        return self._first_flight or self._tls.over or self._kind == 0 or self._answer.complete

    @property
    def outcome(self) -> str:
        """``alert`` if the server ended with one, ``garbled`` if it is no TLS."""
        if self._kind is None:
            return "silent"
        if self._kind == ALERT or self._tls.alerted:
            return "alert"
        return "answered" if self._kind else "garbled"


def _wanted(message: Hello | Request | Transfer, seed: int) -> tuple[tuple[bytes, ...], int]:
    """What is asked for, in pieces, and how much of the answer's body is enough."""
    match message:
        case Hello():
            name = message.name if message.form != "no-name" else None
            return (request(host_of(name, message.address), "/"),), PAGE_BYTES
        case Request():
            host = host_of(message.host, message.address)
            return pieces(request(host, message.path, form=message.form), host, message.form), PAGE_BYTES
    host = host_of(message.name, message.address)
    if not message.upload:
        return (request(host, message.path, first_bytes=message.size_bytes),), message.size_bytes
    draw, left = Random(f"upload:{seed}"), message.size_bytes  # noqa: S311  # filler that nothing compresses
    body = [draw.randbytes(min(RECORD_BYTES, left - at)) for at in range(0, left, RECORD_BYTES)]
    return (request(host, message.path, body_bytes=left), *body), PAGE_BYTES


def _record_type(head: bytes) -> int | None:
    """The type of a TLS record that begins so, 0 for what is none, None if too little was heard."""
    if not head:
        return None
    if head[0] not in (ALERT, HANDSHAKE) or (len(head) > 1 and head[1] != 3):
        return 0
    return head[0] if len(head) > 1 else None
