"""What a box minds in a request in the clear: the Host, one path of it, or a word under any Host.

What it looks for
    Requests for one Host that fail with one path and pass with others; and that path under other Hosts: where it
    passes, the two together are minded, and where it fails as well, a word in it. And requests that fail as they
    stand and pass in another form that the server reads alike.

What it sends
    Nothing of its own: the paths and forms of `http-filtering`.

When it is wrong
    A path may hang or die at the server by itself, under every Host: only a harmless answer to it elsewhere, or a
    device that gives itself away, rules that out. A server may treat an odd spelling as another host.

Papers
    Crandall et al., "ConceptDoppler", CCS 2007; Rambert et al., "Chinese Wall or Swiss Cheese", WWW 2021 (keywords).
    Jermyn, Weaver, "Autosonda", FOCI 2017; Bock et al., "Geneva", CCS 2019 (forms of requests).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from fingerprint.capture import Capture
from fingerprint.conversations.http import square
from fingerprint.conversations.http.request_forms import SAME_TO_THE_SERVER, form
from fingerprint.conversations.http.square import Asked, HttpSquare
from fingerprint.conversations.openings import Opening
from fingerprint.conversations.segments import Segment
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

# What the clues below may join: silence here, resets and closes by whoever judges those.
_LEAVES, _ACTIONS = ("host", "path", "keyword"), ("http.reset", "http.timeout", "http.close")


def _by(leaf: str, *, others: float, **innocents: float) -> dict[str, float]:
    """Likelihoods of a clue that makes one part of the request the trigger; ``others`` is that of the other parts."""
    named = {f"http.{action}.{x}": 0.9 if x == leaf else others for action in ("reset", "timeout") for x in _LEAVES}
    whole = {"http.reset": 0.02, "http.timeout": 0.02, "http.close": 0.5}
    return {**whole, **named, **{k.replace("_", "-"): v for k, v in innocents.items()}, "*": 0.01}


OTHER_PATH_HERE = Clue(
    id="other-path-passes-here",
    says="{name}{path} fails on {address} ({failures}) where {name}{control} passes ({passes})",
    group="path-pair",
    given={
        **_by(
            "path", others=0.5, server_refuses=0.3, path_failure=0.3, loss=0.3, server_down=0.1, split_tcp=0.2,
            pmtu=0.1, local_network=0.01, captive_portal=0.01, innocent=0.1,
        ),
        "http.reset.host": 0.003, "http.timeout.host": 0.003, "ordinary": 0.3,
    },
    source="a script that hangs or dies is one path's own; set by hand",
)  # fmt: skip
PATH_DECIDES = Clue(
    id="path-decides",
    says="on {address} every request for {name}{path} failed ({failures}), and other paths passed ({passes}), in turn",
    group="path-pair",
    given={
        **OTHER_PATH_HERE.given, "http.reset.host": 0.0005, "http.timeout.host": 0.0005, "path-failure": 0.06,
        "loss": 0.03, "server-down": 0.02, "innocent": 0.03,
    },
    source="binomial; set by hand",
)  # fmt: skip
PATH_PASSES_ELSEWHERE = Clue(
    id="same-path-passes-for-another-host",
    says="{control}{path} passes on {address} where {name}{path} does not",
    group="keyword-pair",
    given={
        **_by("path", others=0.9, server_refuses=0.9, innocent=0.9),
        "http.reset.keyword": 0.02, "http.timeout.keyword": 0.02, "*": 0.5,
    },
    source="a word is minded under every Host; set by hand",
)  # fmt: skip
PATH_FAILS_FOR_ALL = Clue(
    id="same-path-fails-for-other-hosts",
    says="{path} fails on {address} for {name} and {others} other Hosts alike, which pass there with other paths",
    group="keyword-pair",
    given={
        **_by("keyword", others=0.01, server_refuses=0.05, server_down=0.05, ordinary=0.1, innocent=0.02),
        "http.close": 0.3,
    },
    source="Crandall et al., CCS 2007: keywords in any request; set by hand",
)  # fmt: skip
HIDDEN_HOST_PASSES = Clue(
    id="hidden-host-passes",
    says="{name} fails {failures} times on {address} as it stands, and passes {forms}",
    group="host-form",
    given={
        **dict.fromkeys(("http.reset", "http.timeout", "http.close"), 0.02),
        **dict.fromkeys(("http.reset.host", "http.timeout.host"), 0.5), "http.close": 0.3,
        **dict.fromkeys(("http.reset.path", "http.timeout.path"), 0.2),
        "server-refuses": 0.02, "server-down": 0.05, "split-tcp": 0.05, "loss": 0.1, "path-failure": 0.1,
        "innocent": 0.05, "*": 0.01,
    },
    source="RFC 9112 and RFC 9293: blanks, letters and segments are no concern of the server's; set by hand",
)  # fmt: skip
OTHER_SPELLING_PASSES = Clue(
    id="other-host-spelling-passes",
    says=HIDDEN_HOST_PASSES.says,
    group="host-form",
    given={**HIDDEN_HOST_PASSES.given, "server-refuses": 0.2},
    source="as hidden-host-passes; a final dot may name another host to the server; set by hand",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestMatching(Technique):
    """The thresholds are those of `http-filtering`, whose steps it reads."""

    clues = (
        OTHER_PATH_HERE,
        PATH_DECIDES,
        PATH_PASSES_ELSEWHERE,
        PATH_FAILS_FOR_ALL,
        HIDDEN_HOST_PASSES,
        OTHER_SPELLING_PASSES,
    )

    reads_steps_of = ("http-filtering",)

    def analyse(self, capture: Capture) -> Iterator[Finding]:
        """Every request that failed where its Host passed with another path."""
        table = square.requests(s for s in capture.streams if s.trial not in capture.aftermath)
        for mine in table.failing():
            paths = square.other_paths(table, mine)
            if paths:
                yield from _by_path(table, mine, paths)
            if mine.evaded:
                yield _hidden(mine)


def _by_path(table: HttpSquare, mine: Asked, paths: list[Opening]) -> Iterator[Finding]:
    """The Host passes with another path; the same path under other Hosts tells a path from a word in it."""
    subject = Subject(name=mine.host, address=mine.address, port=mine.port, protocol="http")
    failures = _begun([mine])
    words: dict[str, Any] = {"name": mine.host, "path": mine.path, "address": mine.address}
    passes, fails = square.same_path(table, mine)
    field = "http.keyword" if fails and not passes else "http.path"
    facets = Facets(trigger=Trigger(field=field, value=mine.path))
    shown = paths[0].stream.http_request
    control = shown.target if shown is not None else "another path"
    kind, _ = square.pair(mine, paths, ())
    clue = PATH_DECIDES if kind == "decides" else OTHER_PATH_HERE
    yield cite(
        clue, subject, *failures, *_exchanges(paths[:4]), facets=facets, control=control, passes=len(paths),
        failures=len(mine.failed), **words,
    )  # fmt: skip
    if passes:
        yield cite(
            PATH_PASSES_ELSEWHERE, subject, *failures, *_exchanges(passes[:4]), facets=facets,
            control=passes[0].stream.name, **words,
        )  # fmt: skip
    elif fails:
        yield cite(PATH_FAILS_FOR_ALL, subject, *failures, *_begun(fails), facets=facets, others=len(fails), **words)
    else:
        why = f"{mine.path} was asked for under no other Host that passes here: a path and a word in it look the same"
        yield Inconclusive(why, tuple(Cited(s.capture, s.number) for s in failures), subject)


def _hidden(mine: Asked) -> Evidence:
    """The same request in a form that the server reads alike."""
    told = {form(s): s for s in mine.evaded}
    passing = [x for s in told.values() for x in (s.from_client[0], s.from_server[0])]
    return cite(
        HIDDEN_HOST_PASSES if SAME_TO_THE_SERVER & told.keys() else OTHER_SPELLING_PASSES,
        Subject(name=mine.host, address=mine.address, port=mine.port, protocol="http"), *_begun([mine]), *passing,
        facets=Facets(trigger=Trigger(field="http.host", value=mine.host)), name=mine.host, address=mine.address,
        failures=len(mine.failed), forms="; ".join(sorted(told)),
    )  # fmt: skip


def _begun(asked: list[Asked]) -> list[Segment]:
    return [s for a in asked for o in a.failed for s in o.request[:1]]


def _exchanges(openings: list[Opening]) -> list[Segment]:
    return [s for o in openings for s in (*o.request[:1], o.answer) if s is not None]
