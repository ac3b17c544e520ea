"""A report read back from its document: what `as_dict` wrote, as far as the document has it.

Written again it is the same document, byte by byte, which is what a store and everything that writes reports rely on.
What the document does not say (who the clients were, how a clue is weighed) is not there afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import Any, TypeVar

from fingerprint.technique import (
    Cited,
    Clue,
    Evidence,
    Facets,
    Inconclusive,
    Interval,
    Location,
    Quality,
    Subject,
    Trigger,
)
from fingerprint.vantages import fields as vantage_fields
from fingerprint.verdict.model import (
    Alternative,
    CaptureSummary,
    Cause,
    Curve,
    Failure,
    InjectorMatch,
    Ladder,
    Mechanism,
    Report,
    Run,
    Rung,
    Verdict,
    Weighed,
)

Document = dict[str, Any]
T = TypeVar("T")
INTERVALS = {
    "rate_bps": "rate_interval_bps",
    "burst_bytes": "burst_interval_bytes",
    "residual_s": "residual_interval_s",
}


def report(document: Document) -> Report:
    """The report of a document of this schema. Raises KeyError, TypeError or ValueError for what is none."""
    return Report(
        version=document["tool"]["version"],
        captures=tuple(map(_capture, document["captures"])),
        verdicts=tuple(map(_verdict, document["targets"])),
        tables=tuple((t["name"], t["version"], t["sha256"]) for t in document["tables"]),
        errors=tuple(Failure(file=e["file"], error=e["error"]) for e in document["errors"]),
        partial=document["partial"],
    )


def nanoseconds(text: str | None) -> int | None:
    """A time as reports write it, in nanoseconds since the epoch."""
    if text is None:
        return None
    whole, _, rest = text.removesuffix("Z").partition(".")
    at = datetime.fromisoformat(whole).replace(tzinfo=UTC)
    return round((at - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()) * 10**9 + int(rest.ljust(9, "0")[:9])


def _known(text: str) -> int:
    return nanoseconds(text) or 0


def _span(told: Sequence[str] | None) -> tuple[int, int] | None:
    return (_known(told[0]), _known(told[1])) if told else None


def _capture(told: Document) -> CaptureSummary:
    run = told.get("run")
    return CaptureSummary(
        file=told["file"],
        sha256=told["sha256"],
        packets=told["packets"],
        link_type=told["link_type"],
        first_ns=nanoseconds(told["first"]),
        last_ns=nanoseconds(told["last"]),
        # Quality is of one file, so its citations carry no index in a document.
        quality=tuple(
            Quality(issue=q["issue"], detail=q["detail"], packets=tuple(Cited(0, n) for n in q["packets"]))
            for q in told["quality"]
        ),
        run=run and Run(order=run["order"], seed=run["seed"], targets=tuple(map(_cost, run["targets"]))),
        vantage=vantage_fields.vantage(told["vantage"], strict=False),
        part=_span(told.get("part")),
    )


def _cost(told: Document) -> tuple[str, int, int | None, str]:
    return told["target"], told["packets"], told["decided_after_pkts"], told["stopped"]


def _verdict(told: Document) -> Verdict:
    cause = told["cause"]
    return Verdict(
        target=told["target"],
        service=told["service"],
        role=told["role"],
        vantage=told["vantage"],
        endpoints=tuple(told["endpoints"]),
        first_ns=_known(told["first"]),
        last_ns=_known(told["last"]),
        state=told["state"],
        reach=told["reach"],
        mechanisms=tuple(map(_mechanism, told["mechanisms"])),
        cause=cause
        and Cause(
            hypothesis=cause["hypothesis"],
            posterior=cause["posterior"],
            says=cause["says"],
            evidence=_weighed(cause["evidence"]),
        ),
        alternatives=tuple(Alternative(**a) for a in told["alternatives"]),
        inconclusive=_joined(told["inconclusive"], ("technique", "why"), _open),
        observations=tuple(map(_observed, told["observations"])),
        consequences=_joined(told["consequences"], ("says",), lambda first, packets: (first["says"], packets)),
        next=tuple(told["next"]),
        worked_ns=_span(told.get("worked")),
        failed_ns=_span(told.get("failed")),
        flows=tuple((f["community_id"], Cited(f["capture"], f["packet"])) for f in told.get("flows", ())),
    )


def _packets(told: Document) -> tuple[Cited, ...]:
    return () if told["capture"] is None else tuple(Cited(told["capture"], number) for number in told["packets"])


def _joined(
    entries: Iterable[Document], by: Sequence[str], make: Callable[[Document, tuple[Cited, ...]], T]
) -> tuple[T, ...]:
    """What was seen in several files stands there once a file, one after the other, files rising."""
    made = []
    for _, same in groupby(entries, key=lambda e: [e[field] for field in by]):
        run: list[Document] = []
        for entry in same:
            if run and (entry["capture"] is None or entry["capture"] <= run[-1]["capture"]):
                made.append(make(run[0], tuple(p for e in run for p in _packets(e))))
                run = []
            run.append(entry)
        made.append(make(run[0], tuple(p for e in run for p in _packets(e))))
    return tuple(made)


def _open(first: Document, packets: tuple[Cited, ...]) -> tuple[str, Inconclusive]:
    return first["technique"], Inconclusive(first["why"], packets)


def _clue(told: Document) -> Clue:
    return Clue(id=told["clue"], says=told["says"], group=told["clue"], given={}, source="a stored report")


def _weighed(told: Iterable[Document]) -> tuple[Weighed, ...]:
    """Evidence that cites several files stays one entry a file: the weight stands in the first."""
    return tuple(
        Weighed(technique=e["technique"], evidence=_evidence(e, Facets()), log_odds=e["log_odds"]) for e in told
    )


def _observed(told: Document) -> tuple[str, Evidence]:
    return told["technique"], _evidence(told, Facets(**_facets(told)))


def _evidence(told: Document, facets: Facets) -> Evidence:
    return Evidence(clue=_clue(told), subject=Subject(), packets=_packets(told), says=told["says"], facets=facets)


def _facets(told: Document) -> dict[str, Any]:
    """Shape and intervals, of a mechanism or of an observation."""
    intervals = {name: told.get(key) for name, key in INTERVALS.items()}
    return {"shape": told.get("shape"), **{name: span and Interval(**span) for name, span in intervals.items()}}


def _mechanism(told: Document) -> Mechanism:
    trigger, place = told["trigger"], told["location"]
    return Mechanism(
        node=told["mechanism"],
        posterior=told["posterior"],
        posterior_at=told["posterior_at"],
        calibrated=told["calibrated"],
        position=told["position"],
        trigger=trigger and Trigger(**trigger),
        location=place and Location(**{**place, "link": place["link"] and tuple(place["link"])}),
        injector=tuple(
            InjectorMatch(**{**i, "fits": tuple(i["fits"]), "contradicts": tuple(i["contradicts"])})
            for i in told["injector"]
        ),
        **_facets(told),
        evidence=_weighed(told["evidence"]),
        why=tuple(told.get("why", ())),
        ladders=tuple(map(_ladder, told.get("ladders", ()))),
        curves=tuple(Curve(**{**c, "rate_bps": tuple(c["rate_bps"])}) for c in told.get("curves", ())),
    )


def _ladder(told: Document) -> Ladder:
    return Ladder(**{**told, "rungs": tuple(Rung(**rung) for rung in told["rungs"])})
