"""What ``fingerprint incident`` does between its options and its exit code."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from captures.errors import TargetError
from fingerprint import exits
from fingerprint.accounts import Account, Problem
from fingerprint.accounts.captured import Judging
from fingerprint.accounts.gathering import gather
from fingerprint.incident import comparing
from fingerprint.incident.document import Document, as_dict
from fingerprint.incident.infrastructure import Tables
from fingerprint.incident.making import Knowledge, Only, make
from fingerprint.incident.model import Incident
from fingerprint.report.privacy import file_name
from fingerprint.terminal import complain
from fingerprint.verbs import destination

if TYPE_CHECKING:
    from fingerprint.networks import Networks


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """In which forms an incident is wanted; none of them: a summary on the terminal."""

    html: Path | None = None
    md: Path | None = None
    csv: Path | None = None
    parquet: Path | None = None
    json: bool = False
    out: Path | None = None
    sources: tuple[str, ...] = ()  # what is read, and never written over

    def __post_init__(self) -> None:
        taken: dict[Path, str] = {}
        for option in ("html", "md", "csv", "parquet", "out"):
            path: Path | None = getattr(self, option)
            destination.check(f"--{option}", path, self.sources)
            if path and (other := taken.setdefault(path.absolute(), option)) != option:
                raise TargetError(f"--{option} {path}: --{other} goes there already; choose another name")


def assembled(
    paths: Sequence[str],
    *,
    how: Judging,
    only: Only,
    networks: Networks | None = None,
    compare: Iterable[Path] = (),
    jobs: int | None = None,
) -> tuple[Incident, tuple[Account, ...], tuple[Problem, ...]]:
    """The incident that the paths tell of, its accounts, and what was left out.

    Raises TargetError for an earlier incident that cannot be read, and for a service that nobody knows.
    """
    earlier = [(path, document(path)) for path in compare]
    accounts, problems = gather(paths, how=how, jobs=jobs)
    problems = (*problems, *_complaints(networks, accounts))
    incident = make(accounts, problems=problems, knowledge=_knowledge(networks), only=only)
    _met(incident, only.services)
    if networks:
        incident = replace(incident, tables=tuple(dict.fromkeys((*incident.tables, networks.entry))))
    comparisons = (
        comparing.compared(incident, told, file=file_name(str(path), with_vantage=False), sha256=digest)
        for path, (told, digest) in earlier
    )
    return replace(incident, comparisons=tuple(comparisons)), accounts, problems


def _met(incident: Incident, asked: Iterable[str]) -> None:
    """Say which of the services that were asked for no account speaks of. Raises TargetError for what is no service."""
    from fingerprint import services
    from fingerprint.services.choosing import named

    met = {s.service for s in incident.sightings}
    for word in asked:
        if word in met:
            continue
        if "." not in word:  # a name that no table knows is filed under its domain
            named(word, services.at_hand()[0])
        complain(f"no account speaks of {word}")


def document(path: Path) -> tuple[Document, str]:
    """An earlier incident's document and the file's SHA-256. Raises TargetError for a file that is none."""
    try:
        content = path.read_bytes()
        told = json.loads(content)
        comparing.check(told)
    except OSError as error:
        raise TargetError(f"--compare {path}: {error.strerror}; name what `incident --json` wrote") from None
    except (ValueError, RecursionError) as error:
        raise TargetError(f"--compare {path}: it is no incident ({error}); name what `incident --json` wrote") from None
    return told, sha256(content).hexdigest()


def _complaints(table: Networks | None, accounts: Sequence[Account]) -> tuple[Problem, ...]:
    if table is None:
        return ()
    firsts = [c["first"] for a in accounts for c in a.document["captures"] if c["first"]]
    at_ns = round(datetime.fromisoformat(min(firsts)[:19] + "+00:00").timestamp()) * 10**9 if firsts else None
    far = table.too_far_from(at_ns)
    return tuple(Problem(file=table.file, says=says) for says in (*table.complaints, *([far] if far else [])))


def _knowledge(table: Networks | None) -> Knowledge:
    from fingerprint import services

    def as_of(address: str, _at_ns: int) -> int | None:
        network = table.of(address) if table else None
        return network.asn if network else None

    known, _ = services.at_hand()

    def naming(name: str, at_ns: int, endpoints: Sequence[str]) -> tuple[str, str] | None:
        return known.of(name, at_ns, services.reached(endpoints))

    def owned(service: str, at_ns: int) -> tuple[str, ...]:
        found = known.named(service)
        return found.owned(at_ns) if found else ()

    beside = {s.id: s.neighbours for s in known.services if s.neighbours}
    tables = Tables(as_of=as_of if table else None, beside=beside, owned=owned)
    return Knowledge(naming=naming, titles={s.id: s.title for s in known.services}, tables=tables)


def only(services: Sequence[str], since: str | None, until: str | None) -> Only:
    """What is to be looked at. Raises TargetError for a time that is none."""
    return Only(
        services=tuple(word.lower() for word in services),
        since_ns=moment(since, "--since"),
        until_ns=moment(until, "--until"),
    )


def finish(incident: Incident, accounts: Sequence[Account], problems: Sequence[Problem], wanted: Wanted) -> int:
    """Write every form that was asked for, say on standard error where it went, and return the exit code."""
    wrote = [path for path in (wanted.html, wanted.md, wanted.csv, wanted.parquet) if path]
    if wanted.html or wanted.md:
        from fingerprint import pages

        for path, write in ((wanted.html, pages.write_html), (wanted.md, pages.write_markdown)):
            if path:
                with path.open("w", encoding="utf-8") as out:
                    write(incident, accounts, out)
    if wanted.csv or wanted.parquet:
        from fingerprint.report import rows

        table = list(rows.of_incident(incident))
        if wanted.csv:
            with wanted.csv.open("w", encoding="utf-8", newline="") as out:
                rows.write_csv(table, out)
        if wanted.parquet:
            rows.write_parquet(table, wanted.parquet)
    if wanted.json or wanted.out:
        wrote += _json(incident, wanted.out)
    if not wanted.json and not (wanted.out and not wrote):
        from fingerprint.incident import summary

        summary.write(incident, sys.stdout)
        sys.stdout.flush()
    for path in wrote:
        destination.tell(path)
    return _code(accounts, problems)


def _json(incident: Incident, out: Path | None) -> list[Path]:
    text = json.dumps(as_dict(incident), ensure_ascii=True, indent=1, allow_nan=False) + "\n"
    if out is None:
        sys.stdout.write(text)
        return []
    out.write_text(text, encoding="utf-8")
    return [out]


def _code(accounts: Sequence[Account], problems: Sequence[Problem]) -> int:
    """As for a report: failed if not one account could be read, partial if something was left out."""
    for problem in problems:
        complain(problem.says if problem.says.startswith(problem.file) else f"{problem.file}: {problem.says}")
    if not accounts:
        return exits.FAILED
    return exits.PARTIAL if problems else exits.ANSWERED


def moment(text: str | None, option: str) -> int | None:
    """A time in UTC as people write it, in nanoseconds. Raises TargetError, which names the option, for none."""
    if text is None:
        return None
    try:
        told = datetime.fromisoformat(text.strip().upper())
    except ValueError:
        raise TargetError(f"{option} {text}: want a time in UTC, for example 2020-05-17T17:00") from None
    return round((told if told.tzinfo else told.replace(tzinfo=UTC)).timestamp()) * 10**9


__all__ = ["Judging", "Wanted", "assembled", "finish", "moment", "only"]
