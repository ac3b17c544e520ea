"""What a measurement says happened, whichever test made it: lookups, connects, handshakes, exchanges, and the control.

Facts alone: a failure is the word of df-007 that the probe's own stack gave, and nothing is concluded from it here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

# df-007: failures that say only that the machine had no way to go, which is ordinary for IPv6; and interruptions.
UNROUTABLE = frozenset(
    {"network_unreachable", "host_unreachable", "network_down", "address_family_not_supported_error", "interrupted",
     "connection_already_closed"}
)  # fmt: skip
# df-007, of all clients: failure → what happened on the wire, in the second label of a node.
ENDINGS: Mapping[str, str] = {
    "connection_reset": "reset", "network_reset": "reset",
    "generic_timeout_error": "timeout", "tcp_timed_out_error": "timeout", "deferred_timeout_error": "timeout",
    "eof_error": "close", "connection_refused": "refused", "connection_refused_error": "refused",
}  # fmt: skip
# df-007: the certificate was read and not believed.
NOT_BELIEVED = frozenset(
    {"ssl_unknown_authority", "ssl_unknown_autority", "ssl_invalid_hostname", "ssl_invalid_certificate"}
)
ANOTHERS = "ssl_invalid_hostname"
# df-007: what a resolver said. SERVFAIL and the catch-alls are no node: a broken zone gives them as well.
ANSWERED_NO = {"dns_nxdomain_error": "nxdomain", "dns_refused_error": "refused"}
# Failures that have a place of their own; every other one is a remark.
WEIGHED = frozenset(ENDINGS) | NOT_BELIEVED | frozenset(ANSWERED_NO) | UNROUTABLE
# df-002: engines that ask the resolver of the line, or one in the clear; DoT and DoH tell of their own resolver.
PLAIN_ENGINES = frozenset({"system", "getaddrinfo", "golang_net_resolver", "go", "udp", "unknown", ""})
SYSTEM_ENGINES = PLAIN_ENGINES - {"udp"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookup:
    """A name that was looked up (df-002)."""

    name: str
    engine: str
    resolver: str | None  # its address, where one was named
    failure: str | None
    addresses: tuple[str, ...]
    asns: frozenset[int]  # of the addresses, as the probe says


@dataclass(frozen=True, slots=True, kw_only=True)
class Connect:
    """A TCP handshake (df-005)."""

    address: str
    port: int
    failure: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Greeting:
    """A TLS or QUIC handshake (df-006). ``ttl_hops`` is set where its packets were let die on the way (ts-037)."""

    address: str
    port: int
    sni: str
    failure: str | None
    verified: bool  # it succeeded, and the certificate was checked and is the name's
    quic: bool = False
    ttl_hops: int | None = None
    expired: bool = False  # a router reported it dead


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """A request and what came of it (df-001)."""

    host: str
    path: str
    secure: bool
    certified: bool  # over TLS, with a client that would not have gone on without a certificate of the name
    failure: str | None
    status: int | None
    to_host: str | None  # where a redirect leads
    known: tuple[tuple[str, str], ...]  # (id, scope) of the signatures of block pages that its answer fits
    address: str | None  # of the server, where the client wrote it down


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """What the test helper saw of the same service at the same time, from elsewhere (ts-017)."""

    addresses: frozenset[str]
    asns: frozenset[int]
    dns_failure: str | None
    connects: Mapping[str, bool]  # endpoint → whether it was reached
    greetings: Mapping[str, bool]  # endpoint → whether TLS succeeded there; empty before v0.5
    page_failure: str | None
    status: int | None  # of the final answer; None where there was none

    @property
    def served(self) -> bool:
        """Whether it got an answer from the service."""
        return self.page_failure is None and self.status is not None

    @property
    def met(self) -> str:
        """The failure that it met first; empty where it met none."""
        return self.dns_failure or self.page_failure or ""

    @property
    def unresolved(self) -> str | None:
        """Why it had no address: by its lookup, or (where an alias was all that it got) by what its fetch met."""
        fetched = self.page_failure if (self.page_failure or "").startswith("dns_") else None
        return self.dns_failure or fetched

    @property
    def failed(self) -> bool:
        """Whether the service gave it nothing either: no name, no connection, or no answer."""
        return not self.served and (self.page_failure is not None or self.dns_failure is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """One measurement of one target, by one probe at one time."""

    line: int
    test: str
    target: str
    role: str | None = None
    asked: str = ""  # the input, by which repeats of one measurement are told
    session: str  # the run of a probe that it belongs to
    asn: int | None
    country: str | None
    network: str | None
    first_ns: int
    last_ns: int
    own_resolver: bool  # the resolver stands in the network that was measured
    mobile: bool = False  # on a phone's own line, so that no box of a house stands between
    foreign: bool = False  # the target's name was spoken at an address that belongs to another name
    only_lookups: bool = False  # nothing but the name's addresses was asked for
    lookups: tuple[Lookup, ...] = ()
    connects: tuple[Connect, ...] = ()
    greetings: tuple[Greeting, ...] = ()
    exchanges: tuple[Exchange, ...] = ()  # the first request first
    control: Control | None = None
    alike: bool | None = None  # whether the last page is like the control's; None: nobody compared
    claims: frozenset[str] | None = None  # of a report that was exported: nodes that may be claimed again
    concluded: str | None = None  # its state, in the same case
    notes: tuple[str, ...] = field(default=())  # what it says of itself: the probe's own conclusion
