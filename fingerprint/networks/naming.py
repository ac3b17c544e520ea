"""Writes what a table of networks knows into a report: the AS of a place, and which table that is from."""

from __future__ import annotations

from dataclasses import replace

from fingerprint.networks.network import Networks
from fingerprint.technique import Location, Quality
from fingerprint.verdict.model import CaptureSummary, Failure, Mechanism, Report, Verdict


def named(report: Report, networks: Networks | None) -> Report:
    """The report with the AS of every router that answered; the same if there is no table."""
    if networks is None:
        return report
    return replace(
        report,
        captures=tuple(_doubted(capture, networks) for capture in report.captures),
        verdicts=tuple(_verdict(verdict, networks) for verdict in report.verdicts),
        tables=(*report.tables, networks.entry),
        errors=(*report.errors, *(Failure(file=networks.file, error=says) for says in networks.complaints)),
    )


def _doubted(capture: CaptureSummary, networks: Networks) -> CaptureSummary:
    """With a word where the table is of another time; it lowers nothing, for no verdict rests on an AS number."""
    says = networks.too_far_from(capture.first_ns)
    return (
        replace(capture, quality=(*capture.quality, Quality(issue="networks-date", detail=says))) if says else capture
    )


def _verdict(verdict: Verdict, networks: Networks) -> Verdict:
    mechanisms = tuple(_mechanism(mechanism, networks) for mechanism in verdict.mechanisms)
    return verdict if mechanisms == verdict.mechanisms else replace(verdict, mechanisms=mechanisms)


def _mechanism(mechanism: Mechanism, networks: Networks) -> Mechanism:
    place = mechanism.location
    if place is None or place.address is None or place.asn is not None:
        return mechanism
    return replace(mechanism, location=located(place, networks))


def located(place: Location, networks: Networks) -> Location:
    """The place with the AS of its router's address, where exactly one announces that."""
    found = networks.of(place.address) if place.address else None
    return replace(place, asn=found.asn) if found else place
