"""A report as the document of schema ``fingerprint/report/1``; docs/reference/report-1.schema.json describes it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import Any

from fingerprint.report.numbers import interval, probability, short, timestamp
from fingerprint.report.privacy import Veil, file_name, veil
from fingerprint.technique import Cited, Evidence, Facets
from fingerprint.vantages.vantage import Clock, Vantage
from fingerprint.verdict.model import STATES, CaptureSummary, Cause, Ladder, Mechanism, Report, Run, Verdict, Weighed

SCHEMA = "fingerprint/report/1"
# DESIGN: targets that are ok are listed up to here, and always counted.
OK_LISTED = 1000

Document = dict[str, Any]


def as_dict(
    report: Report, *, all_ok: bool = False, with_vantage: bool = False, why: bool = False, pictures: bool = False
) -> Document:
    """The whole report. ``all_ok`` lists every ``ok`` target, ``why`` adds the sum behind each mechanism.

    ``pictures`` adds what a ladder or a plot is drawn from.
    """
    hide = veil(report, with_vantage=with_vantage)
    writer = Writer(veil=hide, with_vantage=with_vantage, why=why, pictures=pictures)
    return {
        "schema": SCHEMA,
        "tool": {"name": "censorship-fingerprint", "version": report.version},
        "summary": summary(report),
        "captures": [writer.capture(c) for c in report.captures],
        "targets": [writer.target(v) for v in listed(report.verdicts, all_ok=all_ok)],
        "tables": [{"name": name, "version": version, "sha256": sha256} for name, version, sha256 in report.tables],
        "errors": [writer.failure(f.file, f.error) for f in report.errors],
        "partial": report.partial,
    }


def summary(report: Report) -> Document:
    """Counts by state, packets read, and seconds from the first packet to the last, added up over the files."""
    states = {state: sum(v.state == state for v in report.verdicts) for state in STATES}
    spans = [c.last_ns - c.first_ns for c in report.captures if c.first_ns is not None and c.last_ns is not None]
    return {
        "targets": len(report.verdicts),
        "states": states,
        "captures": len(report.captures),
        "packets": sum(c.packets for c in report.captures),
        "seconds": round(sum(spans) / 1e9, 6),
    }


def listed(verdicts: Sequence[Verdict], *, all_ok: bool) -> list[Verdict]:
    """All verdicts but, unless ``all_ok``, the ``ok`` ones beyond the first thousand."""
    ok = [v for v in verdicts if v.state == "ok"]
    left_out = set() if all_ok else {id(v) for v in ok[OK_LISTED:]}
    return [v for v in verdicts if id(v) not in left_out]


def by_capture(packets: Iterable[Cited]) -> list[tuple[int, list[int]]]:
    """Packet numbers by file, both in rising order."""
    cited = sorted(set(packets))
    return [(capture, [c.number for c in some]) for capture, some in groupby(cited, key=lambda c: c.capture)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Writer:
    """Writes the parts of one report, all with the same veil over the clients."""

    veil: Veil
    with_vantage: bool
    why: bool
    pictures: bool = False

    def capture(self, capture: CaptureSummary) -> Document:
        """A file. Where it was taken is known only from its user or a manifest."""
        return {
            "file": file_name(capture.file, with_vantage=self.with_vantage),
            "sha256": capture.sha256,
            "packets": capture.packets,
            "link_type": capture.link_type,
            "first": timestamp(capture.first_ns),
            "last": timestamp(capture.last_ns),
            "vantage": vantage(capture.vantage),
            "part": capture.part and [timestamp(at_ns) for at_ns in capture.part],
            "quality": [
                {"issue": q.issue, "detail": self.veil(q.detail), "packets": sorted({c.number for c in q.packets})}
                for q in capture.quality
            ],
            "run": capture.run and self.run(capture.run),
        }

    def run(self, run: Run) -> Document:
        """What a live run cost, target by target."""
        return {
            "order": run.order,
            "seed": run.seed,
            "targets": [
                {"target": self.veil(name), "packets": packets, "decided_after_pkts": decided, "stopped": stopped}
                for name, packets, decided, stopped in run.targets
            ],
        }

    def target(self, verdict: Verdict) -> Document:
        """One target with everything that was concluded about it."""
        return {
            "target": self.veil(verdict.target),
            "service": verdict.service,
            "role": verdict.role,
            "vantage": verdict.vantage and self.veil(verdict.vantage),
            "endpoints": list(verdict.endpoints),
            "first": timestamp(verdict.first_ns),
            "last": timestamp(verdict.last_ns),
            "worked": verdict.worked_ns and [timestamp(at_ns) for at_ns in verdict.worked_ns],
            "failed": verdict.failed_ns and [timestamp(at_ns) for at_ns in verdict.failed_ns],
            "flows": [
                {"community_id": community_id, "capture": first.capture, "packet": first.number}
                for community_id, first in verdict.flows
            ],
            "state": verdict.state,
            "reach": verdict.reach,
            "mechanisms": [self.mechanism(m) for m in verdict.mechanisms],
            "cause": verdict.cause and self.cause(verdict.cause),
            "alternatives": [
                {
                    "hypothesis": a.hypothesis,
                    "posterior": probability(a.posterior),
                    "against": self.veil(a.against),
                }
                for a in verdict.alternatives
            ],
            "inconclusive": [
                {"technique": technique, "why": self.veil(finding.why), **place}
                for technique, finding in verdict.inconclusive
                for place in places(finding.packets)
            ],
            "observations": [o for technique, e in verdict.observations for o in self.observation(technique, e)],
            "consequences": [
                {"says": self.veil(says), **place}
                for says, packets in verdict.consequences
                for place in places(packets)
            ],
            "next": [self.veil(step) for step in verdict.next],
        }

    def mechanism(self, m: Mechanism) -> Document:
        """How it is done, with every facet."""
        document: Document = {
            "mechanism": m.node,
            "posterior": probability(m.posterior),
            "posterior_at": {prior: probability(p) for prior, p in m.posterior_at.items()},
            "calibrated": m.calibrated,
            "position": m.position,
            "trigger": m.trigger and {"field": m.trigger.field, "value": self.veil(m.trigger.value)},
            "location": m.location and {**asdict(m.location), "link": m.location.link and list(m.location.link)},
            "injector": [
                {
                    "name": i.name,
                    "score": short(i.score),
                    "fits": list(i.fits),
                    "contradicts": list(i.contradicts),
                    "source": i.source,
                }
                for i in m.injector
            ],
            **facets(m),
            "evidence": [e for w in m.evidence for e in self.weighed(w)],
        }
        if self.why:
            document["why"] = [self.veil(line) for line in m.why]
        if self.pictures:
            document["ladders"] = [self.ladder(ladder) for ladder in m.ladders]
            document["curves"] = [
                {**asdict(curve), "title": self.veil(curve.title), "rate_bps": [short(r) for r in curve.rate_bps]}
                for curve in m.curves
            ]
        return document

    def ladder(self, ladder: Ladder) -> Document:
        """The packets of a conversation, to be drawn."""
        return {
            "capture": ladder.capture,
            "title": self.veil(ladder.title),
            "control": ladder.control,
            "display_filter": self.veil(ladder.display_filter),
            "rungs": [{**asdict(rung), "says": self.veil(rung.says)} for rung in ladder.rungs],
            "left_out": ladder.left_out,
        }

    def cause(self, cause: Cause) -> Document:
        """Why a target is not blocked, or why nobody can tell."""
        return {
            "hypothesis": cause.hypothesis,
            "posterior": probability(cause.posterior),
            "says": self.veil(cause.says),
            "evidence": [e for w in cause.evidence for e in self.weighed(w)],
        }

    def weighed(self, w: Weighed) -> Iterable[Document]:
        """One entry a file that is cited; the weight stands in the first, for it counts once."""
        for first, place in enumerate(places(w.evidence.packets)):
            yield {
                "technique": w.technique,
                "clue": w.evidence.clue.id,
                **place,
                "says": self.veil(w.evidence.says),
                "log_odds": 0.0 if first else short(w.log_odds),
            }

    def observation(self, technique: str, evidence: Evidence) -> Iterable[Document]:
        """A fact that moves no verdict, with the numbers that came with it."""
        for place in places(evidence.packets):
            says = self.veil(evidence.says)
            numbers = {key: value for key, value in facets(evidence.facets).items() if value is not None}
            yield {"technique": technique, "clue": evidence.clue.id, **place, "says": says, **numbers}

    def failure(self, file: str, error: str) -> Document:
        """A file or plugin that is at fault."""
        return {"file": file_name(file, with_vantage=self.with_vantage), "error": self.veil(error)}


def vantage(of: Vantage) -> Document:
    """Where a capture was taken, as its user said."""
    clock = {"offset_s": of.clock.offset_s, "error_s": of.clock.error_s, "source": of.clock.source}
    return {
        "name": of.name,
        "asn": of.asn,
        "provider": of.provider,
        "country": of.country,
        "place": of.place,
        "note": of.note,
        "clock": clock if of.clock != Clock() else None,
        "simulated": of.simulated,
    }


def places(packets: Sequence[Cited]) -> list[Document]:
    """Where something was seen: one entry a file, or one without a file where nothing was cited."""
    found = [{"capture": capture, "packets": numbers} for capture, numbers in by_capture(packets)]
    return found or [{"capture": None, "packets": []}]


def facets(of: Mechanism | Facets) -> Document:
    """Shape and rates: the plain number, and beside it the number with its interval."""
    return {
        "shape": of.shape,
        "rate_bps": of.rate_bps and short(of.rate_bps.value),
        "rate_interval_bps": interval(of.rate_bps),
        "burst_bytes": of.burst_bytes and short(of.burst_bytes.value),
        "burst_interval_bytes": interval(of.burst_bytes),
        "residual_s": of.residual_s and short(of.residual_s.value),
        "residual_interval_s": interval(of.residual_s),
    }
