"""An incident as the document of ``fingerprint/incident/1``, which docs/reference/incident-1.schema.json describes."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from fingerprint.incident.model import Between, Cell, Event, Incident, Sighting, Source, Stretch
from fingerprint.report.document import vantage
from fingerprint.report.numbers import probability, short, timestamp

SCHEMA = "fingerprint/incident/1"

Document = dict[str, Any]


def as_dict(incident: Incident) -> Document:
    """The whole incident. Cells, sightings and sources are cited by their index."""
    return {
        "schema": SCHEMA,
        "tool": {"name": "censorship-fingerprint", "version": incident.version},
        "headline": incident.headline,
        "paragraph": incident.paragraph,
        "answer": incident.answer,
        "simulated": list(incident.simulated),
        "first": timestamp(incident.first_ns),
        "last": timestamp(incident.last_ns),
        "interval_s": short(incident.interval_s),
        "sources": [_source(s) for s in incident.sources],
        "tables": [{"name": name, "version": version, "sha256": sha256} for name, version, sha256 in incident.tables],
        "vantages": [{"key": v.key, **vantage(v)} for v in incident.vantages],
        "services": [{"id": service, "title": title} for service, title in incident.services],
        "roles": [asdict(r) for r in incident.roles],
        "cells": [_cell(c) for c in incident.cells],
        "events": [_event(e) for e in incident.events],
        "signatures": [
            {**_plain(asdict(s)), "rate_bps": s.rate_bps and [short(r) for r in s.rate_bps]}
            for s in incident.signatures
        ],
        "comparisons": [_plain(asdict(c)) for c in incident.comparisons],
        "unknown": list(incident.unknown),
        "doubts": [_plain(asdict(d)) for d in incident.doubts],
        "next": list(incident.next),
        "sightings": [_sighting(s) for s in incident.sightings],
    }


def _source(s: Source) -> Document:
    return {
        "kind": s.kind,
        "file": s.file,
        "sha256": s.sha256,
        "vantage": s.vantage,
        "packets": s.packets,
        "first": timestamp(s.first_ns),
        "last": timestamp(s.last_ns),
        "quality": list(s.quality),
        "simulated": s.simulated,
    }


def _cell(c: Cell) -> Document:
    return {
        "service": c.service,
        "role": c.role,
        "vantage": c.vantage,
        "targets": list(c.targets),
        "state": c.state,
        "mechanisms": list(c.mechanisms),
        "posterior": probability(c.posterior),
        "reach": c.reach,
        "position": c.position,
        "injector": c.injector,
        "rate_bps": short(c.rate_bps),
        "stretches": [_stretch(s) for s in c.stretches],
        "best": c.best and asdict(c.best),
        "says": c.says,
    }


def _stretch(s: Stretch) -> Document:
    return {
        "state": s.state,
        "mechanism": s.mechanism,
        "posterior": probability(s.posterior),
        "onset": _between(s.onset),
        "end": _between(s.end),
        "confidence": probability(s.confidence),
        "sightings": list(s.sightings),
        "says": s.says,
    }


def _event(e: Event) -> Document:
    return {
        "state": e.state,
        "cells": list(e.cells),
        "onset": _between(e.onset),
        "end": _between(e.end),
        "services": list(e.services),
        "vantages": list(e.vantages),
        "test": e.test and {**_plain(asdict(e.test)), "p_value": short(e.test.p_value)},
        "discounts": [{**_plain(asdict(d)), "p_value": short(d.p_value)} for d in e.discounts],
        "injectors": [{"name": name, "cells": list(cells)} for name, cells in e.injectors],
        "controls": e.controls,
        "says": e.says,
    }


def _sighting(s: Sighting) -> Document:
    return {
        "service": s.service,
        "role": s.role,
        "target": s.target,
        "vantage": s.vantage,
        "first": timestamp(s.first_ns),
        "last": timestamp(s.last_ns),
        "worked": s.worked_ns and [timestamp(t) for t in s.worked_ns],
        "failed": s.failed_ns and [timestamp(t) for t in s.failed_ns],
        "state": s.state,
        "mechanism": s.mechanism,
        "posterior": probability(s.posterior),
        "reach": s.reach,
        "position": s.position,
        "injector": s.injector,
        "rate_bps": short(s.rate_bps),
        "kind": s.kind,
        "at": asdict(s.at),
    }


def _between(b: Between) -> Document:
    return {"after": timestamp(b.after_ns), "before": timestamp(b.before_ns)}


def _plain(value: Any) -> Any:
    """Tuples as lists, all the way down."""
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    return [_plain(v) for v in value] if isinstance(value, (list, tuple)) else value
