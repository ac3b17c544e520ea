"""Accounts in, an incident out: the stages in order. Nothing here reads a file, a clock or the network.

sightings → doubts (what is left out) → controls of the lines → what fails everywhere → cells × stretches → events →
sentences
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from hashlib import sha256

from fingerprint import __version__
from fingerprint.accounts import Account, Problem
from fingerprint.incident import controls as of_controls
from fingerprint.incident import doubts, wording
from fingerprint.incident.cells import Made, cells, usual_interval_ns
from fingerprint.incident.coincidence import coincidence
from fingerprint.incident.events import Group, groups
from fingerprint.incident.everywhere import ONCE_NS, settled
from fingerprint.incident.infrastructure import Tables, discounts, passed
from fingerprint.incident.lines import Controls, judged
from fingerprint.incident.model import Cell, Event, Incident, RoleLine, Source
from fingerprint.incident.names import Names
from fingerprint.incident.sightings import CONTROL, Naming, Seen, nameless, numbered, sightings, vantage_of
from fingerprint.incident.signatures import signatures
from fingerprint.incident.starts import Spans, observed, question
from fingerprint.incident.times import S, moment, nanoseconds
from fingerprint.vantages.vantage import Vantage

ALONE = Tables()


@dataclass(frozen=True, slots=True, kw_only=True)
class Knowledge:
    """What the tables at hand know, as functions; every one may be missing."""

    naming: Naming = nameless
    titles: Mapping[str, str] = field(default_factory=dict)  # service id → how people call it
    tables: Tables = ALONE


@dataclass(frozen=True, slots=True, kw_only=True)
class Only:
    """What of the accounts is looked at; controls always are."""

    services: tuple[str, ...] = ()
    since_ns: int | None = None
    until_ns: int | None = None

    def says(self) -> tuple[str, ...]:
        """What was left aside, where anything was."""
        parts = [f"services {', '.join(self.services)}"] if self.services else []
        parts += [f"times from {moment(self.since_ns)} UTC on"] if self.since_ns is not None else []
        parts += [f"times until {moment(self.until_ns)} UTC"] if self.until_ns is not None else []
        return (f"everything but {' and '.join(parts)}: only that was looked at",) if parts else ()

    def takes(self, seen: Seen) -> bool:
        """Whether a sighting is of a service and a time that was asked for."""
        s = seen.sighting
        if (self.since_ns is not None and s.last_ns < self.since_ns) or (
            self.until_ns is not None and s.first_ns > self.until_ns
        ):
            return False
        return not self.services or s.service in self.services or s.role == CONTROL


EVERYTHING = Only()


def make(
    accounts: Sequence[Account],
    *,
    problems: Sequence[Problem] = (),
    knowledge: Knowledge | None = None,
    only: Only = EVERYTHING,
) -> Incident:
    """The incident that some accounts tell of; with none it is ``insufficient`` and says so."""
    known = knowledge or Knowledge()
    seen = numbered([s for s in sightings(accounts, known.naming) if only.takes(s)])
    unset, out = doubts.unset_clocks(seen, accounts)
    against, torn = doubts.contradictions([s for s in seen if s.index not in out], accounts)
    inside = [s for s in seen if s.index not in out]
    interval_ns = usual_interval_ns(inside)
    controls = Controls(inside)
    where = {v.key: v for v in _vantages(accounts)}
    weighed = settled(judged(inside, controls, interval_ns), controls, where, interval_ns)
    made = cells(weighed, torn, interval_ns)
    names = Names(titles=known.titles, vantages=_looking(inside) or tuple(v.key for v in _vantages(accounts)))
    tables = replace(known.tables, passed=passed(inside))
    events = _events(made, controls, _seed(accounts), tables, names, interval_ns)
    times = [t for s in inside for t in (s.sighting.first_ns, s.sighting.last_ns)]
    raw = Incident(
        version=__version__,
        headline="",
        paragraph="",
        answer=wording.answer(made),
        simulated=tuple(dict.fromkeys(a.vantage.simulated for a in accounts if a.vantage.simulated)),
        sources=tuple(_source(a) for a in accounts),
        tables=_tables(accounts),
        vantages=_vantages(accounts),
        services=tuple((s, known.titles.get(s, s)) for s in dict.fromkeys(m.cell.service for m in made)),
        roles=_roles(made, events),
        sightings=tuple(s.sighting for s in seen),
        cells=tuple(m.cell for m in made),
        events=events,
        comparisons=(),
        unknown=(),
        doubts=(
            *doubts.problems(problems), *against, *unset, *doubts.clocks(accounts), *doubts.vantages(accounts),
            *doubts.services(seen), *doubts.simulations(accounts),
        ),
        next=(),
        first_ns=min(times, default=0),
        last_ns=max(times, default=0),
        interval_s=None if interval_ns is None else interval_ns / S,
        signatures=signatures(made),
    )  # fmt: skip
    told = wording.told(raw, accounts, names)
    return replace(told, unknown=(*only.says(), *told.unknown))


def _looking(seen: Sequence[Seen]) -> tuple[str, ...]:
    """Vantages that settled anything: what was only told of others is no look of theirs."""
    return tuple(dict.fromkeys(s.sighting.vantage for s in seen if s.settles))


def _seed(accounts: Sequence[Account]) -> int:
    """The same for the same accounts, in whatever order they were named."""
    hashes = "".join(sorted(a.sha256 for a in accounts))
    return int(sha256(hashes.encode()).hexdigest()[:16], 16)


def _events(
    made: Sequence[Made],
    controls: Controls,
    seed: int,
    tables: Tables,
    names: Names,
    interval_ns: int | None,
) -> tuple[Event, ...]:
    found = groups(made, ONCE_NS if interval_ns is None else interval_ns)
    spans = observed(made)
    events = [_event(g, found, spans, controls, seed=seed, tables=tables, names=names) for g in found]
    cells_of = tuple(m.cell for m in made)
    return tuple(replace(e, says=wording.event(e, events, cells_of, names)) for e in events)


def _event(
    group: Group,
    every: Sequence[Group],
    spans: Spans,
    controls: Controls,
    *,
    seed: int,
    tables: Tables,
    names: Names,
) -> Event:
    asked = question(group, every, spans)
    test = coincidence(asked.event, asked.everything, asked.within, seed) if asked.within else None
    return Event(
        state=group.state,
        cells=group.cells,
        onset=group.onset,
        end=group.end,
        services=group.services,
        vantages=group.vantages,
        test=test,
        discounts=discounts(group, partial(question, group, every, spans), test, seed=seed, tables=tables, names=names),
        injectors=_injectors(group),
        controls=of_controls.sentence(of_controls.during(group, controls)),
        says="",
    )


def _injectors(group: Group) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """Devices or clusters that two or more cells of an event share."""
    holders: dict[str, set[int]] = {}
    for o in group.onsets:
        within = set(o.stretch.sightings)
        for s in o.made.seen:
            if s.index in within:
                for name in (w.injector for w in s.ways if w.injector):
                    holders.setdefault(name, set()).add(o.cell)
    shared = {name: tuple(sorted(its)) for name, its in holders.items() if len(its) > 1}
    return tuple(sorted(shared.items(), key=lambda pair: (-len(pair[1]), pair[0])))


def _source(account: Account) -> Source:
    document = account.document
    captures = document["captures"]
    firsts = [nanoseconds(c["first"]) for c in captures if c["first"]]
    lasts = [nanoseconds(c["last"]) for c in captures if c["last"]]
    issues = dict.fromkeys(f"{q['issue']}: {q['detail']}" for c in captures for q in c["quality"])
    return Source(
        kind=account.kind,
        file=account.file,
        sha256=account.sha256,
        vantage=account.vantage.key,
        packets=sum(c["packets"] for c in captures),
        first_ns=min(firsts, default=None),
        last_ns=max(lasts, default=None),
        quality=tuple(issues),
        simulated=account.vantage.simulated,
    )


def _tables(accounts: Sequence[Account]) -> tuple[tuple[str, str, str], ...]:
    found = ((t["name"], t["version"], t["sha256"]) for a in accounts for t in a.document["tables"])
    return tuple(dict.fromkeys(found))


def _vantages(accounts: Sequence[Account]) -> tuple[Vantage, ...]:
    """By key in order of appearance; of several accounts of one vantage the one that says most about it."""
    found: dict[str, Vantage] = {}
    for account in accounts:
        for label in dict.fromkeys(t["vantage"] for t in account.document["targets"]) or (None,):
            vantage = vantage_of(account, label)
            known = found.get(vantage.key)
            if known is None or _told(vantage) > _told(known):
                found[vantage.key] = vantage
    return tuple(found.values())


def _told(vantage: Vantage) -> int:
    fields = (vantage.provider, vantage.asn, vantage.country, vantage.place, vantage.note, vantage.clock.error_s)
    return sum(f is not None for f in fields)


def _roles(made: Sequence[Made], events: Sequence[Event]) -> tuple[RoleLine, ...]:
    """A sentence a service and vantage, in order of the cells, about the time of the first event if there is one."""
    by: dict[tuple[str, str], list[Cell]] = {}
    for m in made:
        by.setdefault((m.cell.service, m.cell.vantage), []).append(m.cell)
    event = events[0] if events else None
    at = 0 if events else None
    return tuple(RoleLine(service=s, vantage=v, says=wording.roles(row, event), event=at) for (s, v), row in by.items())
