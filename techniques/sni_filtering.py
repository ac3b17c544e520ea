"""The name in the ClientHello decides what happens to the connection.

What it looks for
    A ClientHello that is never acknowledged, of which a part is never acknowledged, or whose answer never comes; and,
    for these and for resets, closes and alerts after a hello, whether the name is the trigger: other names that pass
    on the same address, or elsewhere with a hello of the same shape. Whether a reset or close is forged is the
    question of `tcp-rst-injection`; the verdict joins the two.

What it sends
    Hellos that differ in the name alone, control before trigger, ``pairs`` times on the target's address. If that
    fails: an innocent repeat at once, a pair at the control's address, a growing TTL, the hello in all its forms.

When it is wrong
    A server may refuse a name that it does not host: only a name that belongs elsewhere and passes here rules that
    out. A path that loses large packets drops large hellos whatever their name; a failing equal-cost path follows the
    source port; a hanging server looks like a dropped answer from one vantage.

Papers
    Xue et al., "TSPU: Russia's Decentralized Censorship System", IMC 2022.
    Sundara Raman et al., "Measuring the Deployment of Network Censorship Filters at Global Scale", NDSS 2020.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from fingerprint.capture import Capture
from fingerprint.conversations.full_queues import full_queue
from fingerprint.conversations.openings import Opening
from fingerprint.conversations.tls import names_and_addresses as square
from fingerprint.conversations.tls.names_and_addresses import FAILURES, Attempts, Square
from fingerprint.probing.names_greeted import NamesGreeted
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
    Trigger,
    cite,
)

# The handshake passed on this very 5-tuple, so neither a dead host nor a failing equal-cost path explains that only the
# hello is lost; a SYN proxy before a dead server does, a capture that lost one direction, and a server whose accept
# queue is full: Linux then ignores the handshake's ACK and every byte after it, and mostly drops the next SYNs as well.
HELLO_NEVER_ACKNOWLEDGED = Clue(
    id="hello-never-acknowledged",
    says="after a complete handshake the ClientHello was sent {copies} times in {span:.1f} s, never acknowledged",
    group="silence",
    given={
        "*.timeout": 0.9, "split-tcp": 0.002, "local-network": 0.003, "capture-fault": 0.003, "path-failure": 0.003,
        "server-refuses": 0.0005, "nat-timeout": 0.001, "pmtu": 0.001, "server-down": 0.01, "loss": 0.0003,
        "innocent": 0.0002, "*": 0.001,
    },
    source="RFC 9293 section 3.10.7.4 (a host acknowledges what it receives), RFC 6298 (back-off); set by hand",
)  # fmt: skip
HELLO_LOST_ONCE = Clue(
    id="hello-lost-once",
    says="after one complete handshake the ClientHello was sent {copies} times in {span:.1f} s, never acknowledged",
    group="silence",
    # A full queue shows on many connections; what meets a single one is a crash or an outage in that very round trip.
    given={**HELLO_NEVER_ACKNOWLEDGED.given, "server-down": 0.0005},
    source="as hello-never-acknowledged, for a name tried once where no other passes; set by hand",
)  # fmt: skip
NEVER_TAKEN_UP = Clue(
    id="connection-never-taken-up",
    says="the ClientHello was sent {copies} times in {span:.1f} s, and the server {sign}",
    group="silence",
    given={**HELLO_NEVER_ACKNOWLEDGED.given, "server-down": 0.3, "path-failure": 0.03, "split-tcp": 0.02, "loss": 0.01},
    source="Linux tcp(7), tcp_abort_on_overflow: a full accept queue ignores the ACK and all data; set by hand",
)  # fmt: skip
UNHEARD_HELLO = Clue(
    id="unheard-hello",
    says="the ClientHello, its handshake not captured, was sent {copies} times in {span:.1f} s, never acknowledged",
    group="silence",
    given={
        **HELLO_NEVER_ACKNOWLEDGED.given,
        **dict.fromkeys(("path-failure", "server-down", "nat-timeout", "capture-fault"), 0.3),
    },
    source="as hello-never-acknowledged, without its handshake; set by hand",
)
LARGE_HELLO_NEVER_ACKNOWLEDGED = Clue(
    id="large-hello-never-acknowledged",
    says="a ClientHello of {size} bytes was sent {copies} times in {span:.1f} s, never acknowledged",
    group="silence",
    given={**HELLO_NEVER_ACKNOWLEDGED.given, "pmtu": 0.6},
    source="RFC 2923 (black-hole routers); set by hand",
)
PART_NEVER_ACKNOWLEDGED = Clue(
    id="part-of-the-hello-never-acknowledged",
    says="{covered} of {size} bytes of the ClientHello were acknowledged, the rest never in {copies} sendings",
    group="silence",
    given={**HELLO_NEVER_ACKNOWLEDGED.given, "pmtu": 0.3},
    source="Xue et al., IMC 2022; RFC 2923; set by hand",
)
SERVER_LIVES = Clue(
    id="server-lives-without-the-hello",
    says="the server sent {packets} more packets, none of which acknowledges the ClientHello",
    group="witness",
    given={
        "*.timeout": 0.5, "split-tcp": 0.1, "path-failure": 0.5, "pmtu": 0.5, "loss": 0.05, "server-down": 0.002,
        "capture-fault": 0.05, "innocent": 0.01, "*": 0.01,
    },
    source="RFC 9293 section 3.10.7: a received segment is acknowledged; set by hand",
)  # fmt: skip
SILENCE_AFTER_ACKNOWLEDGEMENT = Clue(
    id="silence-after-acknowledgement",
    says="the ClientHello was acknowledged and nothing followed in {waited:.1f} s",
    group="silence",
    given={
        "*.timeout": 0.5, "server-down": 0.5, "server-refuses": 0.03, "split-tcp": 0.5, "pmtu": 0.5,
        "path-failure": 0.1, "ordinary": 0.05, "innocent": 0.02, "*": 0.01,
    },
    source="a hang and a dropped answer look the same from one vantage; set by hand",
)  # fmt: skip

DEAF_AFTER_THE_HELLO = Clue(
    id="deaf-after-the-hello",
    says="the ClientHello was acknowledged; {copies} later segments of the client over {span:.1f} s were not",
    group="witness",
    given={
        "*.timeout": 0.5, "server-down": 0.01, "nat-timeout": 0.01, "path-failure": 0.01, "split-tcp": 0.01,
        "capture-fault": 0.01, "local-network": 0.01, "server-refuses": 0.003, "innocent": 0.001, "*": 0.001,
    },
    source="a program that hangs leaves its kernel acknowledging (RFC 9293 section 3.10.7.4); set by hand",
)  # fmt: skip
STALLED = Clue(
    id="stalled-as-the-answer-began",
    says="the answer to the ClientHello began, and stopped in the middle for {silent:.1f} s",
    group="silence",
    given={
        "*.timeout": 0.5, **dict.fromkeys(("server-down", "nat-timeout", "split-tcp", "pmtu"), 0.03),
        "path-failure": 0.1, "local-network": 0.1, "loss": 0.01, "server-refuses": 0.001, "innocent": 0.01, "*": 0.003,
    },
    source="Xue et al., IMC 2022 (five to eight packets pass); a live kernel acknowledges; set by hand",
)  # fmt: skip

_EVERY_ACTION = ("reset", "timeout", "close", "alert")


def _by_name(**innocents: float) -> dict[str, float]:
    """Likelihoods of a clue that makes the name the trigger, whatever the action."""
    named = {f"*.{action}.sni": 0.9 for action in _EVERY_ACTION}
    unnamed = {f"*.{action}": 0.02 for action in _EVERY_ACTION}
    return {**unnamed, **named, **{k.replace("_", "-"): v for k, v in innocents.items()}, "*": 0.01}


OTHER_NAME_PASSES_HERE = Clue(
    id="other-name-passes-here",
    says="{control} passes on {address} where {name} does not ({passes} against {failures})",
    group="name-pair",
    given=_by_name(
        server_refuses=0.5, path_failure=0.3, loss=0.3, server_down=0.01, split_tcp=0.05, pmtu=0.02, local_network=0.01,
        captive_portal=0.01, innocent=0.1,
    ),
    source="DESIGN: another name passes on the same address; set by hand",
)  # fmt: skip
OTHER_NAME_PASSES_LATER = Clue(
    id="other-name-passes-here-at-another-time",
    says="{control} passes on {address}, before or after {name} fails there ({passes} against {failures})",
    group="name-pair",
    given={
        **OTHER_NAME_PASSES_HERE.given, "server-down": 0.1, "split-tcp": 0.1, "local-network": 0.1,
        "path-failure": 0.5, "loss": 0.5,
    },
    source="an outage ends as well; set by hand",
)  # fmt: skip
NAME_DECIDES_HERE = Clue(
    id="name-decides-here",
    says="on {address} every hello with {name} failed ({failures}) and other names passed ({passes}), in turn",
    group="name-pair",
    # Four outcomes that follow a name by chance, each one half at best: 1/16.
    given={**OTHER_NAME_PASSES_HERE.given, "path-failure": 0.06, "loss": 0.03, "innocent": 0.03},
    source="binomial; set by hand",
)
FOREIGN_NAME_PASSES_HERE = Clue(
    id="foreign-name-passes-here",
    says="{control}, which lives at another address, passes on {address} where {name} does not",
    group="name-pair",
    given={**NAME_DECIDES_HERE.given, "server-refuses": 0.01},
    source="a server that answers names it does not host has no reason to refuse one; set by hand",
)
SMALLER_HELLO_PASSES_HERE = Clue(
    id="smaller-hello-passes-here",
    says="{control} passes on {address} with a hello of {control_size} bytes, {name} fails with {size}",
    group="name-pair",
    given={**OTHER_NAME_PASSES_HERE.given, "pmtu": 0.9},
    source="RFC 2923; set by hand",
)
# The kinds of `names_and_addresses.pair`.
PAIRS = {
    "here": OTHER_NAME_PASSES_HERE, "later": OTHER_NAME_PASSES_LATER, "decides": NAME_DECIDES_HERE,
    "foreign": FOREIGN_NAME_PASSES_HERE, "smaller": SMALLER_HELLO_PASSES_HERE,
}  # fmt: skip
OTHER_NAME_PASSES_ELSEWHERE = Clue(
    id="other-name-passes-elsewhere",
    says="{control} passes elsewhere within a minute with a hello of the same shape; {address} completes handshakes",
    group="name-pair",
    given=_by_name(
        server_refuses=0.9, server_down=0.9, path_failure=0.5, loss=0.3, split_tcp=0.9, pmtu=0.1, local_network=0.02,
        captive_portal=0.05, corporate_proxy=0.3, innocent=0.5,
    ),
    source="DESIGN: another name passes elsewhere within a minute with the same hello shape; set by hand",
)  # fmt: skip
ADDRESS_WORKS_OTHERWISE = Clue(
    id="address-works-otherwise",
    says="port {port} of {address} answers at the same time",
    group="address",
    given={
        **{f"*.{action}": 0.6 for action in _EVERY_ACTION}, "server-down": 0.02, "split-tcp": 0.05, "path-failure": 0.3,
        "local-network": 0.01, "server-refuses": 0.5, "innocent": 0.5, "*": 0.5,
    },
    source="a port that answers shows that host and path are up; set by hand",
)  # fmt: skip
ADDRESS_FAILS_OTHERWISE = Clue(
    id="address-fails-otherwise-too",
    says="beside it {address} left {others} other connections without a SYN-ACK, or acknowledged and unanswered",
    group="address",
    given={
        "*.timeout": 0.15, **{f"*.{action}": 0.4 for action in ("reset", "close", "alert")}, "server-down": 0.9,
        "server-refuses": 0.2, "split-tcp": 0.5, "path-failure": 0.5, "local-network": 0.5, "loss": 0.5,
        "innocent": 0.2, "*": 0.2,
    },
    source="Linux: a full accept queue drops SYNs as well; residual blocks do the same (up to 420 s); set by hand",
)  # fmt: skip
OTHER_NAMES_FAIL_HERE = Clue(
    id="other-names-fail-here-too",
    says="{others} other names fail on {address} as {name} does, and none passes there",
    group="other-names",
    given={
        "*.timeout": 0.02, "nat-timeout": 0.5, "loss": 0.5, "innocent": 0.3, "*": 0.3,
        **dict.fromkeys(("server-down", "server-refuses", "split-tcp", "path-failure", "local-network", "pmtu"), 0.9),
    },
    source="DESIGN: a control that fails makes a trial invalid; set by hand",
)  # fmt: skip
NAME_FAILS_EVERYWHERE = Clue(
    id="name-fails-everywhere",
    says="{name} fails in the same way on {addresses} addresses of different networks",
    group="two-by-two",
    given={
        **{f"*.{action}.sni": 0.7 for action in _EVERY_ACTION}, **{f"*.{action}": 0.2 for action in _EVERY_ACTION},
        "server-refuses": 0.05, "server-down": 0.05, "path-failure": 0.02, "local-network": 0.5, "innocent": 0.1,
        "*": 0.2,
    },
    source="Singh et al., 'How India Censors the Web' (name x address); set by hand",
)  # fmt: skip
THIS_NAME_PASSES_TOO = Clue(
    id="this-name-passes-too",
    says="{name} also passed on {address} ({passes} of {all} hellos)",
    group="contradiction",
    given={
        **{f"*.{action}": 0.25 for action in _EVERY_ACTION}, "server-refuses": 0.1, "server-down": 0.3, "loss": 0.9,
        "path-failure": 0.9, "innocent": 0.7, "*": 0.5,
    },
    source="censors that act on a share of the flows exist (dpi-checkers #18); set by hand",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class SniFiltering(Technique):
    """Thresholds: how often and how long a hello must have gone unheard, and how long an answer is waited for."""

    clues = (
        HELLO_NEVER_ACKNOWLEDGED, HELLO_LOST_ONCE, NEVER_TAKEN_UP, UNHEARD_HELLO, LARGE_HELLO_NEVER_ACKNOWLEDGED,
        PART_NEVER_ACKNOWLEDGED, SERVER_LIVES, DEAF_AFTER_THE_HELLO, SILENCE_AFTER_ACKNOWLEDGEMENT, STALLED,
        *PAIRS.values(), OTHER_NAME_PASSES_ELSEWHERE, ADDRESS_WORKS_OTHERWISE, ADDRESS_FAILS_OTHERWISE,
        OTHER_NAMES_FAIL_HERE, NAME_FAILS_EVERYWHERE, THIS_NAME_PASSES_TOO,
    )  # fmt: skip

    copies: int = 4  # sendings of the hello, first one included
    span_s: float = 2.0  # from the first sending to the last
    listen_s: float = 5.0  # after an acknowledgement, before silence counts
    # RFC 8200 section 5: the smallest link MTU of IPv6 is 1280 bytes; payloads below 1200 pass everywhere.
    small_bytes: int = 1200
    pairs: int = 3

    def probe(self, target: Target) -> Probe:
        """The square of name and address, then place and profile of what failed."""
        if target.secure:  # in the clear a Host takes the place of the name: see `http-filtering`
            yield from NamesGreeted(target, shows=self.clues, pairs=self.pairs, listen_s=self.listen_s).steps()

    def analyse(self, capture: Capture) -> Iterator[Finding]:
        """Silence after each hello that failed, then what the names beside it say."""
        table = square.attempts(s for s in capture.streams if s.trial not in capture.aftermath)
        for mine in table.failing():
            alone = len(mine.failed) == 1 and not square.others_here(table, mine)
            queued = full_queue(mine.failed, capture.streams_of(mine.address))
            for failure in mine.failed:
                yield from self._silence(mine, failure, alone=alone, queued=queued)
            yield from self._names(capture, table, mine)

    def _silence(self, mine: Attempts, o: Opening, *, alone: bool, queued: bool) -> Iterator[Finding]:
        subject = _subject(mine, o.stream.trial)
        hello = (*o.request, *o.repeats)
        if o.outcome == "silent":
            if o.waited_s < self.listen_s:
                why = f"only {o.waited_s:.1f} s of listening after the hello was acknowledged, want {self.listen_s:g} s"
                yield _unsure(why, subject, o)
            else:
                yield cite(SILENCE_AFTER_ACKNOWLEDGEMENT, subject, *hello, waited=o.waited_s)
            yield from self._deaf(subject, o)
        if o.outcome == "stalled" and o.stalled_s >= self.span_s:
            facets = Facets(position="in-path")
            yield cite(STALLED, subject, *o.request[:1], *filter(None, [o.answer]), facets=facets, silent=o.stalled_s)
        if o.outcome not in ("unacknowledged", "part-acknowledged"):
            return
        if o.copies < self.copies or o.span_s < self.span_s:
            why = (
                f"the hello was sent {o.copies} times over {o.span_s:.1f} s, want {self.copies} over {self.span_s:g} s"
            )
            yield _unsure(why, subject, o)
            return
        facets = Facets(position="in-path")
        words: dict[str, Any] = {"copies": o.copies, "span": o.span_s, "size": o.request_bytes}
        if o.outcome == "part-acknowledged":
            yield cite(PART_NEVER_ACKNOWLEDGED, subject, *hello, facets=facets, covered=max(0, o.covered - 1), **words)
        else:
            large = max(s.payload_bytes for s in o.request) > self.small_bytes
            once = HELLO_LOST_ONCE if alone else HELLO_NEVER_ACKNOWLEDGED
            clue = LARGE_HELLO_NEVER_ACKNOWLEDGED if large else once
            clue = NEVER_TAKEN_UP if o.offers or queued else clue
            words["sign"] = "still repeats its SYN-ACK" if o.offers else "takes up no connection beside it either"
            clue = clue if o.syn_ack is not None else UNHEARD_HELLO
            facets = facets if clue is not NEVER_TAKEN_UP else Facets()
            yield cite(clue, subject, *hello, *o.offers, facets=facets, **words)
        first_wait_ns = o.request[0].time_ns + int(self.span_s * 1e9)
        later = [s for s in o.signs_of_life if s.time_ns > first_wait_ns]
        if later:
            yield cite(SERVER_LIVES, subject, *o.request, *later, packets=len(later))

    def _deaf(self, subject: Subject, o: Opening) -> Iterator[Evidence]:
        if len(o.unheard) >= self.copies - 1 and o.deaf_s >= self.span_s:
            yield cite(DEAF_AFTER_THE_HELLO, subject, *o.request, *o.unheard, copies=len(o.unheard), span=o.deaf_s)

    def _names(self, capture: Capture, table: Square, mine: Attempts) -> Iterator[Evidence]:
        subject = _subject(mine, None)
        trigger = Facets(trigger=Trigger(field="tls.sni", value=mine.name))
        failures = [s for o in mine.failed for s in o.request[:1]]
        here = square.others_here(table, mine)
        words: dict[str, Any] = {"name": mine.name, "address": mine.address, "failures": len(mine.failed)}
        words |= {"passes": len(here)}
        if here:
            kind, control = square.pair(mine, here, capture.lookups, small_bytes=self.small_bytes)
            shown = [control, *(o for o in here if o is not control)][:4]
            yield cite(
                PAIRS[kind], subject, *failures,
                *(s for o in shown for s in (*o.request[:1], *filter(None, [o.answer]))),
                facets=trigger, control=control.stream.name, control_size=control.request_bytes,
                size=mine.largest_failed_bytes, **words,
            )  # fmt: skip
        elif any(o.syn_ack for o in mine.failed):
            o = square.other_elsewhere(table, mine)
            if o is not None:
                answered = [s for s in (*o.request[:1], o.answer) if s]
                shaken = [s for f in mine.failed for s in (f.syn_ack,) if s]
                yield cite(
                    OTHER_NAME_PASSES_ELSEWHERE, subject, *failures, *shaken, *answered,
                    facets=trigger, control=o.stream.name, **words,
                )  # fmt: skip
        for s in square.works_otherwise(capture.streams_of(mine.address), mine)[:1]:
            answer = next(x for x in s.from_server if x.payload_bytes)
            yield cite(ADDRESS_WORKS_OTHERWISE, subject, *failures, answer, port=s.server.port, **words)
        others = square.fails_otherwise(capture.streams_of(mine.address), mine) if not here else []
        if others:
            yield cite(ADDRESS_FAILS_OTHERWISE, subject, *failures, *others, others=len(others), **words)
        fellows = square.others_fail_here(table, mine)
        if fellows:
            shown_fellows = [s for a in fellows[:4] for s in a.failed[0].request[:1]]
            yield cite(OTHER_NAMES_FAIL_HERE, subject, *failures, *shown_fellows, others=len(fellows), **words)
        for action in sorted({FAILURES[o.outcome] for o in mine.failed}):
            there = square.fails_elsewhere(table, mine, action)
            if there:
                addresses = 1 + len({o.stream.server.address for o in there})
                shown_there = [s for o in there for s in o.request[:1]]
                yield cite(NAME_FAILS_EVERYWHERE, subject, *failures, *shown_there, addresses=addresses, name=mine.name)
                break
        if mine.passed:
            total = len(mine.passed) + len(mine.failed)
            passing = [x for s in mine.passed[:4] for x in (s.from_client[0], s.from_server[0])]
            yield cite(
                THIS_NAME_PASSES_TOO, subject, *failures, *passing,
                name=mine.name, address=mine.address, passes=len(mine.passed), all=total,
            )  # fmt: skip


def _subject(mine: Attempts, trial: str | None) -> Subject:
    return Subject(name=mine.name, address=mine.address, port=mine.port, protocol="tls", trial=trial)


def _unsure(why: str, subject: Subject, o: Opening) -> Inconclusive:
    return Inconclusive(why, tuple(Cited(s.capture, s.number) for s in o.request), subject)
