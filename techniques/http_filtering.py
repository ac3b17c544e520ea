"""The Host, the path or a word in a plain request decides what happens to the connection.

What it looks for
    A request that is never acknowledged, or acknowledged and never answered; and, for this and for resets and closes
    after a request, what the trigger is: other Hosts that pass on the same address, other paths of the same Host, or
    the same path under another Host. Whether a reset is forged is the question of `tcp-rst-injection`, whether an
    answer is that of `http-injection`; the verdict joins them.

What it sends
    Requests in the clear that differ in the Host alone, control before trigger: ``pairs`` times where that is what the
    target speaks, once on port 80 where it speaks TLS. If that fails: an innocent repeat, the paths, a growing TTL.

When it is wrong
    A server may refuse a Host that it does not serve, or a path: only what passes elsewhere, or a Host that lives
    elsewhere and passes here, rules that out. A hanging script looks like a dropped answer from one vantage. A
    request with a longer path may be lost for its length.

Papers
    Crandall et al., "ConceptDoppler", CCS 2007 (keywords); Clayton et al., "Ignoring the Great Firewall", PET 2006.
    Singh et al., "How India Censors the Web", WebSci 2020; Weinberg et al., "Chinese Wall or Swiss Cheese", WWW 2021.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from fingerprint.capture import Capture
from fingerprint.conversations.full_queues import full_queue
from fingerprint.conversations.http import square
from fingerprint.conversations.http.reach import Deafened, deafened, last_words
from fingerprint.conversations.http.square import Asked, HttpSquare
from fingerprint.conversations.openings import Opening
from fingerprint.conversations.segments import Segment
from fingerprint.probing.requests_made import RequestsMade
from fingerprint.steps import Probe, Target
from fingerprint.technique import (
    Cited,
    Clue,
    Evidence,
    Facets,
    Finding,
    Inconclusive,
    Location,
    Subject,
    Technique,
    Trigger,
    cite,
)

NEVER_ACKNOWLEDGED = Clue(
    id="request-never-acknowledged",
    says="after a complete handshake the request was sent {copies} times in {span:.1f} s, never acknowledged",
    group="silence",
    given={
        "http.timeout": 0.9, "split-tcp": 0.002, "local-network": 0.003, "capture-fault": 0.003, "path-failure": 0.003,
        "server-refuses": 0.0005, "nat-timeout": 0.001, "pmtu": 0.001, "server-down": 0.01, "loss": 0.0003,
        "innocent": 0.0002, "*": 0.001,
    },
    source="RFC 9293 section 3.10.7.4 (a host acknowledges what it receives), RFC 6298 (back-off); set by hand",
)  # fmt: skip
# The handshake was not captured, or the server still repeats its part of it: a full queue, a failing path.
UNHEARD = Clue(
    id="request-unheard",
    says="the request, its handshake not seen or not taken up, was sent {copies} times in {span:.1f} s, unacknowledged",
    group="silence",
    given={
        **NEVER_ACKNOWLEDGED.given,
        **dict.fromkeys(("path-failure", "server-down", "nat-timeout", "capture-fault"), 0.3),
    },
    source="Linux tcp(7), tcp_abort_on_overflow; set by hand",
)  # fmt: skip
PART_LOST = Clue(
    id="part-of-the-request-never-acknowledged",
    says="{covered} of {size} bytes of the request were acknowledged, the rest never in {copies} sendings",
    group="silence",
    given={**NEVER_ACKNOWLEDGED.given, "pmtu": 0.3},
    source="RFC 2923 (black-hole routers); set by hand",
)
LIVES_WITHOUT_IT = Clue(
    id="server-lives-without-the-request",
    says="the server sent {packets} more packets, none of which acknowledges the request",
    group="witness",
    given={
        "http.timeout": 0.5, "split-tcp": 0.1, "path-failure": 0.5, "pmtu": 0.5, "loss": 0.05, "server-down": 0.002,
        "capture-fault": 0.05, "innocent": 0.01, "*": 0.01,
    },
    source="RFC 9293 section 3.10.7: a received segment is acknowledged; set by hand",
)  # fmt: skip
NO_ANSWER = Clue(
    id="request-never-answered",
    says="the request was acknowledged and nothing followed in {waited:.1f} s",
    group="silence",
    # A script that hangs is commoner behind plain HTTP than a TLS handshake that does.
    given={
        "http.timeout": 0.5, "server-down": 0.5, "server-refuses": 0.05, "split-tcp": 0.5, "pmtu": 0.5,
        "path-failure": 0.1, "ordinary": 0.1, "innocent": 0.02, "*": 0.01,
    },
    source="a hang and a dropped answer look the same from one vantage; set by hand",
)  # fmt: skip
DEAF = Clue(
    id="deaf-after-the-request",
    says="behind the request {copies} segments of the client over {span:.1f} s were left unacknowledged",
    group="witness",
    given={
        "http.timeout": 0.5, "server-down": 0.01, "nat-timeout": 0.01, "path-failure": 0.01, "split-tcp": 0.01,
        "capture-fault": 0.01, "local-network": 0.01, "server-refuses": 0.003, "innocent": 0.001, "*": 0.001,
    },
    source="a program that hangs leaves its kernel acknowledging (RFC 9293 section 3.10.7.4); set by hand",
)  # fmt: skip
DEAF_FROM_A_REACH = Clue(
    id="deaf-from-a-reach-on",
    says="{deaf} connections are deaf once a request had a reach of {hop} hops; after {alive} shorter ones they live",
    group="reach",
    given={**DEAF.given, "server-down": 0.003, "loss": 0.0003},
    source="RFC 791: what died nearer met nothing farther; set by hand",
)

# What the clues below may join: silence here, resets and closes by whoever judges those.
_LEAVES, _ACTIONS = ("host", "path", "keyword"), ("http.reset", "http.timeout", "http.close")


def _by(leaf: str, *, others: float, **innocents: float) -> dict[str, float]:
    """Likelihoods of a clue that makes one part of the request the trigger; ``others`` is that of the other parts."""
    named = {f"http.{action}.{x}": 0.9 if x == leaf else others for action in ("reset", "timeout") for x in _LEAVES}
    whole = {"http.reset": 0.02, "http.timeout": 0.02, "http.close": 0.5}
    return {**whole, **named, **{k.replace("_", "-"): v for k, v in innocents.items()}, "*": 0.01}


OTHER_HOST_HERE = Clue(
    id="other-host-passes-here",
    says="{control} passes on {address} where {name} does not ({passes} against {failures})",
    group="host-pair",
    given=_by(
        "host", others=0.1, server_refuses=0.5, path_failure=0.3, loss=0.3, server_down=0.01, split_tcp=0.05,
        pmtu=0.02, local_network=0.01, captive_portal=0.01, innocent=0.1,
    ),
    source="DESIGN: another name passes on the same address; set by hand",
)  # fmt: skip
OTHER_HOST_LATER = Clue(
    id="other-host-passes-at-another-time",
    says="{control} passes on {address}, before or after {name} fails there ({passes} against {failures})",
    group="host-pair",
    given={
        **OTHER_HOST_HERE.given, **dict.fromkeys(("server-down", "split-tcp", "local-network"), 0.1),
        "path-failure": 0.5, "loss": 0.5,
    },
    source="an outage ends as well; set by hand",
)  # fmt: skip
HOST_DECIDES = Clue(
    id="host-decides",
    says="on {address} every request for {name} failed ({failures}) and other Hosts passed ({passes}), in turn",
    group="host-pair",
    # Four outcomes that follow a name by chance, each one half at best: 1/16.
    given={**OTHER_HOST_HERE.given, "path-failure": 0.06, "loss": 0.03, "innocent": 0.03},
    source="binomial; set by hand",
)
FOREIGN_HOST_HERE = Clue(
    id="foreign-host-passes-here",
    says="{control}, which lives at another address, passes on {address} where {name} does not",
    group="host-pair",
    given={**HOST_DECIDES.given, "server-refuses": 0.01},
    source="a server that answers Hosts it does not serve has no reason to refuse one; set by hand",
)
HOST_PAIRS = {
    "here": OTHER_HOST_HERE, "later": OTHER_HOST_LATER, "decides": HOST_DECIDES, "foreign": FOREIGN_HOST_HERE,
}  # fmt: skip
OTHER_HOST_ELSEWHERE = Clue(
    id="other-host-passes-elsewhere",
    says="{control} passes elsewhere within a minute with a request as long; {address} completes handshakes",
    group="host-pair",
    given=_by(
        "host", others=0.2, server_refuses=0.9, server_down=0.9, path_failure=0.5, loss=0.3, split_tcp=0.9, pmtu=0.1,
        local_network=0.02, captive_portal=0.05, corporate_proxy=0.3, innocent=0.5,
    ),
    source="DESIGN: another name passes elsewhere within a minute with the same shape; set by hand",
)  # fmt: skip
WORKS_OTHERWISE = Clue(
    id="address-works-otherwise-beside-requests",
    says="port {port} of {address} answers at the same time",
    group="address",
    given={
        **dict.fromkeys(_ACTIONS, 0.6), "server-down": 0.1, "split-tcp": 0.05, "path-failure": 0.3,
        "local-network": 0.01, "*": 0.5,
    },
    source="a port that answers shows that host and path are up, though not what listens on this one; set by hand",
)  # fmt: skip
OTHERS_FAIL = Clue(
    id="other-hosts-fail-here-too",
    says="{others} other Hosts fail on {address} as {name} does, and none passes there",
    group="other-names",
    given={
        **dict.fromkeys(_ACTIONS, 0.02), "nat-timeout": 0.5, "loss": 0.5, "*": 0.3,
        **dict.fromkeys(("server-down", "server-refuses", "split-tcp", "path-failure", "local-network", "pmtu"), 0.9),
    },
    source="DESIGN: a control that fails makes a trial invalid; set by hand",
)  # fmt: skip
FAILS_EVERYWHERE = Clue(
    id="host-fails-everywhere",
    says="{name} fails in the same way on {addresses} addresses of different networks",
    group="two-by-two",
    given=_by(
        "host", others=0.2, server_refuses=0.05, server_down=0.05, path_failure=0.02, local_network=0.5, innocent=0.1
    ),
    source="Singh et al., WebSci 2020 (name x address); set by hand",
)
PASSES_TOO = Clue(
    id="this-request-passes-too",
    says="{name}{path} also passed on {address} ({passes} of {all} requests)",
    group="contradiction",
    given={
        **dict.fromkeys(_ACTIONS, 0.25), "server-refuses": 0.1, "server-down": 0.3, "loss": 0.9, "path-failure": 0.9,
        "innocent": 0.7, "*": 0.5,
    },
    source="censors that act on a share of the flows exist (dpi-checkers #18); set by hand",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpFiltering(Technique):
    """Thresholds: how often and how long a request must have gone unheard, and how long an answer is waited for."""

    clues = (
        NEVER_ACKNOWLEDGED, UNHEARD, PART_LOST, LIVES_WITHOUT_IT, NO_ANSWER, DEAF, DEAF_FROM_A_REACH,
        *HOST_PAIRS.values(), OTHER_HOST_ELSEWHERE, WORKS_OTHERWISE, OTHERS_FAIL, FAILS_EVERYWHERE, PASSES_TOO,
    )  # fmt: skip

    copies: int = 4  # sendings of the request, first one included
    span_s: float = 2.0  # from the first sending to the last
    listen_s: float = 5.0  # after an acknowledgement, before silence counts
    pairs: int = 3

    def probe(self, target: Target) -> Probe:
        """The square of Host, address and path; where the target speaks TLS, one pair on port 80."""
        yield from RequestsMade(target, shows=self.clues, pairs=self.pairs, listen_s=self.listen_s).steps()

    def analyse(self, capture: Capture) -> Iterator[Finding]:
        """Silence after each request that failed, then what the requests beside it say."""
        table = square.requests(s for s in capture.streams if s.trial not in capture.aftermath)
        for mine in table.failing():
            queued = full_queue(mine.failed, capture.streams_of(mine.address))
            for failure in mine.failed:
                yield from self._silence(mine, failure, queued=queued)
            yield from self._beside(capture, table, mine)
        for found in deafened(capture.streams):
            yield from _deafened(found)

    def _silence(self, mine: Asked, o: Opening, *, queued: bool) -> Iterator[Finding]:
        subject, sent, facets = _subject(mine, o.stream.trial), (*o.request, *o.repeats), Facets(position="in-path")
        asked = tuple(Cited(s.capture, s.number) for s in o.request)
        if o.outcome == "silent":
            if o.waited_s < self.listen_s:
                why = f"only {o.waited_s:.1f} s of listening after the request, want {self.listen_s:g} s"
                yield Inconclusive(why, asked, subject)
            else:
                yield cite(NO_ANSWER, subject, *sent, waited=o.waited_s)
            if len(o.unheard) >= self.copies - 1 and o.deaf_s >= self.span_s:
                yield cite(DEAF, subject, *o.request, *o.unheard, copies=len(o.unheard), span=o.deaf_s)
        if o.outcome not in ("unacknowledged", "part-acknowledged"):
            return
        if o.copies < self.copies or o.span_s < self.span_s:
            had = f"the request was sent {o.copies} times over {o.span_s:.1f} s"
            yield Inconclusive(f"{had}, want {self.copies} over {self.span_s:g} s", asked, subject)
            return
        words: dict[str, Any] = {"copies": o.copies, "span": o.span_s, "size": o.request_bytes}
        if o.outcome == "part-acknowledged":
            yield cite(PART_LOST, subject, *sent, facets=facets, covered=max(0, o.covered - 1), **words)
        elif queued or o.offers or o.syn_ack is None:
            yield cite(UNHEARD, subject, *sent, *o.offers, **words)
        else:
            yield cite(NEVER_ACKNOWLEDGED, subject, *sent, facets=facets, **words)
        later = [s for s in o.signs_of_life if s.time_ns > o.request[0].time_ns + int(self.span_s * 1e9)]
        if later:
            yield cite(LIVES_WITHOUT_IT, subject, *o.request, *later, packets=len(later))

    def _beside(self, capture: Capture, table: HttpSquare, mine: Asked) -> Iterator[Evidence]:
        subject, failures = _subject(mine, None), _begun([mine])
        words: dict[str, Any] = {"name": mine.host, "path": mine.path, "address": mine.address}
        # A Host that passes with another path is not what is minded; the path is: see `request-matching`.
        by_path = square.passes_with_another_path(table, mine)
        hosts = square.other_hosts(table, mine) if not by_path else []
        if hosts:
            kind, control = square.pair(mine, hosts, capture.lookups)
            shown = [control, *(o for o in hosts if o is not control)][:4]
            yield cite(
                HOST_PAIRS[kind], subject, *failures, *_exchanges(shown), facets=_host(mine),
                control=control.stream.name, passes=len(hosts), failures=len(mine.failed), **words,
            )  # fmt: skip
        elif not by_path and any(o.syn_ack for o in mine.failed):
            elsewhere = square.other_elsewhere(table, mine)
            if elsewhere is not None:
                shaken = [o.syn_ack for o in mine.failed if o.syn_ack]
                yield cite(
                    OTHER_HOST_ELSEWHERE, subject, *failures, *shaken, *_exchanges([elsewhere]), facets=_host(mine),
                    control=elsewhere.stream.name, **words,
                )  # fmt: skip
        for s in square.works_otherwise(capture.streams_of(mine.address), mine)[:1]:
            answer = next(x for x in s.from_server if x.payload_bytes)
            yield cite(WORKS_OTHERWISE, subject, *failures, answer, port=s.server.port, **words)
        fellows = square.others_fail_here(table, mine)
        if fellows:
            yield cite(
                OTHERS_FAIL, subject, *failures, *_begun(fellows[:4]), others=len({a.host for a in fellows}), **words
            )
        there = square.fails_elsewhere(table, mine) if not by_path else []
        if there:
            words["addresses"] = 1 + len({a.address for a in there})
            yield cite(FAILS_EVERYWHERE, subject, *failures, *_begun(there), facets=_host(mine), **words)
        if mine.passed:
            passing = [x for s in mine.passed[:4] for x in (s.from_client[0], s.from_server[0])]
            total = len(mine.passed) + len(mine.failed)
            yield cite(PASSES_TOO, subject, *failures, *passing, passes=len(mine.passed), all=total, **words)


def _deafened(found: Deafened) -> Iterator[Evidence]:
    """The reach from which on requests take their connections away, and each of those connections for itself."""
    subject = Subject(name=found.name, address=found.address, port=found.port, protocol="http")
    shown = [s for o in (*found.deaf[:4], *found.alive[-2:]) for s in (*o.request[:1], *last_words(o)[:1])]
    facets = Facets(position="in-path", location=Location(hop=found.hop, link=(found.below, found.hop)))
    words: dict[str, Any] = {"deaf": len(found.deaf), "alive": len(found.alive), "hop": found.hop}
    yield cite(DEAF_FROM_A_REACH, subject, *shown, facets=facets, **words)
    for o in found.deaf:
        said = last_words(o)
        span_s = (said[-1].time_ns - o.request[0].time_ns) / 1e9
        own = replace(subject, trial=o.stream.trial)
        yield cite(DEAF, own, *o.request[:1], *said, copies=len(said), span=span_s)
    if found.others:
        host = Facets(trigger=Trigger(field="http.host", value=found.name))
        yield cite(
            OTHER_HOST_HERE, subject, *(o.request[0] for o in found.deaf[:2]), *_exchanges(list(found.others[:4])),
            facets=host, control=found.others[0].stream.name, name=found.name, address=found.address,
            passes=len(found.others), failures=len(found.deaf),
        )  # fmt: skip


def _begun(asked: list[Asked]) -> list[Segment]:
    return [s for a in asked for o in a.failed for s in o.request[:1]]


def _exchanges(openings: list[Opening]) -> list[Segment]:
    return [s for o in openings for s in (*o.request[:1], o.answer) if s is not None]


def _host(mine: Asked) -> Facets:
    return Facets(trigger=Trigger(field="http.host", value=mine.host))


def _subject(mine: Asked, trial: str | None) -> Subject:
    return Subject(name=mine.host, address=mine.address, port=mine.port, protocol="http", trial=trial)
