"""What a technique reads: the conversations of one or more recordings, and the tables that the engine knows.

Everything is made on first use and kept, so that a technique pays only for what it looks at.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

from captures.recording import Recording
from fingerprint.conversations import round_trips
from fingerprint.conversations.connections import streams
from fingerprint.conversations.lookups import Lookup, lookups
from fingerprint.conversations.quic_flows import QuicFlow, quic_flows
from fingerprint.conversations.streams import Stream
from fingerprint.quality import quality
from fingerprint.technique import Known, Quality

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
    script: None = None  # what a probe sent and why; foreign captures have none

    @cached_property
    def streams(self) -> tuple[Stream, ...]:
        """Every TCP connection, file by file, in order of first packet."""
        return tuple(stream for recording in self.recordings for stream in streams(recording))

    @cached_property
    def lookups(self) -> tuple[Lookup, ...]:
        """Every DNS transaction, over UDP and TCP."""
        return tuple(lookup for recording in self.recordings for lookup in lookups(recording))

    @cached_property
    def quic(self) -> tuple[QuicFlow, ...]:
        """Every QUIC connection, file by file."""
        return tuple(flow for recording in self.recordings for flow in quic_flows(recording))

    @cached_property
    def quality(self) -> tuple[tuple[int, Quality], ...]:
        """What lowers the conclusions that this capture can carry, each with the index of its file."""
        return tuple((r.index, issue) for r in self.recordings for issue in quality(r, self.streams))

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
    def _names(self) -> dict[str, set[str]]:
        out: dict[str, set[str]] = {}
        for lookup in self.lookups:
            for address in lookup.addresses:
                out.setdefault(address, set()).add(lookup.name)
        return out

    def names_of(self, address: str) -> frozenset[str]:
        """Names that some DNS answer of the capture gave this address for, disputed or not."""
        return frozenset(self._names.get(address, ()))

    def listened_s(self, stream: Stream) -> float:
        """Seconds between the stream's last packet and the end of its recording."""
        return max(0, stream.end_ns - stream.last_ns) / 1e9

    def streams_of(self, address: str) -> Iterable[Stream]:
        """The streams whose server has this address."""
        return self.by_server.get(address, ())
