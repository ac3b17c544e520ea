"""Resets, closes and alerts that somebody else sent in the name of one end.

What it looks for
    A RST, or a FIN or TLS alert before the server's first word, that its named sender could not have sent: sooner
    than a round trip, followed by that sender's own continuation, with numbers or headers of another host. An honest
    ending is recognised as well: after a round trip and in the sender's own headers, after silence, to a closed port.
    Which name or field sets a forged one off is the question of other techniques.

What it sends
    Handshakes with the addresses of control and target, which sample round trips, and once something was found a hello
    without a name that makes either server name itself by certificate. Resets are met by the hellos of `sni-filtering`.

When it is wrong
    A load balancer, SYN proxy or NAT may end a connection in the server's name with its own TTL and IP ID: headers
    alone never suffice. A device beside the server is not sooner than it. An answer rewritten on its way has the
    sender's own timing and headers: only a pair of names can tell. A single round-trip sample may be inflated by
    address resolution or a sleeping radio and then weighs little.

Papers
    Weaver, Sommer, Paxson, "Detecting Forged TCP Reset Packets", NDSS 2009.
    Sundara Raman et al., "Global, Passive Detection of Connection Tampering", SIGCOMM 2023.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType

from fingerprint.capture import Capture
from fingerprint.conversations.resets import aftermath, headers
from fingerprint.conversations.resets import empty_pushes as pushes
from fingerprint.conversations.resets.endings import IDLE_S, INITIAL_TTLS_HOPS, Ending, endings, is_near
from fingerprint.conversations.resets.sequences import FIRST_PKTS, SILENCE_S, sequence
from fingerprint.conversations.resets.spotting import spotted
from fingerprint.conversations.resets.timing import Delay, delay
from fingerprint.conversations.segments import FIN, RST, SYN, Segment
from fingerprint.conversations.streams import Stream
from fingerprint.probing.handshakes_made import handshakes_made
from fingerprint.quality import tick_s
from fingerprint.steps import Probe, Target
from fingerprint.technique import (
    Cited,
    Clue,
    Evidence,
    Facets,
    Finding,
    Inconclusive,
    Subject,
    Technique,
    cite,
)

KINDS = ("reset", "close", "alert")
_SAID = {"reset": "RST", "close": "FIN", "alert": "TLS alert"}
_FIELD = "measured delays and injectors' headers of public captures; set by hand"

Family = Mapping[str, Clue]  # one clue for each kind of ending


def _family(name: str, says: str, group: str, forged: float, source: str = _FIELD, **innocents: float) -> Family:
    """The same clue for resets, closes and alerts; ``forged`` is P(seen | interference of that kind)."""
    given = {k.replace("_", "-"): v for k, v in innocents.items()}
    rest = given.pop("rest")
    return MappingProxyType(
        {
            kind: Clue(
                id=f"{kind}-{name}",
                says=says.replace("ENDING", _SAID[kind]),
                group=f"ending-{group}",
                given={f"*.{kind}": forged, **given, "*": rest},
                source=source,
            )
            for kind in KINDS
        }
    )


BEFORE_ANY_ANSWER = _family(
    "before-any-answer", "ENDING in the {side}'s name before any answer", "itself", 0.5,
    server_refuses=0.5, split_tcp=0.5, corporate_proxy=0.3, chosen_filter=0.3, captive_portal=0.2, server_down=0.1,
    nat_timeout=0.1, idle_timeout=0.1, local_network=0.05, ordinary=0.02, client_abort=0.02, capture_fault=0.02,
    rest=0.005,
)  # fmt: skip
IN_THE_CLIENTS_NAME = _family(
    "in-the-clients-name", "ENDING in the client's name before the answer was through", "itself", 0.5,
    client_abort=0.5, race_loser=0.3, captive_portal=0.2, corporate_proxy=0.3, chosen_filter=0.3, split_tcp=0.3,
    local_network=0.1, nat_timeout=0.1, ordinary=0.1, capture_fault=0.02, rest=0.01,
)  # fmt: skip
SOONER = _family(
    "sooner-than-the-sender-could",
    "ENDING {elapsed_ms:.1f} ms after what it answers; the {side} is {rtt_ms:.1f} ms away ({samples} samples)",
    "timing", 0.6, split_tcp=0.005, corporate_proxy=0.006, chosen_filter=0.006, captive_portal=0.006,
    local_network=0.006, nat_timeout=0.003, idle_timeout=0.003, rest=0.002,
)  # fmt: skip
SOONER_BY_ONE_SAMPLE = _family(
    "sooner-by-one-sample",
    "ENDING {elapsed_ms:.1f} ms after what it answers; the {side} may be {rtt_ms:.1f} ms away ({samples} samples)",
    "timing", 0.6, slow_access=0.1, local_network=0.1, rest=0.06,
)  # fmt: skip
WENT_ON = _family(
    "sender-went-on", "after the ENDING the {side} itself went on where it stood ({packets} packets)", "aftermath", 0.4,
    path_failure=0.004, capture_fault=0.004, corporate_proxy=0.004, chosen_filter=0.004, captive_portal=0.004,
    split_tcp=0.004, nat_timeout=0.01, local_network=0.004, rest=0.002,
    source="Weaver et al., NDSS 2009 (RST_SEQ_DATA); set by hand",
)  # fmt: skip
FED = _family(
    "beside-bytes-of-a-third", "the {side} acknowledges bytes sooner than they could have reached it", "fed", 0.2,
    capture_fault=0.02, split_tcp=0.05, corporate_proxy=0.02, rest=0.005,
)  # fmt: skip
GUESSES = _family(
    "guesses-the-sequence", "sequence numbers beyond anything sent or acknowledged ({conflict})", "numbers", 0.3,
    nat_timeout=0.01, split_tcp=0.01, capture_fault=0.01, rest=0.006,
    source="Weaver et al., NDSS 2009 (RST_SEQ_CHANGE); set by hand",
)  # fmt: skip
BELOW = _family(
    "below-what-was-sent", "the sequence number is below what the {side} had sent ({conflict})", "numbers", 0.3,
    nat_timeout=0.05, rest=0.03, source="Weaver et al., NDSS 2009; RFC 9293 section 3.10.5; set by hand",
)  # fmt: skip
SEVERAL_MAKERS = _family(
    "several-makers", "{packets} ENDING packets for one cause, from different distances", "numbers", 0.3,
    nat_timeout=0.05, rest=0.03, source="a server and its balancer may both reset; set by hand",
)  # fmt: skip
BOTH_ENDS = _family(
    "at-both-ends", "ENDING in both names, {apart_ms:.1f} ms apart, at a point far from both", "numbers", 0.2,
    capture_fault=0.01, nat_timeout=0.02, rest=0.01,
)  # fmt: skip
# By number of independent fields. Beside another witness, a balancer at the server is out of the question; alone it
# is not: balancers and firewalls before a server refuse in their own headers, every time.
UNLIKE = {
    2: _family("headers-differ", "{fields} unlike the {side}'s", "headers", 0.6, rest=0.25),
    3: _family("headers-unlike-the-sender", "{fields} unlike the {side}'s", "headers", 0.5, rest=0.05),
    4: _family("headers-of-another-host", "{fields} unlike the {side}'s", "headers", 0.4, rest=0.015),
}
UNLIKE_ALONE = {
    2: _family("only-headers-differ", "{fields} unlike the {side}'s", "headers", 0.6, server_refuses=0.4, rest=0.3),
    3: _family("only-headers-unlike", "{fields} unlike the {side}'s", "headers", 0.5, server_refuses=0.25, rest=0.1),
    4: _family(
        "only-headers-of-another", "{fields} unlike the {side}'s", "headers", 0.4, server_refuses=0.15, rest=0.05
    ),
}
NO_HOSTS = _family(
    "headers-of-no-host", "{fields}: no known host sends this", "headers", 0.2, server_refuses=0.02, rest=0.003
)
IN_ITS_OWN_HEADERS = _family(
    "after-a-round-trip-in-its-own-headers",
    "ENDING after {ratio:.2f} round trips with the {side}'s own TTL and header fields", "manner", 0.25,
    server_refuses=0.9, split_tcp=0.1, rest=0.005, source="true server resets come at 0.96-1.02 RTT; set by hand",
)  # fmt: skip
AFTER_SILENCE = _family(
    "after-silence", "ENDING after {idle:.0f} s of silence, in the {side}'s own headers", "manner", 0.02,
    idle_timeout=0.9, nat_timeout=0.05, rest=0.001, source="keep-alive and RFC 5382 time-outs; set by hand",
)  # fmt: skip
AFTER_SILENCE_BY_ANOTHER = _family(
    "after-silence-by-another", "ENDING after {idle:.0f} s of silence, {fields} unlike the {side}'s", "manner", 0.02,
    nat_timeout=0.9, idle_timeout=0.05, rest=0.001, source="keep-alive and RFC 5382 time-outs; set by hand",
)  # fmt: skip
SYN_REFUSED = Clue(
    id="syn-refused",
    says="the SYN was answered by a RST",
    group="ending-itself",
    given={"*.refused": 0.15, "server-down": 0.85, "server-refuses": 0.02, "*": 0.001},
    source="RFC 9293 section 3.10.7.1: a closed port answers so; set by hand",
)
SEQUENCE = Clue(
    id="passive-sequence",
    says="the connection ends as {name}",
    group="ending-sequence",
    given={},
    source="Sundara Raman et al., SIGCOMM 2023",
)
EMPTY_PUSH = Clue(
    id="push-of-nothing",
    says="a PSH+ACK without data came in the server's name, with the IP ID 0x{ip_id:04X} of the client's own packet",
    group="observation",
    given={},
    source="RFC 9293 section 3.9.1.2: a push is of data; public captures from Iran",
)
FAMILIES = (
    BEFORE_ANY_ANSWER, IN_THE_CLIENTS_NAME, SOONER, SOONER_BY_ONE_SAMPLE, WENT_ON, FED, GUESSES, BELOW, SEVERAL_MAKERS,
    BOTH_ENDS, *UNLIKE.values(), *UNLIKE_ALONE.values(), NO_HOSTS, IN_ITS_OWN_HEADERS, AFTER_SILENCE,
    AFTER_SILENCE_BY_ANOTHER,
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class TcpRstInjection(Technique):
    """Thresholds live with the facts, in `fingerprint.conversations.resets.endings` and beside it."""

    clues = (*(clue for family in FAMILIES for clue in family.values()), SYN_REFUSED, SEQUENCE, EMPTY_PUSH)

    reads_steps_of = ("sni-filtering", "http-filtering")

    silent_pkts: int = 30  # a longer stream that merely stops has done its work
    repeats: int = 2
    # Weaver et al., NDSS 2009: what a reset's own sender still says comes within two seconds.
    aftermath_s: float = 2.0

    def probe(self, target: Target) -> Probe:
        """Handshakes, and the target named by its server."""
        shows = (SYN_REFUSED, BEFORE_ANY_ANSWER["reset"], SOONER["reset"], WENT_ON["reset"])
        yield from handshakes_made(target, shows=shows, repeats=self.repeats, listen_s=self.aftermath_s)

    def analyse(self, capture: Capture) -> Iterator[Finding]:
        """Judge every ending that asks for it, and name the passive sequence of streams that end early."""
        suspects = {r.index: spotted(r) for r in capture.recordings}
        ticks_s = {r.index: tick_s(r) for r in capture.recordings}
        pushed = {r.index: pushes.spotted(r) for r in capture.recordings}
        for stream in capture.streams:
            if stream.flow in pushed[stream.capture]:
                yield from _pushed(stream)
            either = stream.client_flags | stream.server_flags
            if either & RST or stream.flow in suspects[stream.capture]:
                yield from self._judge(capture, stream, ticks_s[stream.capture])
            if either & RST or (not either & FIN and len(stream.rows) <= self.silent_pkts):
                yield from _named(stream, capture.listened_s(stream))

    def _judge(self, capture: Capture, stream: Stream, tick: float) -> Iterator[Finding]:
        far = []
        for ending in endings(stream.segments, protocol=stream.protocol):
            side = stream.client if ending.segment.from_client else stream.server
            # A forged alert acknowledges the hello and would vouch for itself: handshakes alone are safe from it.
            opened_s = capture.handshake_samples(side.address)
            doubtful_s = () if capture.handshakes_tell else opened_s
            rtts_s = opened_s if ending.kind == "alert" else capture.rtt_samples(side.address)
            if is_near(ending, rtts_s) or (ending.kind != "reset" and stream.protocol == "tcp"):
                continue
            far.append((ending, rtts_s, delay(ending, rtts_s, doubtful_s, tick)))
        for ending, _, measured in far:
            subject = _subject(stream, ending)
            guilty = tuple(_against(ending, measured, subject))
            if guilty and ending.idle_s < IDLE_S:
                yield from (_base(ending, subject), *guilty)
            elif ending is far[0][0]:
                yield from _for(ending, measured, subject)
        if len(far) == 2 and all(e.kind == "reset" and rtts for e, rtts, _ in far):
            (one, rtts_one, _), (other, rtts_other, _) = far
            if aftermath.both_ends(one, other, min(rtts_one), min(rtts_other)):
                apart_ms = abs(one.segment.time_ns - other.segment.time_ns) / 1e6
                subject = _subject(stream, one)
                both = (one.segment, other.segment)
                yield cite(BOTH_ENDS["reset"], subject, *both, forged=both, apart_ms=apart_ms)


def _base(ending: Ending, subject: Subject) -> Evidence:
    family = IN_THE_CLIENTS_NAME if ending.segment.from_client else BEFORE_ANY_ANSWER
    return cite(family[ending.kind], subject, ending.segment, side=_side(ending))


def _against(ending: Ending, measured: Delay | None, subject: Subject) -> Iterator[Evidence]:
    """What speaks against the named sender. Late in a connection, only what no load balancer does."""
    kind, side = ending.kind, _side(ending)
    cited, say = [ending.segment], partial(cite, forged=ending.burst)
    strong = False
    if measured and measured.sooner:
        firm = measured.agreeing and not headers.keeps_its_clock(ending)
        strong = firm
        if firm or ending.stage != "later":
            family = SOONER if firm else SOONER_BY_ONE_SAMPLE
            yield say(
                family[kind], subject, measured.cause, *cited, side=side, samples=measured.samples,
                elapsed_ms=measured.elapsed_s * 1e3, rtt_ms=measured.rtt_s * 1e3,
            )  # fmt: skip
    more = aftermath.went_on(ending, too_soon=strong)
    if more:
        strong = True
        on_path = Facets(position="on-path")
        yield say(WENT_ON[kind], subject, *cited, *more[:4], facets=on_path, side=side, packets=len(more))
    fed = aftermath.fed_by_another(ending, measured.rtt_s) if kind == "reset" and measured and measured.agreeing else ()
    if fed:
        yield say(FED[kind], subject, *cited, *fed, side=side)
    conflict = aftermath.conflict(ending)
    makers = headers.makers(ending) if strong or ending.stage != "later" else ()
    if makers:
        yield say(SEVERAL_MAKERS[kind], subject, *cited, *makers, packets=1 + len(makers))
    if conflict:
        guesses = conflict[0] == "RST_SEQ_CHANGE"
        strong |= guesses
        family = GUESSES if guesses else BELOW
        if guesses or strong or ending.stage != "later":
            yield say(family[kind], subject, *cited, *conflict[1], side=side, conflict=conflict[0])
    fields = headers.contradictions(ending)
    if len(fields) < 2 or (ending.stage == "later" and not strong):
        return
    nonsense = len(fields) >= 3 and bool({"reserved bits", "IP ID of the other end"} & set(fields))
    beside = strong or bool(measured and measured.sooner)
    family = NO_HOSTS if nonsense else (UNLIKE if beside else UNLIKE_ALONE)[min(4, len(fields))]
    model = ending.genuine[-1:]
    yield say(family[kind], subject, *cited, *model, side=side, fields=", ".join(fields))


def _for(ending: Ending, measured: Delay | None, subject: Subject) -> Iterator[Finding]:
    """An ending that nothing speaks against: what speaks for the sender, or that it cannot be told."""
    if ending.stage == "later" or ending.segment.from_client:
        return
    if ending.kind == "alert" and any(s.payload_bytes for s in ending.after):
        return  # a warning: the handshake went on
    kind, end, side = ending.kind, ending.segment, _side(ending)
    if ending.stage == "syn":
        yield cite(SYN_REFUSED, subject, *filter(None, [ending.opening.syn]), end)
        return
    fields = headers.contradictions(ending)
    if ending.idle_s >= IDLE_S:
        family = AFTER_SILENCE_BY_ANOTHER if fields else AFTER_SILENCE
        yield cite(family[kind], subject, end, idle=ending.idle_s, side=side, fields=", ".join(fields))
        return
    yield _base(ending, subject)
    if measured and measured.honest and headers.like_the_sender(ending):
        yield cite(IN_ITS_OWN_HEADERS[kind], subject, measured.cause, end, ratio=measured.ratio, side=side)
        return
    yield Inconclusive(_why(ending, measured), (Cited(end.capture, end.number),), subject)


def _why(ending: Ending, measured: Delay | None) -> str:
    said = _SAID[ending.kind]
    if measured is None:
        return f"a {said} before any answer, and no round trip to its sender to time it by"
    return (
        f"a {said} before any answer after {measured.ratio:.2f} round trips: forged or the server's own, by this alone"
    )


def _side(ending: Ending) -> str:
    return "client" if ending.segment.from_client else "server"


def _subject(stream: Stream, ending: Ending) -> Subject:
    protocol = "tcp" if ending.stage in ("syn", "open") else stream.protocol
    return Subject(
        name=stream.name, address=stream.server.address, port=stream.server.port, protocol=protocol, trial=stream.trial
    )


def _pushed(stream: Stream) -> Iterator[Evidence]:
    """Segments of nothing that a third made from the client's packets."""
    end, protocol = stream.server, stream.protocol
    subject = Subject(name=stream.name, address=end.address, port=end.port, protocol=protocol, trial=stream.trial)
    for model, push in pushes.empty_pushes(stream):
        yield cite(EMPTY_PUSH, subject, model, push, forged=(push,), ip_id=push.ip_id)


def _named(stream: Stream, listened_s: float) -> Iterator[Evidence]:
    """The passive sequence, read from the end where the capture was taken as far as the client's TTL tells."""
    found: tuple[str, tuple[Cited | Segment, ...]] | None
    if not stream.server_flags and stream.client_flags == SYN:
        alone = Cited(stream.capture, int(stream.rows[-1]) + 1)
        silent_s = listened_s + (stream.last_ns - stream.first_ns) / 1e9
        found = ("SYN → ∅", (alone,)) if silent_s >= SILENCE_S else None
    else:
        as_client = stream.segments[0].ttl_hops in INITIAL_TTLS_HOPS
        reset = {s.from_client for s in stream.segments[: 4 * FIRST_PKTS] if s.is_reset}
        # What arrives at the capture's end counts first; where nothing did, what that end sent.
        by_client = next(iter(reset)) if len(reset) == 1 else not as_client
        found = sequence(stream.segments, resets_from_client=by_client, listened_s=listened_s)
    if found:
        protocol = stream.protocol if found[0].startswith("PSH") else "tcp"
        subject = Subject(
            name=stream.name,
            address=stream.server.address,
            port=stream.server.port,
            protocol=protocol,
            trial=stream.trial,
        )
        yield cite(SEQUENCE, subject, *found[1], name=found[0])
