"""Resets that carry the stamp of whoever sent them.

What it looks for
    A reset in the server's name, after an HTTP request, with some text in it. No TCP stack writes text into a reset.

What it sends
    The same HTTP request twice, to the same address: for a control first, then for the target.

When it is wrong
    A test bench or a home-made server may well write into its resets. Then the other name draws one too.

Papers
    RFC 9293 section 3.10.7.4 (what ends a connection); RFC 1122 section 4.2.2.12 (a reset may carry text).
"""

# To make this technique your own: say above what yours looks for and what else it could be, describe below what can be
# seen, then say in `analyse` when it was. The file, the class and the id carry the same name. `samples` and `lab` hold
# the captures and the censor that it is tested with: write down there first what should come out.

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from fingerprint.capture import Capture
from fingerprint.conversations.streams import Segment, Stream
from fingerprint.steps import Probe, Request, Send, Target
from fingerprint.technique import Cited, Clue, Facets, Finding, Inconclusive, Subject, Technique, Trigger, cite

# A clue is something that can be seen. `given` says how likely that is under each explanation: mechanisms of the
# taxonomy (`*.reset` is a reset on whatever layer the subject names), innocent ones, `*` for all others. Only ratios
# count. Replace the numbers by your own, and `source` by where they are from.
STAMPED = Clue(
    id="reset-carries-a-stamp",
    says="{gap:.1f} ms after the request for {name} a reset came that carries the text {stamp!r}",
    group="stamp",
    given={"*.reset": 0.5, "innocent": 0.0002, "*": 0.0002},
    source="RFC 1122 section 4.2.2.12: allowed, and unheard of; set by hand",
)
OTHER_NAME_PASSES = Clue(
    id="other-host-is-not-stamped",
    says="{control} is answered at the same address, {name} is reset with a stamp",
    group="stamp-and-name",  # another group: it adds to the first
    given={"*.reset": 0.005, "*.reset.host": 0.5, "server-refuses": 0.1, "innocent": 0.02, "*": 0.005},
    source="a minimal pair: two requests that differ in the name alone; set by hand",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StampedReset(Technique):
    """The fields are thresholds: `--set stamped-reset.listen_s=5` replaces one."""

    clues = (STAMPED, OTHER_NAME_PASSES)

    stamp: str = "blocked by order"
    listen_s: float = 2.0
    trials: int = 2

    def probe(self, target: Target) -> Probe:
        """Control before trigger, and nothing differs between them but the name."""
        for address in target.addresses[:1]:
            for trial in range(self.trials):
                for name, role in (*((c.name, "control") for c in target.controls[:1]), (target.name, "target")):
                    request = Request(address=address, host=name, path=target.path)
                    yield Send(
                        request, label=f"request for {name}", role=role, listen_s=self.listen_s, shows=self.clues,
                        trial=trial,
                    )  # fmt: skip

    def analyse(self, capture: Capture) -> Iterator[Finding]:
        """Evidence for every stamped reset, Inconclusive for every request that was not listened to long enough."""
        for stream in capture.streams:
            if stream.protocol != "http" or stream.name is None:
                continue  # not concerned: yield nothing
            resets = (s for s in stream.from_server if s.is_reset)
            stamped = [s for s in resets if self.stamp.encode() in stream.recording.payload(s.row)]
            if stamped:
                yield from self._stamped(capture, stream, stamped[0])
            elif stream.answer_row < 0 and stream.cut_row < 0 and capture.listened_s(stream) < self.listen_s:
                why = (
                    f"only {capture.listened_s(stream):.1f} s of listening after the request, want {self.listen_s:g} s"
                )
                yield Inconclusive(why, (_request(stream),), _subject(stream))

    def _stamped(self, capture: Capture, stream: Stream, reset: Segment) -> Iterator[Finding]:
        request = stream.recording.packet(stream.request_row)
        gap_ms = (reset.time_ns - request.time_ns) / 1e6
        yield cite(STAMPED, _subject(stream), request, reset, name=stream.name, gap=gap_ms, stamp=self.stamp)
        for other in capture.streams_of(stream.server.address):
            answer = next((s for s in other.from_server if s.payload_bytes and not s.is_reset), None)
            if answer and other.answered and other.name not in (None, stream.name):
                facets = Facets(trigger=Trigger(field="http.host", value=stream.name or ""))
                yield cite(
                    OTHER_NAME_PASSES, _subject(stream), request, reset, other.from_client[0], answer,
                    facets=facets, control=other.name, name=stream.name,
                )  # fmt: skip
                return


def _subject(stream: Stream) -> Subject:
    """Findings of one connection carry the same trial."""
    address, port = stream.server
    return Subject(name=stream.name, address=address, port=port, protocol=stream.protocol, trial=stream.trial)


def _request(stream: Stream) -> Cited:
    """The number is Wireshark's."""
    return Cited(stream.capture, stream.request_row + 1)
