"""What a capture holds for each name: which connections and lookups, what worked, what failed.

Facts only. A target is (name, vantage); flows without a name are filed under the names that DNS gave their address,
or under the address where no name is known.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from fingerprint.capture import Capture
from fingerprint.conversations.dns.lookups import Lookup
from fingerprint.conversations.openings import Opening, may_have_stalled, opening
from fingerprint.conversations.quic.attempts import QuicAttempt
from fingerprint.conversations.quic.flows import QuicFlow
from fingerprint.conversations.segments import RST
from fingerprint.conversations.streams import Stream
from fingerprint.conversations.udp.datagrams import DatagramFlow
from fingerprint.messages.first_payload import UNKNOWN
from fingerprint.technique import Cited
from fingerprint.vantages.vantage import UNNAMED

# RFC 8446: a resumed handshake's ServerHello, EncryptedExtensions and Finished are the least that a working TLS server
# sends, above 160 bytes in every hello of the tests; an alert record has 7 (plain) or 24 (protected) bytes.
TLS_WORK_BYTES = 160

# RFC 1035 section 4.2.
DNS_PORT = 53

FAILED = frozenset(
    {
        "unanswered",
        "refused",
        "unacknowledged",
        "part-acknowledged",
        "silent",
        "reset",
        "closed",
        "alert",
        "stalled",
        "unseen",
    }
)


@dataclass(slots=True, kw_only=True)
class Target:
    """One name (or bare address) at one vantage, filled while the capture is walked."""

    name: str
    vantage: str | None
    endpoints: dict[str, None] = field(default_factory=dict)
    completed: list[Stream | QuicFlow] = field(default_factory=list)
    away: set[str] = field(default_factory=set)  # trials of those that were done at an address of other names alone
    failed: list[Opening] = field(default_factory=list)
    idle: list[Stream] = field(default_factory=list)  # neither: preconnects, streams without a request
    quic_unanswered: list[QuicFlow] = field(default_factory=list)  # no failure: many servers do not speak QUIC
    quic_failed: list[QuicAttempt] = field(default_factory=list)  # not answered by servers that speak it
    datagrams: list[DatagramFlow] = field(default_factory=list)  # other UDP, answered or not
    lookups: list[Lookup] = field(default_factory=list)
    first_ns: int = 0
    last_ns: int = 0

    def saw(self, first_ns: int, last_ns: int) -> None:
        """Widen the span of time."""
        self.first_ns = min(self.first_ns, first_ns) if self.first_ns else first_ns
        self.last_ns = max(self.last_ns, last_ns)


class Vantages:
    """Where a packet was seen: at the vantage that was named, and by which client where a capture holds several.

    Clients' labels are numbers, never addresses.
    """

    def __init__(self, capture: Capture) -> None:
        clients: dict[int, dict[str, None]] = {}
        self._of_flow: dict[tuple[int, int], str] = {}
        for s in capture.streams:
            clients.setdefault(s.capture, {})[s.client.address] = None
            self._of_flow[s.capture, s.flow] = s.client.address
        for flow in capture.quic:
            clients.setdefault(flow.capture, {})[flow.client.address] = None
            self._of_flow[flow.capture, flow.flow] = flow.client.address
        for lookup in capture.lookups:
            clients.setdefault(lookup.capture, {})[lookup.client.address] = None
        self._label: dict[tuple[int, str], str] = {}
        for capture_index, addresses in clients.items():
            # A host with one IPv4 address and any number of IPv6 ones is one client.
            if sum(":" not in a for a in addresses) <= 1:
                continue
            for i, address in enumerate(addresses, start=1):
                self._label[capture_index, address] = f"client {i}"
        self._recordings = {r.index: r for r in capture.recordings}
        self._named = {index: of.key for index, of in capture.vantages.items() if of.key != UNNAMED}

    def of_client(self, capture_index: int, address: str) -> str | None:
        """The vantage and the label of a client address; None where nobody named one and the capture has one client."""
        return self._at(capture_index, self._label.get((capture_index, address)))

    def _at(self, capture_index: int, label: str | None) -> str | None:
        named = self._named.get(capture_index)
        return f"{named}, {label}" if named and label else named or label

    def of_packet(self, cited: Cited) -> str | None:
        """The same for the client whose conversation the packet belongs to."""
        if not self._label:
            return self._named.get(cited.capture)
        recording = self._recordings[cited.capture]
        flow = int(recording.columns.flow[cited.number - 1])
        address = self._of_flow.get((cited.capture, flow))
        if address is None and flow >= 0:
            from fingerprint.conversations.streams import address_text

            flows = recording.flows
            family = int(flows.family[flow])
            a, b = (address_text(x[flow].tobytes(), family) for x in (flows.address_a, flows.address_b))
            address = a if (cited.capture, a) in self._label else b
        return self.of_client(cited.capture, address or "")


def completed(stream: Stream) -> bool:
    """Application work was done: the server answered the client's request with more than a refusal."""
    if not stream.client_bytes or not stream.answered:
        return False
    if stream.protocol == "tls" and stream.server_bytes < TLS_WORK_BYTES:
        return False
    if may_have_stalled(stream) and opening(stream).outcome == "stalled":
        return False
    return not (stream.client_flags | stream.server_flags) & RST or _before_the_reset(stream)


def _before_the_reset(stream: Stream) -> bool:
    """Whether the exchange was through when the first reset came: for TLS that takes a second word from either side."""
    words: list[bool] = []
    for s in stream.head:
        if s.is_reset:
            break
        if s.payload_bytes and (not words or words[-1] != s.from_client):
            words.append(s.from_client)
    else:
        return True
    return len(words) >= (4 if stream.protocol == "tls" else 2)


Targets = dict[tuple[str, str | None], Target]


def targets(capture: Capture, vantages: Vantages) -> Targets:
    """All targets of a capture, in order of first appearance."""
    filing = _Filing(capture, vantages)
    filing.lookups()
    filing.streams()
    filing.quic()
    filing.datagrams()
    return filing.out


class _Filing:
    """Puts conversations to the names that they are about."""

    def __init__(self, capture: Capture, vantages: Vantages) -> None:
        self.out: Targets = {}
        self._capture = capture
        self._vantages = vantages
        self._homes: dict[str, set[str]] = {}
        for address, given in capture.given_addresses.items():
            for name in given:
                self._homes.setdefault(name, set()).add(address)

    def _at(self, name: str, vantage: str | None) -> Target:
        return self.out.setdefault((name, vantage), Target(name=name, vantage=vantage))

    def _away(self, name: str, address: str) -> bool:
        """Whether the name lives elsewhere, and others live there: a name may be said to any server."""
        homes = self._homes.get(name)
        return bool(homes) and address not in (homes or ()) and bool(self._capture.names_of(address))

    def lookups(self) -> None:
        """Each under the name that was asked for."""
        for lookup in self._capture.lookups:
            vantage = self._vantages.of_client(lookup.capture, lookup.client.address)
            target = self._at(lookup.name or lookup.resolver.address, vantage)
            target.lookups.append(lookup)
            target.saw(lookup.first_ns, lookup.last_ns)

    def streams(self) -> None:
        """TCP, by what became of each connection. DNS over TCP stands under its lookups."""
        for stream in self._capture.streams:
            if stream.server.port == DNS_PORT:
                continue
            done = completed(stream)
            first = None if done else opening(stream)
            for target in self._of(stream):
                if first is None:
                    self._complete(target, stream)
                elif stream.request_ttl_hops is None and first.outcome in FAILED:
                    target.failed.append(first)
                elif stream.request_ttl_hops is None and first.outcome == "answered" and stream.protocol == "tls":
                    target.failed.append(replace(first, outcome="cut"))
                else:
                    target.idle.append(stream)

    def _of(self, stream: Stream | QuicFlow) -> Iterator[Target]:
        """The targets of a connection, which has been noted there."""
        vantage = self._vantages.of_client(stream.capture, stream.client.address)
        for name in names(self._capture, stream):
            target = self._at(name, vantage)
            target.endpoints[stream.endpoint] = None
            target.saw(stream.first_ns, stream.last_ns)
            yield target

    def _complete(self, target: Target, stream: Stream | QuicFlow) -> None:
        target.completed.append(stream)
        if self._away(target.name, stream.server.address):
            target.away.add(stream.trial)

    def quic(self) -> None:
        """QUIC; silence is a failure only of a server that is known to speak it."""
        for flow in self._capture.quic:
            for target in self._of(flow):
                if flow.answered:
                    self._complete(target, flow)
                else:
                    target.quic_unanswered.append(flow)
        for place in self._capture.quic_places:
            for tried in place.names:
                if tried.lasting and not tried.passed_after and self._capture.speaks_quic(tried) is not None:
                    vantage = self._vantages.of_client(tried.silent[0].flow.capture, place.client)
                    self._at(tried.name, vantage).quic_failed += tried.silent

    def datagrams(self) -> None:
        """Other UDP. Peers that nobody named and that speak nothing known are not what anybody asks about."""
        for flow in self._capture.datagrams:
            vantage, address = self._vantages.of_client(flow.capture, flow.client.address), flow.server.address
            known = sorted(self._capture.names_of(address))
            if flow.sent_to_die or not (known or flow.kind != UNKNOWN or (address, vantage) in self.out):
                continue
            for name in known or [address]:
                target = self._at(name, vantage)
                target.endpoints[flow.endpoint] = None
                target.saw(flow.first_ns, flow.last_ns)
                target.datagrams.append(flow)


def names(capture: Capture, stream: Stream | QuicFlow) -> Iterator[str]:
    """The targets that a stream is filed under."""
    if stream.name:
        yield stream.name
        return
    known = [] if stream.server_bytes or unread(stream) else sorted(capture.names_of(stream.server.address))
    yield from known or [stream.server.address]


def unread(stream: Stream | QuicFlow) -> bool:
    """Whether somebody was named whom the capture does not show: it may be anybody, whoever lives at the address."""
    return isinstance(stream, Stream) and stream.request_unread
