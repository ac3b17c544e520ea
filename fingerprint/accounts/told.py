"""Accounts from what people told: who could not reach what, and when. As deep as words go, which is not deep.

A file of ``fingerprint/told/1`` (TOML) holds sources with their standing, vantages, and statements. Each statement
becomes a target that is ``insufficient``, whatever its source made of it: words carry no packet, so that nothing can
be told about how it was done, or whether it was done at all.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from captures.errors import CaptureError
from fingerprint import __version__, tables
from fingerprint.accounts import TOLD, Account, Problem
from fingerprint.report.document import as_dict
from fingerprint.vantages import fields as vantage_fields
from fingerprint.vantages.vantage import Vantage
from fingerprint.verdict.model import CaptureSummary, Cause, Report, Verdict

SCHEMA = "fingerprint/told/1"
# What can be said of a service without having measured it, and how a sentence says it.
WHAT = {"unreachable": "reported unreachable", "slow": "reported slow", "unaffected": "reported unaffected"}
FIELDS = ("vantage", "service", "role", "target", "what", "from", "until", "by", "note")
NO_PACKET = "no packet and no technique stands behind it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One thing that was said. ``until_ns`` is ``from_ns`` where nobody said when it was over."""

    vantage: str
    service: str
    role: str | None
    target: str
    what: str
    from_ns: int
    until_ns: int
    by: str  # the sources, with their standing
    note: str | None


def accounts(path: Path) -> tuple[tuple[Account, ...], tuple[Problem, ...]]:
    """One account a vantage that the file names, and the statements that had to be left out.

    Raises CaptureError for a file that is none of ``fingerprint/told/1``.
    """
    content, told = _read(path)
    vantages, sources = _vantages(path, told), _sources(path, told)
    statements, problems = list[Statement](), list[Problem]()
    for number, given in enumerate(_list(told.get("statement")), 1):
        try:
            statements.append(_statement(given, vantages, sources))
        except ValueError as error:
            problems.append(Problem(file=path.name, says=f"statement {number} is left out: {error}"))
    sha256 = hashlib.sha256(content).hexdigest()
    made = [
        _account(path.name, sha256, vantage, [s for s in statements if s.vantage == name])
        for name, vantage in vantages.items()
    ]
    return tuple(account for account in made if account.document["targets"]), tuple(problems)


def is_told(path: Path) -> bool:
    """Whether the file says of itself that it is one of these; to be asked of ``.toml`` files."""
    try:
        return path.suffix == ".toml" and tomllib.loads(path.read_text("utf-8")).get("schema") == SCHEMA
    except (OSError, ValueError):
        return False


def _read(path: Path) -> tuple[bytes, dict[str, Any]]:
    try:
        content = path.read_bytes()
        told = tomllib.loads(content.decode("utf-8"))
    except OSError as error:
        raise CaptureError(f"{path.name}: {error.strerror or error}; name a file that can be read") from None
    except ValueError as error:
        raise CaptureError(f"{path.name} is no TOML ({error}); mend it there") from None
    if told.get("schema") != SCHEMA:
        raise CaptureError(f'{path.name} is not of the kind {SCHEMA}; begin it with schema = "{SCHEMA}"')
    return content, told


def _vantages(path: Path, told: Mapping[str, Any]) -> dict[str, Vantage]:
    try:
        return {name: vantage_fields.vantage(given) for name, given in _table(told.get("vantage")).items()}
    except (ValueError, AttributeError, TypeError) as error:
        raise CaptureError(f"{path.name}: a vantage cannot be used: {error}; mend it there") from None


def _sources(path: Path, told: Mapping[str, Any]) -> dict[str, str]:
    """Each source as a sentence names it: who, when, and how far it was read."""
    said = {}
    for name, given in _table(told.get("source")).items():
        try:
            words = _table(given)
            publisher, standing = _word(words, "publisher"), _word(words, "standing")
            published = words.get("published")
            when = f", {published.isoformat()}" if isinstance(published, date) else ""
        except ValueError as error:
            raise CaptureError(f"{path.name}: source {name}: {error}; mend it there") from None
        said[name] = f"{publisher}{when} [{standing}]"
    return said


def _statement(given: object, vantages: Mapping[str, Vantage], sources: Mapping[str, str]) -> Statement:
    """Raises ValueError for a statement that does not say who saw what, where and when."""
    words = _table(given)
    vantage_fields.refuse_strangers(words, FIELDS, "a statement")
    vantage, what, service = _word(words, "vantage"), _word(words, "what"), _word(words, "service").lower()
    if vantage not in vantages:
        raise ValueError(f"vantage {vantage!r} is none of the file; choose from {', '.join(vantages) or 'none'}")
    if what not in WHAT:
        raise ValueError(f"what is {what!r}; choose from {', '.join(WHAT)}")
    by = [str(name) for name in _list(words.get("by"))]
    if not by or (strangers := [name for name in by if name not in sources]):
        raise ValueError(f"by names {', '.join(strangers) if by else 'nobody'}; name sources of the file")
    from_ns = _time(words, "from")
    until_ns = _time(words, "until") if "until" in words else from_ns
    if until_ns < from_ns:
        raise ValueError("it ends before it begins")
    return Statement(
        vantage=vantage, service=service, role=_word(words, "role") if "role" in words else None,
        target=_word(words, "target").lower() if "target" in words else service, what=what, from_ns=from_ns,
        until_ns=until_ns, by="; ".join(sources[name] for name in by),
        note=_word(words, "note") if "note" in words else None,
    )  # fmt: skip


def _account(file: str, sha256: str, vantage: Vantage, statements: list[Statement]) -> Account:
    times = [t for s in statements for t in (s.from_ns, s.until_ns)]
    source = CaptureSummary(
        file=file, sha256=sha256, packets=0, link_type="none", first_ns=min(times, default=None),
        last_ns=max(times, default=None), quality=(), vantage=vantage,
    )  # fmt: skip
    verdicts = tuple(_verdict(s, vantage) for s in sorted(statements, key=lambda s: (s.from_ns, s.target, s.what)))
    known = tuple((t.name, t.version, t.sha256) for t in tables.at_hand()[0].tables)
    report = Report(version=__version__, captures=(source,), verdicts=verdicts, tables=known, errors=())
    return Account(
        kind=TOLD, file=file, sha256=sha256, document=as_dict(report, all_ok=True), vantage=vantage, captures=(None,)
    )


def _verdict(said: Statement, vantage: Vantage) -> Verdict:
    note = f" ({said.note})" if said.note else ""
    return Verdict(
        target=said.target, service=said.service, role=said.role, vantage=vantage.key, endpoints=(),
        first_ns=said.from_ns, last_ns=said.until_ns, state="insufficient", reach="none", mechanisms=(),
        cause=Cause(
            hypothesis="undecided", posterior=None, says=f"{WHAT[said.what]} by {said.by}{note}; {NO_PACKET}",
        ),
        alternatives=(), inconclusive=(), observations=(), consequences=(),
        next=("find a capture, or measurements, of that time and place",),
    )  # fmt: skip


def _table(given: object) -> dict[str, Any]:
    """Raises ValueError for what is no table; nothing is an empty one."""
    if given is None:
        return {}
    if not isinstance(given, dict):
        raise ValueError(f"{given!r} stands where a table should")  # noqa: TRY004  # one kind of error for a file
    return given


def _list(given: object) -> list[Any]:
    return given if isinstance(given, list) else []


def _word(words: Mapping[str, Any], field: str) -> str:
    text = vantage_fields.word(field, words.get(field))
    if text is None:
        raise ValueError(f"{field} is missing")
    return text


def _time(words: Mapping[str, Any], field: str) -> int:
    """Nanoseconds since the epoch. Raises ValueError for what is no time with its zone."""
    given = words.get(field)
    if not isinstance(given, datetime) or given.tzinfo is None:
        raise ValueError(f"{field} is {given!r}; want a time in UTC, for example 2020-05-17T17:00:00Z")
    return round(given.astimezone(UTC).timestamp()) * 10**9
