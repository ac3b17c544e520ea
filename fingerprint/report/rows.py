"""Findings as a table: one row a time, provider, service, role and mechanism, for CSV and Parquet.

A target with two mechanisms makes two rows, one with none makes one row whose mechanism is empty.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass, fields
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from captures.errors import PrivilegeError, TargetError
from fingerprint.accounts import PACKETS, SOCKETS, TOLD
from fingerprint.report.numbers import probability, short, timestamp
from fingerprint.vantages.vantage import Vantage

if TYPE_CHECKING:
    from fingerprint.incident.model import Incident, Sighting, Source

Document = Mapping[str, Any]
# How a source of a report without packets calls its link type: which kind of account it is.
LINK_KINDS = {"ooni": SOCKETS, "none": TOLD}
# OWASP, "CSV Injection": a cell that begins with one of these is a formula to a spreadsheet; full-width forms too.
FORMULA = re.compile(r"[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
# What it reads like with something before it that a spreadsheet skips, and the controls that no cell should carry.
SKIPPED = " \xa0\ufeff\u200b\"'"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One mechanism of one target, seen from one vantage at one time. Times are RFC 3339 in UTC with nine digits."""

    time: str | None
    until: str | None
    vantage: str | None
    provider: str | None
    asn: int | None
    country: str | None
    service: str | None
    role: str | None
    target: str
    state: str
    mechanism: str | None
    posterior: float | None
    position: str | None
    reach: str | None
    rate_bps: float | None
    injector: str | None
    kind: str  # of `fingerprint.accounts.KINDS`
    simulated: str | None
    file: str | None
    sha256: str | None


COLUMNS = tuple(f.name for f in fields(Row))
# Columns of Parquet that are not text.
TYPES = {"time": "TIMESTAMP_NS", "until": "TIMESTAMP_NS", "asn": "BIGINT", "posterior": "DOUBLE", "rate_bps": "DOUBLE"}
# Rows that are handed to the database at once.
BATCH_ROWS = 10_000


def of_report(document: Document, kind: str | None = None) -> Iterator[Row]:
    """The rows of a document of ``fingerprint/report/1``, in its order; ``kind`` is that of its account if known."""
    captures: Sequence[Document] = document["captures"]
    for target in document["targets"]:
        source = _source(target, captures)
        where: Document = source["vantage"] if source else {}
        named = Vantage(name=where.get("name"), provider=where.get("provider"), asn=where.get("asn"))
        mechanisms: Sequence[Document] = target["mechanisms"] or ({},)
        for mechanism in mechanisms:
            yield Row(
                time=target["first"],
                until=target["last"],
                vantage=named.key if named != Vantage() else target["vantage"],
                provider=where.get("provider"),
                asn=where.get("asn"),
                country=where.get("country"),
                service=target["service"],
                role=target["role"],
                target=target["target"],
                state=target["state"],
                mechanism=mechanism.get("mechanism"),
                posterior=mechanism.get("posterior"),
                position=mechanism.get("position"),
                reach=target["reach"],
                rate_bps=mechanism.get("rate_bps"),
                injector=next((i["name"] for i in mechanism.get("injector", ())), None),
                kind=kind or (kind_of(source) if source else PACKETS),
                simulated=where.get("simulated"),
                file=source["file"] if source else None,
                sha256=source["sha256"] if source else None,
            )


def kind_of(source: Document) -> str:
    """How deep a source of a report goes: an entry of its ``captures``."""
    return PACKETS if source["packets"] else LINK_KINDS.get(source["link_type"], PACKETS)


def _source(target: Document, captures: Sequence[Document]) -> Document | None:
    """The file that a target was seen in: cited, the only one, or the only one of that time."""
    if len(captures) == 1:
        return captures[0]
    cited = {at for at in _cited(target) if at is not None and at < len(captures)}
    if len(cited) == 1:
        return captures[cited.pop()]
    first, last = target["first"], target["last"]
    if not first or not last:
        return None
    around = [c for c in captures if c["first"] and c["last"] and c["first"] <= first and last <= c["last"]]
    return around[0] if len(around) == 1 else None


def _cited(target: Document) -> Iterator[int | None]:
    """The files that anything said about a target cites."""
    cause: Document = target["cause"] or {}
    for said in (*target["mechanisms"], cause):
        yield from (e["capture"] for e in said.get("evidence", ()))
    for part in ("flows", "inconclusive", "observations", "consequences"):
        yield from (o["capture"] for o in target.get(part, ()))


def of_incident(incident: Incident) -> Iterator[Row]:
    """The rows of an incident: its sightings, in its order."""
    vantages = {v.key: v for v in incident.vantages}
    for sighting in incident.sightings:
        where = vantages.get(sighting.vantage, Vantage())
        source = _source_of(sighting, incident.sources)
        yield Row(
            time=timestamp(sighting.first_ns),
            until=timestamp(sighting.last_ns),
            vantage=sighting.vantage,
            provider=where.provider,
            asn=where.asn,
            country=where.country,
            service=sighting.service,
            role=sighting.role,
            target=sighting.target,
            state=sighting.state,
            mechanism=sighting.mechanism,
            posterior=probability(sighting.posterior),
            position=sighting.position,
            reach=sighting.reach,
            rate_bps=short(sighting.rate_bps),
            injector=sighting.injector,
            kind=sighting.kind,
            simulated=source.simulated if source else where.simulated,
            file=source.file if source else None,
            sha256=source.sha256 if source else None,
        )


def _source_of(sighting: Sighting, sources: Sequence[Source]) -> Source | None:
    """The only file of the sighting's kind and vantage that covers its time; None where several do."""
    mine = [s for s in sources if (s.vantage, s.kind) == (sighting.vantage, sighting.kind)]
    around = [
        s
        for s in mine
        if None not in (s.first_ns, s.last_ns)
        and (s.first_ns or 0) <= sighting.first_ns
        and sighting.last_ns <= (s.last_ns or 0)
    ]
    found = around or mine
    return found[0] if len({s.sha256 for s in found}) == 1 else None


def write_csv(rows: Iterable[Row], out: IO[str]) -> None:
    """RFC 4180 with a header; what a spreadsheet would take for a formula gets an apostrophe before it."""
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for row in rows:
        writer.writerow([harmless(value) if isinstance(value, str) else value for value in astuple(row)])


def harmless(text: str) -> str:
    """The text, with an apostrophe before it if a spreadsheet could take it for a formula."""
    from fingerprint.terminal import clean

    shown = clean(text)
    return f"'{shown}" if FORMULA.match(text.lstrip(SKIPPED)) or FORMULA.match(text) else shown


def write_parquet(rows: Iterable[Row], path: Path) -> None:
    """The same as Parquet, typed, in the same order; times are in UTC to the nanosecond, without a zone.

    Raises PrivilegeError if duckdb is not installed, TargetError if the file cannot be written.
    """
    try:
        import duckdb
    except ImportError:
        raise PrivilegeError(
            'Parquet is written by duckdb, which is not installed; pip install "censorship-fingerprint[parquet]"'
        ) from None
    columns = ", ".join(f'"{name}" {TYPES.get(name, "VARCHAR")}' for name in COLUMNS)
    values = ", ".join(f"unnest(?::{TYPES.get(name, 'VARCHAR')}[])" for name in COLUMNS)
    # One thread keeps the rows in their order, and the bytes the same on every machine.
    with duckdb.connect(":memory:", config={"threads": 1}) as database:
        database.execute(f"CREATE TABLE findings ({columns})")  # our own words; what others wrote is bound below
        waiting = iter(rows)
        while batch := list(islice(waiting, BATCH_ROWS)):
            table = [list(column) for column in zip(*map(astuple, batch), strict=True)]
            database.execute(f"INSERT INTO findings SELECT {values}", table)  # as above
        try:
            database.table("findings").write_parquet(str(path))
        except duckdb.Error as error:
            raise TargetError(f"{path}: cannot be written ({error}); choose another file") from None
