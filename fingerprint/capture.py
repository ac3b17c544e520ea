"""What a technique reads: the conversations of one or more recordings, and the tables that the engine knows.

Everything is made on first use and kept, so that a technique pays only for what it looks at.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from captures.recording import Recording
from fingerprint import signatures
from fingerprint.conversations import residual, round_trips
from fingerprint.conversations.connections import streams
from fingerprint.conversations.dns.lookups import Lookup, lookups
from fingerprint.conversations.path import armed as place_armed
from fingerprint.conversations.path import limited, payload_shots, place
from fingerprint.conversations.path import sweeps as place_sweeps
from fingerprint.conversations.path.armed import ArmedSweep
from fingerprint.conversations.path.expired import Expired, expired
from fingerprint.conversations.path.limited import Armed
from fingerprint.conversations.path.place import Shot
from fingerprint.conversations.path.sweeps import Sweep
from fingerprint.conversations.path.syn_sweeps import SynShot, syn_shots
from fingerprint.conversations.path.unreachable import Unreachable, unreachables
from fingerprint.conversations.quic import attempts as quic_attempts
from fingerprint.conversations.quic import sweeps as quic_sweeps
from fingerprint.conversations.quic.attempts import QuicAttempt
from fingerprint.conversations.quic.flows import QuicFlow, quic_flows
from fingerprint.conversations.quic.places import QuicPlace, QuicTried, answered_elsewhere, places
from fingerprint.conversations.quic.support import Support, advertised, heard
from fingerprint.conversations.reachability import Reach, reaches
from fingerprint.conversations.residual import Residual
from fingerprint.conversations.streams import Stream
from fingerprint.conversations.tls.encrypted_resolvers import operators
from fingerprint.conversations.udp.datagrams import DatagramFlow, datagram_flows
from fingerprint.conversations.udp.places import Place as UdpPlace
from fingerprint.conversations.udp.places import places as udp_places
from fingerprint.quality import of_script, quality
from fingerprint.script import Script
from fingerprint.signatures import Signatures
from fingerprint.technique import Known, Quality
from fingerprint.vantages.vantage import Vantage

# Streams to one address that are asked for round-trip samples; more would only refine a minimum.
SAMPLED_STREAMS = 200
# Addresses that are asked whether their handshakes take longer than their data: one good answer is enough.
ASKED_ADDRESSES = 50
# A radio that wakes up for a handshake adds tens of milliseconds; queues and schedulers stay within a few percent.
HANDSHAKE_RATIO = 1.15


@dataclass(frozen=True, kw_only=True)
class Capture:
    """One or more recordings as conversations. With several, the controls of one serve the others."""

    recordings: tuple[Recording, ...]
    known: Known = field(default_factory=Known)
    scripts: Mapping[int, Script] = field(default_factory=dict)  # by index of the file; foreign captures have none
    given: Mapping[str, Collection[str]] = field(default_factory=dict)  # address → names, in other parts of the file
    vantages: Mapping[int, Vantage] = field(default_factory=dict)  # by index of the file, as somebody said

    @cached_property
    def script(self) -> Script | None:
        """What a probe sent and why; of several runs all of it. It may name things, and no finding rests on it."""
        told = list(self.scripts.values())
        if len(told) < 2:
            return told[0] if told else None
        partial = "; ".join(s.partial for s in told if s.partial) or None
        targets = tuple(t for s in told for t in s.targets)
        return replace(told[0], targets=targets, steps=tuple(x for s in told for x in s.steps), partial=partial)

    @property
    def control_names(self) -> frozenset[str]:
        """Names that were sent as controls; none is known without a script."""
        return self.script.control_names if self.script else frozenset()

    @property
    def made_up_names(self) -> frozenset[str]:
        """Names that the probes of a run made up; none is known without a script."""
        return self.script.made_up_names if self.script else frozenset()

    @cached_property
    def _connections(self) -> tuple[Stream, ...]:
        return tuple(stream for recording in self.recordings for stream in streams(recording))

    @cached_property
    def _transactions(self) -> tuple[Lookup, ...]:
        return tuple(lookup for recording in self.recordings for lookup in lookups(recording))

    @cached_property
    def streams(self) -> tuple[Stream, ...]:
        """Every TCP connection, file by file, in order of first packet; armed ones and limited SYNs are left out."""
        apart = {a.stream.trial for a in self.armed} | limited.limited_streams(self._connections)
        return tuple(s for s in self._connections if s.trial not in apart) if apart else self._connections

    @cached_property
    def armed(self) -> tuple[Armed, ...]:
        """Connections with a decoy before their request. They speak for nobody's name: see `armed_sweeps`."""
        return tuple(a for a in map(limited.armed, limited.with_limited_request(self._connections)) if a is not None)

    @cached_property
    def lookups(self) -> tuple[Lookup, ...]:
        """Every DNS transaction, over UDP and TCP; queries that were sent to die are left out."""
        apart = self._limited_lookups
        return tuple(x for x in self._transactions if x.trial not in apart) if apart else self._transactions

    @cached_property
    def _limited_lookups(self) -> frozenset[str]:
        return limited.limited_lookups(self._transactions, self._connections)

    @cached_property
    def expired(self) -> tuple[Expired, ...]:
        """What routers reported as having died on the way."""
        return tuple(report for recording in self.recordings for report in expired(recording))

    @cached_property
    def unreachables(self) -> tuple[Unreachable, ...]:
        """What routers and hosts reported as not deliverable, or as forbidden."""
        return tuple(report for recording in self.recordings for report in unreachables(recording))

    @cached_property
    def reaches(self) -> tuple[Reach, ...]:
        """What each address answered to connection requests, port by port, as each client found it."""
        return reaches(self.streams, self.unreachables)

    @cached_property
    def syn_shots(self) -> tuple[SynShot, ...]:
        """Connection requests with small TTLs, and what became of them."""
        return syn_shots(self._connections, self.expired, self.unreachables)

    @cached_property
    def shots(self) -> tuple[Shot, ...]:
        """Requests with small TTLs, and the DNS transactions of the same names beside them."""
        reports = place.by_flow(self.expired)
        over_tcp = place.of_streams(limited.with_limited_request(self.streams), reports)
        swept = {x.name for x in self._transactions if x.trial in self._limited_lookups}
        asked = (x for x in self._transactions if x.name in swept)
        return (*over_tcp, *place.of_lookups(asked, reports, self._limited_lookups))

    @cached_property
    def sweeps(self) -> tuple[Sweep, ...]:
        """What the reach of requests says about where something stands."""
        return tuple(place_sweeps.sweeps(self.shots))

    @cached_property
    def armed_sweeps(self) -> tuple[ArmedSweep, ...]:
        """What the reach of decoys says about it."""
        heard = place_armed.routers_heard(self.recordings, self.expired) if self.armed else {}
        return tuple(place_armed.armed_sweeps(self.armed, self.streams, self.expired, heard))

    @cached_property
    def residuals(self) -> tuple[Residual, ...]:
        """Triggers after which other names failed at the same address that pass there otherwise."""
        return residual.residuals(self.streams)

    @cached_property
    def aftermath(self) -> Mapping[str, Residual]:
        """The failures that only follow from a trigger, by trial: no evidence, and no controls."""
        return residual.by_trial(self.residuals)

    @cached_property
    def _quic(self) -> tuple[QuicFlow, ...]:
        return tuple(flow for recording in self.recordings for flow in quic_flows(recording))

    @cached_property
    def _quic_limited(self) -> frozenset[str]:
        return quic_attempts.limited(self._quic, self._connections)

    @cached_property
    def quic(self) -> tuple[QuicFlow, ...]:
        """Every QUIC connection, file by file; those whose Initials were sent to die are left out."""
        apart = self._quic_limited
        return tuple(f for f in self._quic if f.trial not in apart) if apart else self._quic

    @cached_property
    def quic_tried(self) -> tuple[QuicAttempt, ...]:
        """What became of each QUIC connection that began in the capture."""
        told: dict[tuple[int, int], list[Unreachable]] = {}
        for report in self.unreachables if self.quic else ():
            told.setdefault((report.capture, report.flow), []).append(report)
        return tuple(quic_attempts.attempts(self.quic, told))

    @cached_property
    def quic_places(self) -> tuple[QuicPlace, ...]:
        """The QUIC connections of one client to one address and port, side by side."""
        return tuple(places(self.quic_tried).values())

    @cached_property
    def quic_at(self) -> Mapping[str, tuple[QuicPlace, ...]]:
        """The same by the server's address."""
        at: dict[str, tuple[QuicPlace, ...]] = {}
        for one in self.quic_places:
            at[one.address] = (*at.get(one.address, ()), one)
        return at

    def speaks_quic(self, mine: QuicTried) -> Support | None:
        """What shows that a server which left a name's Initials unanswered speaks QUIC; None if nothing does."""
        itself = heard(mine.place, self.quic_at[mine.place.address], mine.version)
        known = operators(self.known.rows("resolvers"))
        return itself or advertised(mine, self.lookups, self.streams, known)

    def quic_elsewhere(self, mine: QuicTried) -> QuicAttempt | None:
        """An answer to the same name and client at another address at the time, where nothing answers here."""
        return answered_elsewhere(mine, self.quic_tried)

    @cached_property
    def quic_sweeps(self) -> tuple[Sweep, ...]:
        """What the reach of Initials says about where they are lost."""
        flows = self.quic_sent_to_die
        return quic_sweeps.sweeps(flows, self.shots, place.by_flow(self.expired)) if flows else ()

    @cached_property
    def quic_sent_to_die(self) -> tuple[QuicFlow, ...]:
        """QUIC connections whose Initials had small TTLs."""
        return tuple(f for f in self._quic if f.trial in self._quic_limited)

    @cached_property
    def datagrams(self) -> tuple[DatagramFlow, ...]:
        """Every UDP flow that is neither DNS nor QUIC, file by file."""
        quic: dict[int, set[int]] = {}
        for flow in self._quic:
            quic.setdefault(flow.capture, set()).add(flow.flow)
        return tuple(f for r in self.recordings for f in datagram_flows(r, without=quic.get(r.index, ())))

    @cached_property
    def datagram_places(self) -> tuple[UdpPlace, ...]:
        """What each client asked each address over UDP, and what came of it."""
        return udp_places(self.datagrams, self.unreachables if self.datagrams else ())

    @cached_property
    def payload_sweeps(self) -> tuple[Sweep, ...]:
        """What the reach of first bytes that name nobody says about where something stands."""
        over_tcp = limited.with_limited_request(self.streams)
        over_udp = [f for f in self.datagrams if f.sent_to_die]
        if not over_tcp and not over_udp:
            return ()
        reports = place.by_flow(self.expired)
        shots = (*payload_shots.of_streams(over_tcp, reports), *payload_shots.of_datagrams(over_udp, reports))
        return tuple(place_sweeps.sweeps(shots))

    @cached_property
    def faults(self) -> tuple[tuple[int, Quality], ...]:
        """What the packets say that lowers the conclusions they can carry, each with the index of its file."""
        return tuple((r.index, issue) for r in self.recordings for issue in quality(r, self.streams))

    @property
    def quality(self) -> tuple[tuple[int, Quality], ...]:
        """The faults, and what the script of a run adds to them for its reader."""
        return (*self.faults, *((i, issue) for i, script in self.scripts.items() for issue in of_script(script)))

    @cached_property
    def by_server(self) -> dict[str, list[Stream]]:
        """Streams by the server's address."""
        return round_trips.by_server(self.streams)

    @cached_property
    def by_client(self) -> dict[str, list[Stream]]:
        """Streams by the client's address."""
        return round_trips.by_client(self.streams)

    @cached_property
    def _samples(self) -> dict[str, tuple[float, ...]]:
        return {}

    def rtt_samples(self, address: str) -> tuple[float, ...]:
        """Round-trip samples in seconds between the capture point and an address, smallest first.

        From handshakes whose SYN was not repeated and from data that was acknowledged, over all streams of the address.
        """
        if address not in self._samples:
            self._samples[address] = tuple(
                sorted(
                    round_trips.samples(self.by_server.get(address, ())[:SAMPLED_STREAMS], to_server=True)
                    + round_trips.samples(self.by_client.get(address, ())[:SAMPLED_STREAMS], to_server=False)
                )
            )
        return self._samples[address]

    @cached_property
    def _handshakes(self) -> dict[str, tuple[float, ...]]:
        return {}

    def handshake_samples(self, address: str) -> tuple[float, ...]:
        """Those of `rtt_samples` that were taken from a SYN to the SYN-ACK of that address."""
        if address not in self._handshakes:
            streams = self.by_server.get(address, ())[:SAMPLED_STREAMS]
            pairs = (round_trips.handshake_sample(s, to_server=True) for s in streams)
            self._handshakes[address] = tuple(sorted(pair[0] for pair in pairs if pair and pair[0] > 0))
        return self._handshakes[address]

    @cached_property
    def handshakes_tell(self) -> bool:
        """Whether handshakes take a round trip here and no longer: at some address most data comes back no sooner."""
        for address in list(self.by_server)[:ASKED_ADDRESSES]:
            opened = self.handshake_samples(address)
            others = sorted(set(self.rtt_samples(address)) - set(opened)) if opened else []
            if others and opened[0] <= others[len(others) // 2] * HANDSHAKE_RATIO:
                return True
        return False

    @cached_property
    def signatures(self) -> Signatures:
        """Known block pages and the addresses that serve them."""
        return signatures.of(self.known)

    @cached_property
    def _names(self) -> dict[str, set[str]]:
        out = {address: set(names) for address, names in self.given.items()}
        for lookup in self.lookups:
            for address in lookup.addresses:
                out.setdefault(address, set()).add(lookup.name)
        for script in self.scripts.values():
            for name, addresses in script.homes:
                for address in addresses:
                    out.setdefault(address, set()).add(name)
        return out

    @property
    def given_addresses(self) -> Mapping[str, Collection[str]]:
        """Address → the names for which an answer gave it; see `names_of`."""
        return self._names

    def names_of(self, address: str) -> frozenset[str]:
        """Names for which a DNS answer gave this address, disputed or not, in the capture or before a run began."""
        return frozenset(self._names.get(address, ()))

    def listened_s(self, stream: Stream) -> float:
        """Seconds between the stream's last packet and the end of its recording."""
        return max(0, stream.end_ns - stream.last_ns) / 1e9

    def streams_of(self, address: str) -> Iterable[Stream]:
        """The streams whose server has this address."""
        return self.by_server.get(address, ())
