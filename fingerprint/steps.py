"""The words a probe is written in.

A probe is a generator. It yields `Send` and `Wait`, and receives `Replies` for every `Send`:

>>> def probe(self, target):
...     for control, trigger in ((target.controls[0].name, target.name),):
...         replies = yield Send(Hello(address=target.addresses[0], name=control), label="control", role="control")
...         replies = yield Send(Hello(address=target.addresses[0], name=trigger), label="trigger")

What is sent is a message, plain data. Who carries it is no concern of the technique: the same generator runs on a live
wire, in the laboratory of namespaces, and on a simulated path in virtual time. The engine orders the steps of all
techniques, keeps residual windows, budgets and caps, and may stop a probe early by closing the generator.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from random import Random
from typing import TypeVar

from fingerprint.technique import Clue

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """A name that nobody should mind, with the addresses it lives at (empty for a name that was never registered)."""

    name: str
    addresses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What the user asked about. Addresses are IPv4 and IPv6 as text, resolved once before the first step."""

    name: str
    addresses: tuple[str, ...] = ()
    port: int = 443
    secure: bool = True  # TLS; False for plain HTTP
    path: str = "/"  # of the page or file that is fetched
    controls: tuple[Control, ...] = ()
    resolvers: tuple[str, ...] = ()  # the given ones, or the system's
    seed: int = 0  # recorded in the script
    hops: int = 30  # as far as a sweep goes
    residual_s: float = 180.0  # what the engine keeps between a trigger and the next step on that address
    transfer_bytes: int = 5_000_000  # the most that one transfer may move

    def shuffled(self, items: tuple[T, ...], salt: str = "") -> tuple[T, ...]:
        """The items in an order that depends on the seed alone."""
        return tuple(Random(f"{self.seed}:{self.name}:{salt}").sample(items, len(items)))  # noqa: S311  # an order, no secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A DNS query of type A or AAAA, over UDP or TCP."""

    resolver: str
    name: str
    rtype: str = "A"
    over: str = "udp"
    port: int = 53
    ttl_hops: int | None = None  # None: the host's own


@dataclass(frozen=True, slots=True, kw_only=True)
class Handshake:
    """A TCP connection that is opened, held for a moment and closed."""

    address: str
    port: int = 443
    ttl_hops: int | None = None  # of the SYN


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoy:
    """A ClientHello (or request) for another name, put on the wire at the sequence number of the real one before it.

    It dies after ``ttl_hops``; only what stands before that sees it. Needs CAP_NET_RAW.
    """

    name: str
    ttl_hops: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Hello:
    """A TLS connection to ``address`` that names ``name``; the handshake is finished and one small page is asked for.

    ``form`` is one of FORMS, or of those below them. With ``ttl_hops`` the handshake of TCP travels normally and
    everything after it, with all retransmissions, only that far. ``size_bytes`` pads the ClientHello, so that control
    and trigger are equal.
    """

    address: str
    port: int = 443
    name: str | None = None
    size_bytes: int | None = None
    form: str = "plain"
    ttl_hops: int | None = None
    decoy: Decoy | None = None


# How a hello may be told: what of these passes shows what a DPI reassembles and how it matches.
FORMS = ("plain", "large", "split-at-name", "record-split", "mixed-case", "trailing-dot", "no-name", "ech")
# One more names nobody and allows TLS 1.2 at most: the server's certificate, in the clear, names it the other way.
NAMED_BY_SERVER = "named-by-server"
# The same with the name in it: whose certificate the name is shown.
IN_THE_CLEAR = "in-the-clear"
# One hello of one client, equally long: without a veil, with an encrypted_client_hello, with an encrypted_server_name
# and no other name. And the same name as another client than the usual one says it.
BARE, VEILED, ESNI, OTHER_CLIENT = "bare", "veiled", "esni", "other-client"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """An HTTP request in the clear; ``form`` is one of REQUEST_FORMS."""

    address: str
    port: int = 80
    host: str | None = None
    path: str = "/"
    form: str = "plain"
    ttl_hops: int | None = None


# How a request may tell its Host: a server reads the same one in all of them.
REQUEST_FORMS = ("plain", "split-at-host", "more-blanks", "mixed-field", "mixed-host", "absolute")


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """A download (or upload) of ``size_bytes`` at most, for ``seconds`` at most, over TLS or plain HTTP."""

    address: str
    port: int = 443
    name: str | None = None
    secure: bool = True
    path: str = "/"
    size_bytes: int = 5_000_000
    seconds: float = 8.0
    upload: bool = False
    decoy: Decoy | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """A TCP connection whose first words are ``payload``, whatever protocol that is.

    ``name`` is what an observer could read in it, None for nothing. With ``ttl_hops`` the handshake travels normally
    and everything after it only that far.
    """

    address: str
    port: int
    payload: bytes
    name: str | None = None
    ttl_hops: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Datagram:
    """A UDP datagram, sent ``copies`` times, ``gap_s`` apart, from one port; no more once something comes back.

    ``name`` is what an observer could read in it (the SNI of a QUIC Initial), None for nothing.
    """

    address: str
    port: int
    payload: bytes
    name: str | None = None
    copies: int = 1
    gap_s: float = 1.0
    ttl_hops: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Crafted:
    """Packets as they are, IP header first, built by `fingerprint.probing.crafting`. Needs CAP_NET_RAW."""

    packets: tuple[bytes, ...]
    address: str  # where they go
    user_space: bool = False  # a handshake of our own: the kernel's resets are held back while it lasts


Message = Query | Handshake | Hello | Request | Transfer | Payload | Datagram | Crafted


@dataclass(frozen=True, slots=True, kw_only=True)
class Replies:
    """What came back for one `Send`.

    ``outcome``: ``answered`` (the far end said something beyond TCP), ``alert``, ``reset``, ``closed``, ``refused``,
    ``silent``, ``taken`` (a payload was acknowledged, and nothing was said), ``garbled`` (what came is no answer to
    what was said), ``stalled`` (it began to answer and stopped),
    ``unanswered`` (no handshake), ``unreachable`` (ICMP or no route), ``slow`` (a transfer that ran out of time),
    ``failed`` (this machine could not send it; ``why`` says why), ``skipped`` (it was not sent: the answer would not
    change, or the budget is spent).
    """

    outcome: str
    took_s: float | None = None  # from the message to the first reply
    received_bytes: int = 0
    sent_bytes: int = 0
    span_s: float = 0.0  # of a transfer, first byte to last
    local_port: int | None = None
    answers: tuple[str, ...] = ()  # of a query: addresses given, over all answers; of a sweep: routers heard
    heard: bytes = b""  # of a payload or datagram: the first thing that came back
    why: str = ""

    @property
    def passed(self) -> bool:
        """The far end itself spoke."""
        return self.outcome in ("answered", "alert", "slow")


@dataclass(frozen=True, slots=True)
class Send:
    """One message, and how long to listen for what comes back."""

    message: Message
    label: str = field(kw_only=True)  # "hello, 7 hops": for people and the script
    role: str = field(kw_only=True, default="target")  # target: it may trigger; control: it must not
    listen_s: float = field(kw_only=True, default=2.0)
    shows: tuple[Clue, ...] = field(kw_only=True, default=())  # clues that this step, with its pair, could bring
    seeks: str = field(kw_only=True, default="mechanism")  # or location, profile, rate: asked once something was found
    trial: int = field(kw_only=True, default=0)  # steps of one technique with one number stay together
    at_once: bool = field(kw_only=True, default=False)  # inside a residual window on purpose: it measures the scope


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing is sent for that long."""

    seconds: float
    label: str = field(kw_only=True, default="wait")


Step = Send | Wait
Probe = Generator[Step, Replies | None, None]
