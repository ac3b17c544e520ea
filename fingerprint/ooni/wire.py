"""What a program's sockets would have said of the conversations of a capture, as entries of df-001, 002, 005, 006, 008.

Only what packets show: a field that they do not show is null. Clients' addresses, bodies, header fields and raw
messages stay out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fingerprint.capture import Capture
from fingerprint.conversations.dns.lookups import Lookup
from fingerprint.conversations.http.views import View
from fingerprint.conversations.openings import Opening, opening
from fingerprint.conversations.quic.attempts import QuicAttempt
from fingerprint.conversations.segments import Segment
from fingerprint.conversations.streams import Stream
from fingerprint.messages import dns
from fingerprint.ooni.fields import SECOND_NS, written
from fingerprint.verdict.targets import Target, Vantages, targets

# Outcome of an opening (`fingerprint.conversations.openings`) → the failure of df-007 that its socket would have given;
# what is not here has no failure, or nobody saw one.
FAILURES: Mapping[str, str] = {
    "unanswered": "generic_timeout_error", "refused": "connection_refused", "unacknowledged": "generic_timeout_error",
    "part-acknowledged": "generic_timeout_error", "silent": "generic_timeout_error", "stalled": "generic_timeout_error",
    "reset": "connection_reset", "cut": "connection_reset", "closed": "eof_error", "alert": "ssl_failed_handshake",
}  # fmt: skip
SET_UP = frozenset({"unanswered", "refused"})  # outcomes of the TCP handshake; later ones are of what it carries
RCODES: Mapping[int, str] = {
    dns.NXDOMAIN: "dns_nxdomain_error", dns.REFUSED: "dns_refused_error", dns.SERVFAIL: "dns_servfail_error"
}  # fmt: skip
QUERY_TYPES: Mapping[int, str] = {1: "A", 5: "CNAME", 28: "AAAA", 65: "HTTPS"}
# ooni/probe-cli writes the first 64 events of a connection.
EVENTS = 64


@dataclass(slots=True, kw_only=True)
class Entries:
    """The lists of test keys, filled conversation by conversation."""

    zero_ns: int  # times count from here
    queries: list[dict[str, Any]] = field(default_factory=list)
    tcp_connect: list[dict[str, Any]] = field(default_factory=list)
    tls_handshakes: list[dict[str, Any]] = field(default_factory=list)
    quic_handshakes: list[dict[str, Any]] = field(default_factory=list)
    requests: list[dict[str, Any]] = field(default_factory=list)
    network_events: list[dict[str, Any]] = field(default_factory=list)
    transactions: int = 0

    def t(self, time_ns: int) -> float:
        """Seconds since the measurement began."""
        return round((time_ns - self.zero_ns) / SECOND_NS, 9)

    def lookup(self, lookup: Lookup) -> None:
        """df-002: the first answer is the one that a program takes."""
        self.transactions += 1
        first = lookup.answers[0] if lookup.answers else None
        given = first.addresses if first else ()
        rcode = first.head.flags & 0xF if first else None
        failure = "generic_timeout_error" if first is None else RCODES.get(rcode or 0)
        if failure is None and not given:
            failure = "dns_no_answer"
        self.queries.append(
            {
                "answers": [_answer(a.address) for a in given] or None,
                "engine": lookup.protocol,
                "failure": failure,
                "hostname": lookup.name,
                "query_type": QUERY_TYPES.get(lookup.qtype, str(lookup.qtype)),
                "raw_response": None,
                "rcode": rcode,
                "resolver_address": written(lookup.resolver.address, lookup.resolver.port),
                "t0": self.t(lookup.first_ns),
                "t": self.t(first.time_ns if first else lookup.first_ns + round(lookup.listened_s * SECOND_NS)),
                "transaction_id": self.transactions,
            }
        )

    def stream(self, stream: Stream, first: Opening, *, worked: bool) -> None:
        """df-005, and df-006 or df-001 for what the connection carried; df-008 for its packets."""
        self.transactions += 1
        outcome = None if worked else first.outcome
        failure = FAILURES.get(outcome or "")
        where = written(stream.server.address, stream.server.port)
        if first.syn is not None:
            self._connect(stream, first, failure if outcome in SET_UP else None)
        self.network_events += list(self._events(stream, first, where))
        if outcome in SET_UP or outcome == "unseen" or first.request == ():
            return
        if stream.protocol == "tls" and stream.hello is not None:
            self._greeting(stream, first, where, failure)
        elif stream.protocol == "http":
            self._request(stream, first, where, failure)

    def _connect(self, stream: Stream, first: Opening, failure: str | None) -> None:
        begun = first.syn.time_ns if first.syn else stream.first_ns
        self.tcp_connect.append(
            {
                "ip": stream.server.address,
                "port": stream.server.port,
                "status": {"failure": failure, "success": failure is None},
                "t0": self.t(begun),
                "t": self.t(first.syn_ack.time_ns if first.syn_ack else stream.last_ns),
                "transaction_id": self.transactions,
            }
        )

    def _greeting(self, stream: Stream, first: Opening, where: str, failure: str | None) -> None:
        self.tls_handshakes.append(
            {
                "network": "tcp",
                "address": where,
                "cipher_suite": None,
                "failure": failure,
                "negotiated_protocol": None,
                # Nobody checked the certificate, which TLS 1.3 does not even show.
                "no_tls_verify": True,
                "peer_certificates": None,
                "server_name": stream.name,
                "t0": self.t(first.request[0].time_ns),
                "t": self.t(_until(stream, first, failure)),
                "tags": [],
                "tls_version": None,
                "transaction_id": self.transactions,
            }
        )

    def _request(self, stream: Stream, first: Opening, where: str, failure: str | None) -> None:
        view = View(stream=stream, host=stream.name or "")
        asked, status = view.request, None if failure else view.status
        self.requests.append(
            {
                "network": "tcp",
                "address": where,
                "failure": failure,
                "request": {
                    "body": "",
                    "headers": None,
                    "headers_list": None,
                    "method": asked.method if asked else None,
                    "url": f"http://{view.host or where}/",
                },
                "response": {"body": None, "code": status, "headers": None, "headers_list": None},
                "t0": self.t(first.request[0].time_ns),
                "t": self.t(_until(stream, first, failure)),
                "transaction_id": self.transactions,
            }
        )

    def _events(self, stream: Stream, first: Opening, where: str) -> Iterator[dict[str, Any]]:
        for s in stream.head[:EVENTS]:
            if said := _event(s, first):
                operation, failure = said
                yield {
                    "address": where,
                    "failure": failure,
                    "num_bytes": s.payload_bytes,
                    "operation": operation,
                    "proto": "tcp",
                    "t0": self.t(s.time_ns),
                    "t": self.t(s.time_ns),
                    "tags": [],
                    "transaction_id": self.transactions,
                }
                if failure:  # what comes after it reaches no program
                    return

    def quic(self, attempt: QuicAttempt) -> None:
        """df-006 over UDP, of an attempt that was not answered."""
        self.transactions += 1
        self.quic_handshakes.append(
            {
                "network": "udp",
                "address": written(attempt.flow.server.address, attempt.flow.server.port),
                "failure": "generic_timeout_error",
                "no_tls_verify": True,
                "server_name": attempt.name,
                "t0": self.t(attempt.flow.first_ns),
                "t": self.t(attempt.flow.last_ns),
                "tags": [],
                "transaction_id": self.transactions,
            }
        )


def _answer(address: str) -> dict[str, Any]:
    kind = ("AAAA", "ipv6") if ":" in address else ("A", "ipv4")
    return {"answer_type": kind[0], kind[1]: address, "ttl": None}


def _event(s: Segment, first: Opening) -> tuple[str, str | None] | None:
    """Operation and failure of df-008; None for a packet of which no socket tells."""
    if s is first.syn_ack:
        return "connect", None
    if s.payload_bytes:
        return ("write" if s.from_client else "read"), None
    if s.is_reset and not s.from_client:
        return ("read", "connection_reset") if first.syn_ack else ("connect", "connection_refused")
    return None


def _until(stream: Stream, first: Opening, failure: str | None) -> int:
    """When the outcome was known: the ending of what failed, the answer, or as long as anybody listened."""
    seen = first.ending if failure else first.answer
    return seen.time_ns if seen else stream.last_ns


def filed(captures: Capture) -> Mapping[tuple[str, str | None], Target]:
    """The conversations of captures by target and vantage, as a report has them."""
    return targets(captures, Vantages(captures))


def entries(target: Target, within: tuple[int, int], zero_ns: int) -> Entries:
    """Everything about one target between two times, in order of time; they count from ``zero_ns``."""
    first_ns, last_ns = within
    made = Entries(zero_ns=zero_ns)
    for lookup in sorted(target.lookups, key=lambda x: x.first_ns):
        if first_ns <= lookup.first_ns <= last_ns:
            made.lookup(lookup)
    worked = [(s, opening(s), True) for s in target.completed if isinstance(s, Stream)]
    failed = [(o.stream, o, False) for o in target.failed]
    for stream, seen, done in sorted((*worked, *failed), key=_begun):
        if first_ns <= stream.first_ns <= last_ns:
            made.stream(stream, seen, worked=done)
    for attempt in target.quic_failed:
        if first_ns <= attempt.flow.first_ns <= last_ns:
            made.quic(attempt)
    made.requests.reverse()  # df-001: the last one first
    return made


def _begun(conversation: tuple[Stream, Opening, bool]) -> tuple[int, str]:
    return conversation[0].first_ns, conversation[0].trial


def lists(made: Entries | None) -> dict[str, Sequence[dict[str, Any]] | None]:
    """The lists by their keys; null for all where no packets are at hand."""
    keys = ("queries", "tcp_connect", "tls_handshakes", "quic_handshakes", "requests", "network_events")
    return {key: getattr(made, key) if made else None for key in keys}
