"""Transfers that are slowed, or cut off after so many bytes, while others on the same path run free.

What it looks for
    Goodput far below that of a control, with the marks of a limiter: a policer's drops on one line of burst and rate, a
    shaper's queue, an added delay, loss that follows the name; and streams that freeze at the same number of bytes.

What it sends
    Downloads and uploads of control and target in turns, equally long, from the same server where it will serve both;
    again and longer if the target was slower. Then the control behind decoys for the target, to find the limiter.

When it is wrong
    A slow line, a plan's speed limit and congestion slow everything, so nothing is claimed without a control. A server
    that is slow by itself shows neither drops nor a queue. Random loss has no constant slope between drops. A receiver
    that opens its window late limits itself. A path that loses large packets freezes before the first of them.

Papers
    Flach et al., "An Internet-Wide Analysis of Traffic Policing", SIGCOMM 2016.
    Xue et al., "Throttling Twitter: An Emerging Censorship Technique in Russia", IMC 2021.
    Li et al., "A Large-Scale Analysis of Deployed Traffic Differentiation Practices", SIGCOMM 2019.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from fingerprint.capture import Capture
from fingerprint.conversations.streams import Stream
from fingerprint.conversations.transfers.controls import Comparison, compare, subject_of
from fingerprint.conversations.transfers.freezes import Freeze, freeze, may_have_frozen, same_cap
from fingerprint.conversations.transfers.loads import BESIDE_NS, Loads
from fingerprint.conversations.transfers.shapes import bucket, shape, shown
from fingerprint.conversations.transfers.starved import starved
from fingerprint.conversations.transfers.suspects import suspects
from fingerprint.conversations.transfers.transfers import LEAST_BYTES, SKIP_S, WINDOW_S, Transfer
from fingerprint.probing.turns_taken import TurnsTaken
from fingerprint.steps import Probe, Target
from fingerprint.technique import (
    Cited,
    Clue,
    Evidence,
    Facets,
    Finding,
    Inconclusive,
    Interval,
    Subject,
    Technique,
    Trigger,
    cite,
)

LIMITED = Clue(
    id="limited-without-control",
    says="{direction} of {size} kB held to {rate} kbit/s by {shape} ({retransmitted:.1%} sent again, {rtts})",
    group="observation",
    given={},
    source="Flach et al., SIGCOMM 2016",
)
# Layer of a stream → the field by which a limiter could pick it.
TRIGGERS = {"tls": "tls.sni", "http": "http.host"}
_UNNAMED = {"*.throttle": 0.9, "ip.throttle": 0.003}
_NAMED = {"*.throttle.sni": 0.9, "*.throttle.host": 0.9, "*.throttle": 0.003, "ip.throttle": 0.003}
_HERE = {
    "ordinary": 0.003, "congestion": 0.003, "path-failure": 0.01, "loss": 0.003, "slow-access": 0.0005,
    "corporate-proxy": 0.03, "innocent": 0.001, "*": 0.001,
}  # fmt: skip
_ELSEWHERE = {**_HERE, "ordinary": 0.01, "congestion": 0.01, "path-failure": 0.02, "loss": 0.01}
SLOWER_THAN_OTHER_NAME_HERE = Clue(
    id="slower-than-other-name-here",
    says="{ratio:.0%} of the goodput of {control} on the same address ({low:.0%} to {high:.0%}), {pairs} turns",
    group="slow-pair",
    given={**_NAMED, **_HERE},
    source="Li et al., SIGCOMM 2019; set by hand",
)
SLOWER_THAN_SAME_HELLO_ELSEWHERE = Clue(
    id="slower-than-same-hello-elsewhere",
    says="{ratio:.0%} of the goodput of {control} with an equal hello ({low:.0%} to {high:.0%}), {pairs} turns",
    group="slow-pair",
    given={**_NAMED, **_ELSEWHERE},
    source="DESIGN, control (b); set by hand",
)
SLOWER_THAN_ELSEWHERE = Clue(
    id="slower-than-elsewhere",
    says="{ratio:.0%} of the goodput of {control} beside it ({low:.0%} to {high:.0%}), {pairs} turns",
    group="slow-pair",
    given={**_UNNAMED, **_ELSEWHERE},
    source="DESIGN, control (b); set by hand",
)
TRICKLES = Clue(
    id="trickles-beside-another-name",
    says="{size} bytes took {took:.1f} s, {paused:.1f} s of it within TLS records; {control} got them in {free:.2f} s",
    group="slow-pair",
    given={**_NAMED, **_HERE, "ordinary": 0.001, "loss": 0.003, "congestion": 0.001, "innocent": 0.0005},
    source="RFC 8446 section 5.2: who pauses within a record had it ready; set by hand",
)
SHAPES = {
    "policer": Clue(
        id="drops-on-one-line",
        says="{retransmitted:.0%} sent again, every drop at {rate} kbit/s after a burst of {burst} kB",
        group="shape",
        given={
            "*.throttle": 0.7, "ip.throttle": 0.7, "ordinary": 0.005, "loss": 0.005, "congestion": 0.005,
            "slow-access": 0.2, "path-failure": 0.01, "innocent": 0.01, "*": 0.01,
        },
        source="Flach et al., SIGCOMM 2016: a policer's bucket is empty at every drop; set by hand",
    ),
    "shaper": Clue(
        id="queue-at-one-rate",
        says="a constant {rate} kbit/s with {rtts}",
        group="shape",
        given={
            "*.throttle": 0.7, "ip.throttle": 0.7, "ordinary": 0.007, "loss": 0.005, "congestion": 0.02,
            "slow-access": 0.3, "path-failure": 0.01, "innocent": 0.01, "*": 0.01,
        },
        source="laboratory, shaper against 12 other conditions; set by hand",
    ),
    "delay": Clue(
        id="delay-from-the-first-answer",
        says="round trips take {rtts} from the first one with data",
        group="shape",
        given={
            "*.throttle": 0.4, "ip.throttle": 0.4, "congestion": 0.1, "slow-access": 0.2, "path-failure": 0.05,
            "ordinary": 0.02, "innocent": 0.02, "*": 0.02,
        },
        source="set by hand",
    ),
    "loss": Clue(
        id="loss-where-the-control-has-none",
        says="{retransmitted:.1%} sent again",
        group="shape",
        given={
            "*.throttle": 0.3, "ip.throttle": 0.3, "loss": 0.5, "congestion": 0.3, "path-failure": 0.3, "ordinary": 0.1,
            "innocent": 0.1, "*": 0.1,
        },
        source="set by hand",
    ),
}  # fmt: skip
FROZE = Clue(
    id="stream-froze",
    says="silent for {silent:.1f} s after {size} bytes ({packets} packets), no FIN or RST; {witness}",
    group="freeze",
    given={
        "*.throttle": 0.8, "ip.throttle": 0.8, "server-down": 0.3, "path-failure": 0.3, "local-network": 0.2,
        "nat-timeout": 0.1, "split-tcp": 0.1, "congestion": 0.02, "pmtu": 0.01, "client-abort": 0.002, "innocent": 0.01,
        "*": 0.02,
    },
    source="net4people/bbs#490; set by hand",
)  # fmt: skip
_PASSED = {
    "server-down": 0.02, "path-failure": 0.1, "local-network": 0.003, "nat-timeout": 0.02, "innocent": 0.01, "*": 0.01,
}  # fmt: skip
OTHER_NAME_PASSES_THE_CAP_HERE = Clue(
    id="other-name-passes-the-cap-here",
    says="{control} went on to {size} bytes on the same address within a minute",
    group="freeze-pair",
    given={**_NAMED, **_PASSED, "server-down": 0.005},
    source="DESIGN, control (a); set by hand",
)
PASSES_THE_CAP_ELSEWHERE = Clue(
    id="control-passes-the-cap-elsewhere",
    says="{control} went on to {size} bytes within a minute",
    group="freeze-pair",
    given={**_UNNAMED, **_PASSED, "server-down": 0.2, "path-failure": 0.2},
    source="DESIGN, control (b); set by hand",
)
SAME_CAP_AGAIN = Clue(
    id="same-cap-again",
    says="{streams} streams stopped within {low} to {high} bytes",
    group="freeze-cap",
    given={
        "*.throttle": 0.8, "ip.throttle": 0.8, "ordinary": 0.02, "server-down": 0.005, "path-failure": 0.005,
        "nat-timeout": 0.01, "pmtu": 0.005, "innocent": 0.005, "*": 0.01,
    },
    source="net4people/bbs#490: the cap is a count; set by hand",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Throttling(Technique):
    """Thresholds: how much slower, how sure, after how long."""

    clues = (
        LIMITED, SLOWER_THAN_OTHER_NAME_HERE, SLOWER_THAN_SAME_HELLO_ELSEWHERE, SLOWER_THAN_ELSEWHERE, TRICKLES,
        *SHAPES.values(), FROZE, OTHER_NAME_PASSES_THE_CAP_HERE, PASSES_THE_CAP_ELSEWHERE, SAME_CAP_AGAIN,
    )  # fmt: skip

    # Lab: everything that was not throttled ran above 0.33 of its control.
    slow_ratio: float = 0.33
    margin_ratio: float = 0.5  # what the interval's upper end must stay below
    pairs: int = 2  # turns of target and control
    steady_s: float = 1.0  # of steady transfer; lab: shapes other than loss are right from there on
    steady_loss_s: float = 3.0  # lab: random loss needs three to four seconds
    seconds: float = 5.0  # that one transfer may take

    def probe(self, target: Target) -> Probe:
        """Turns of control and target, down and up."""
        shows = tuple(clue for clue in self.clues if clue.given)
        yield from TurnsTaken(target, shows=shows, turns=self.pairs, seconds=self.seconds).steps()

    def analyse(self, capture: Capture) -> Iterator[Finding]:
        """Every transfer against its controls, then the streams that froze."""
        loads = Loads(capture.streams)
        for load in suspects(loads, slow_ratio=self.slow_ratio, alone_s=SKIP_S + self.steady_loss_s):
            versus, t = compare(load, loads), loads.transfer(load)
            if versus is not None:
                yield from self._against(versus)
            elif t is not None:
                yield from self._alone(t)
        yield from _freezes(capture, loads)
        for s in starved(capture.streams):
            if s.turns >= self.pairs:
                trigger = Trigger(field="tls.sni", value=s.stream.name or "")
                yield cite(
                    TRICKLES, _stream_subject(s.stream), *s.shown, s.control.head[-1], control=s.control.name,
                    facets=Facets(position="in-path", trigger=trigger), size=s.size_bytes, took=s.took_s,
                    paused=s.paused_s, free=s.control_s,
                )  # fmt: skip

    def _alone(self, t: Transfer, why: str = "no control of comparable length within a minute") -> Iterator[Finding]:
        if len(t.windows_bytes_s) * WINDOW_S < self.steady_loss_s or t.window_limited:
            return
        form = shape(t)
        if form is None:
            return
        yield _evidence(LIMITED, t, form)
        yield Inconclusive(f"{form} at work, but {why}", _cited(t), _subject(t))

    def _against(self, versus: Comparison) -> Iterator[Finding]:
        if versus.ratio_value > self.slow_ratio or versus.ratio.high > self.margin_ratio:
            return
        t, ratio = versus.target, versus.ratio
        form = shape(t, control=versus.best)
        if why := self._refusal(versus, form):
            if form and not t.window_limited and not versus.ran_free(self.margin_ratio):
                yield _evidence(LIMITED, t, form)
            yield Inconclusive(why, _cited(t), _subject(t))
            return
        pair = _pair_clue(versus)
        control = versus.best.stream
        cited = [Cited(c.stream.capture, n) for c in versus.controls for n in (c.cited[0], c.cited[-1])]
        trigger = None if pair is SLOWER_THAN_ELSEWHERE else _trigger(t)
        # Packets of this name alone are lost or wait between two ends that let another name run free.
        position = "in-path" if versus.same_address and _trigger(t) else None
        yield _evidence(
            pair, t, form, also=cited, trigger=trigger, position=position, pairs=versus.pairs,
            ratio=ratio.value, low=ratio.low, high=ratio.high, control=control.name or control.server.address,
        )  # fmt: skip
        yield _evidence(SHAPES[form or ""], t, form)

    def _refusal(self, versus: Comparison, form: str | None) -> str | None:
        """Why a slow transfer is not evidence, or None."""
        t, slow = versus.target, f"{versus.ratio.value:.0%} of the control's goodput"
        if t.window_limited:
            return f"{slow}, but the receiver's window explains the rate"
        seconds = len(t.windows_bytes_s) * WINDOW_S
        want = self.steady_loss_s if form == "loss" else self.steady_s
        if seconds < want:
            return f"{slow}, but only {seconds:.2f} s of steady transfer, want {want:g} s"
        if form is None:
            return f"{slow}, but neither drops nor a queue: server or application may set the pace"
        if versus.ran_free(self.margin_ratio):
            return f"{slow}, but the same name also ran free on this address"
        if form == "loss" and not (versus.same_address and versus.siblings):
            return f"{slow} through loss without a constant rate: want two transfers against a control on the address"
        if versus.pairs < self.pairs:
            return f"{slow}, but target and control took turns only {versus.pairs} times, want {self.pairs}"
        return None


def _pair_clue(versus: Comparison) -> Clue:
    """Which control it is: the same address, a hello of the same shape elsewhere, or any other."""
    named = _trigger(versus.target) is not None
    if versus.same_address and named:
        return SLOWER_THAN_OTHER_NAME_HERE
    if named and versus.same_hello:
        return SLOWER_THAN_SAME_HELLO_ELSEWHERE
    return SLOWER_THAN_ELSEWHERE


def _freezes(capture: Capture, loads: Loads) -> Iterator[Finding]:
    found: dict[tuple[str, str | None, bool], list[Freeze]] = {}
    for stream in capture.streams:
        for up in (False, True) if may_have_frozen(stream) else ():
            if froze := freeze(stream, from_client=up):
                found.setdefault((stream.server.address, stream.name, up), []).append(froze)
    for frozen in found.values():
        passing = _passing(loads, frozen[0])
        here = [t for t in passing if t.stream.server.address == frozen[0].stream.server.address]
        if any(subject_of(t) == (f.stream.server.address, f.stream.name) for f in frozen for t in here):
            continue  # the same name went past it: no cap
        if len(frozen) > 1 and not same_cap(frozen):
            at = " and ".join(str(f.passed_bytes) for f in frozen[:3])
            yield Inconclusive(
                f"streams froze, but after {at} bytes: no cap",
                _frozen_at(frozen[0]),
                _stream_subject(frozen[0].stream),
            )
            continue
        for f in frozen:
            witness = "in the middle of a TLS record" if f.within_record else f"{f.tries} tries unanswered"
            yield _frozen_evidence(
                FROZE, f, silent=f.silent_s, size=f.passed_bytes, packets=f.passed_pkts, witness=witness
            )
            if passing:
                other = (here or passing)[0]
                clue = OTHER_NAME_PASSES_THE_CAP_HERE if here else PASSES_THE_CAP_ELSEWHERE
                yield _frozen_evidence(
                    clue, f, also=other, control=other.stream.name or other.stream.server.address, size=other.new_bytes
                )
            if same_cap(frozen):
                sizes = [x.passed_bytes for x in frozen]
                yield _frozen_evidence(SAME_CAP_AGAIN, f, streams=len(frozen), low=min(sizes), high=max(sizes))
        if not passing or not same_cap(frozen):
            why = "the cap was seen once" if passing else "no control went past the cap within a minute"
            yield Inconclusive(f"a stream froze, but {why}", _frozen_at(frozen[0]), _stream_subject(frozen[0].stream))


def _frozen_at(f: Freeze) -> tuple[Cited, ...]:
    return tuple(Cited(f.stream.capture, n) for n in f.cited)


def _passing(loads: Loads, f: Freeze) -> list[Transfer]:
    """Controls that went well past the cap, and showed after the freeze that the path was up."""
    until_ns, least = f.frozen_ns + BESIDE_NS, max(LEAST_BYTES, 2 * f.passed_bytes)
    client, up = f.stream.client.address, f.from_client
    near = loads.overlapping(client, from_client=up, since_ns=f.frozen_ns, until_ns=until_ns)
    seen = (loads.transfer(load) for load in near if load.size_bytes >= least)
    return [t for t in seen if t and t.new_bytes >= least and t.end_ns >= f.frozen_ns and t.start_ns <= until_ns]


def _trigger(t: Transfer) -> Trigger | None:
    field = TRIGGERS.get(t.stream.protocol)
    return Trigger(field=field, value=t.stream.name) if field and t.stream.name else None


def _subject(t: Transfer) -> Subject:
    return _stream_subject(t.stream)


def _stream_subject(s: Stream) -> Subject:
    layer = s.protocol if s.protocol in ("tls", "http") else "ip"
    return Subject(name=s.name, address=s.server.address, port=s.server.port, protocol=layer, trial=s.trial)


def _cited(t: Transfer) -> tuple[Cited, ...]:
    return tuple(Cited(t.stream.capture, n) for n in t.cited)


def _evidence(
    clue: Clue,
    t: Transfer,
    form: str | None,
    *,
    also: Sequence[Cited] = (),
    trigger: Trigger | None = None,
    position: str | None = None,
    **words: str | float,
) -> Evidence:
    """A clue about a transfer, with its shape, rate and burst."""
    fitted = bucket(t, form)
    rtts = "round trips not measured"
    if t.in_flow_rtt_s and t.rtt_s:
        rtts = f"round trips of {t.in_flow_rtt_s * 1e3:.0f} ms where the handshake took {t.rtt_s * 1e3:.0f} ms"
    rate_bps = fitted.rate_bps.value if fitted else 8 * t.goodput_bytes_s
    said: dict[str, Any] = dict(words)
    return cite(
        clue,
        _subject(t),
        *_cited(t),
        *also,
        facets=Facets(
            position=position,
            trigger=trigger,
            shape=shown(t, form),
            rate_bps=fitted.rate_bps if fitted else None,
            burst_bytes=fitted.burst_bytes if fitted else None,
        ),
        direction="an upload" if t.from_client else "a download",
        size=t.new_bytes // 1000,
        rate=round(rate_bps / 1000),
        burst=round(fitted.burst_bytes.value / 1000) if fitted else 0,
        shape=form,
        retransmitted=t.retransmitted_ratio,
        rtts=rtts,
        **said,
    )


def _frozen_evidence(clue: Clue, f: Freeze, *, also: Transfer | None = None, **words: str | float) -> Evidence:
    """A clue about a freeze; what passed is the burst of a bucket that is never filled again."""
    passed = Interval(value=f.passed_bytes, low=f.passed_bytes, high=f.passed_bytes + 1460)
    packets = [Cited(f.stream.capture, n) for n in f.cited] + ([_cited(also)[-1]] if also else [])
    trigger = None
    if clue is OTHER_NAME_PASSES_THE_CAP_HERE and f.stream.name and f.stream.protocol in TRIGGERS:
        trigger = Trigger(field=TRIGGERS[f.stream.protocol], value=f.stream.name)
    said: dict[str, Any] = dict(words)
    facets = Facets(shape="freeze", burst_bytes=passed, trigger=trigger)
    return cite(clue, _stream_subject(f.stream), *packets, facets=facets, **said)
