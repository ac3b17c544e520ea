"""Accounts from measurements of OONI: as deep as a socket error goes, and never deeper.

One account a network that a file was measured in. Its document cites no packets: where a technique names packets, this
one names the line of the measurement in words. What a probe sends in is not checked by anybody.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from captures.errors import CaptureError
from fingerprint import __version__, services, signatures, tables
from fingerprint.accounts import SOCKETS, Account, Problem
from fingerprint.ooni import reading
from fingerprint.ooni.experiments import UnknownTest, measurement
from fingerprint.ooni.facts import Measurement
from fingerprint.ooni.verdicts import verdicts
from fingerprint.report.document import as_dict
from fingerprint.technique import Quality
from fingerprint.terminal import clean
from fingerprint.vantages.vantage import UNNAMED, Vantage
from fingerprint.verdict.model import CaptureSummary, Report

# What a report has in the place of a link type, so that it can be told from a capture without packets.
LINK_TYPE = "ooni"
# Reasons to leave out a line that are told, and lines that are named for each; more of them are counted.
NAMED_REASONS = 20
NAMED_LINES = 8

Network = tuple[int | None, str | None, str | None]


def accounts(path: Path) -> tuple[tuple[Account, ...], tuple[Problem, ...]]:
    """One account a network that the file was measured in, and what had to be left out.

    Raises CaptureError for a file that cannot be read, or in which there is not one measurement that is read here.
    """
    file = reading.Reading(path=path)
    found, wrong, unknown = _measurements(file)
    problems = tuple(Problem(file=file.name, says=says) for says in _problems(file, found, wrong, unknown))
    if not found:
        why = problems[0].says if problems else "it is empty"
        raise CaptureError(f"{file.name}: holds no measurement that can be read ({why}); name a file of OONI's")
    by_network: dict[Network, list[Measurement]] = {}
    for m in found:
        by_network.setdefault((m.asn, m.country, m.network), []).append(m)
    shared = Counter(network for _, _, network in by_network)
    made = [
        _account(file, measured, _vantage(where, alone=shared[where[2]] == 1))
        for where, measured in sorted(by_network.items(), key=lambda item: (item[1][0].first_ns, str(item[0])))
    ]
    return tuple(made), problems


def is_ooni(path: Path) -> bool:
    """Whether the file begins as measurements of OONI do, plain or compressed."""
    return reading.is_ooni(path)


def _measurements(
    file: reading.Reading,
) -> tuple[list[Measurement], list[tuple[int, str]], dict[str, int]]:
    """What could be read, (line, what is wrong with it), and how often each test occurs that is not read here."""
    known = signatures.of(tables.at_hand()[0])
    found, wrong, unknown = list[Measurement](), list[tuple[int, str]](), dict[str, int]()
    seen: set[str] = set()
    for line, document in file.documents():
        try:
            m = measurement(line, document, known)
        except UnknownTest as error:
            unknown[str(error)] = unknown.get(str(error), 0) + 1
            continue
        except (ValueError, TypeError, OverflowError, RecursionError) as error:
            wrong.append((line, str(error) or type(error).__name__))
            continue
        key = repr((m.test, m.target, document.get("input"), m.session, m.first_ns, m.asn))
        if key in seen:
            wrong.append((line, "it was there before"))
            continue
        seen.add(key)
        found.append(m)
    return found, wrong, unknown


def _problems(
    file: reading.Reading, found: Sequence[Measurement], wrong: list[tuple[int, str]], unknown: dict[str, int]
) -> Iterator[str]:
    for line, why in file.broken if file.broken and file.broken[0][0] == 0 else ():
        if line == 0:
            yield f"{why}; what came before is used"
    lines: dict[str, list[int]] = {}
    for line, why in sorted([(line, why) for line, why in file.broken if line] + wrong):
        lines.setdefault(why, []).append(line)
    for why, those in list(lines.items())[:NAMED_REASONS]:
        yield f"{_named(those)} left out: {clean(why)}"
    if more := [line for those in list(lines.values())[NAMED_REASONS:] for line in those]:
        yield f"{_named(sorted(more))} left out, for reasons like these"
    for test, count in sorted(unknown.items()):
        some = "1 measurement" if count == 1 else f"{count} measurements"
        yield f"{some} of the test {clean(test[:60])!r} left out: it is not read here"
    if nowhere := sum(m.asn is None for m in found):
        yield f"{nowhere} measurements do not say which network they were made in (AS0); they stand by themselves"


def _named(lines: Sequence[int]) -> str:
    """The first lines by their numbers, and how many more there are, with the verb."""
    some = ", ".join(map(str, lines[:NAMED_LINES]))
    more = f" and {len(lines) - NAMED_LINES} more" if len(lines) > NAMED_LINES else ""
    return f"line {some} is" if len(lines) == 1 else f"lines {some}{more} are"


def _vantage(where: Network, *, alone: bool) -> Vantage:
    """The network, by the name that OONI has for it. Two networks of one name are told apart by their numbers."""
    asn, country, network = where
    provider = (network and clean(network[:200]).strip()) or None
    if provider and not alone:
        provider = f"{provider} (AS{asn})" if asn else f"{provider} ({country or 'no country'})"
    return Vantage(provider=provider, asn=asn, country=country, note="a probe of OONI; who ran it is not known")


def _account(file: reading.Reading, measured: Sequence[Measurement], vantage: Vantage) -> Account:
    known = tables.at_hand()[0]
    tests = Counter(m.test for m in measured)
    said = ", ".join(f"{count} of {test}" for test, count in sorted(tests.items()))
    source = CaptureSummary(
        file=file.name, sha256=file.sha256, packets=0, link_type=LINK_TYPE,
        first_ns=min(m.first_ns for m in measured), last_ns=max(m.last_ns for m in measured),
        quality=(Quality(issue="sockets", detail=f"measurements of OONI ({said}): socket errors, and no packets"),),
        vantage=vantage,
    )  # fmt: skip
    table = services.at_hand()[0]
    judged = verdicts(measured, signatures.of(known), None if vantage.key == UNNAMED else vantage.key)
    filed = tuple(services.filed(judged, table))
    report = Report(
        version=__version__,
        captures=(source,),
        verdicts=filed,
        tables=(*((t.name, t.version, t.sha256) for t in known.tables), *services.used(filed, table)),
        errors=(),
    )
    document = uncited(as_dict(report, all_ok=True))
    return Account(
        kind=SOCKETS, file=file.name, sha256=file.sha256, document=document, vantage=vantage, captures=(None,)
    )


def uncited(part: Any) -> Any:
    """A document without its citations: what stands there are lines of a file, and no packets."""
    if isinstance(part, dict):
        cleared = {key: uncited(value) for key, value in part.items()}
        if "capture" in cleared and "packets" in cleared:
            cleared |= {"capture": None, "packets": []}
        return cleared
    return [uncited(value) for value in part] if isinstance(part, list) else part
