"""What fails from several countries at one time is down, whatever one vantage alone would have to leave open.

From one line a server that is silent and an address that is dropped look alike, and the verdict is ``insufficient``;
what settles it is a second vantage. Where the same name fails at two vantages in different countries and networks
within one usual interval, with working controls beside it, and works at none, then either the far end is out or two
states dropped it in the same minutes: the first is by far likelier, and claims nothing about anybody.

Only silence and refusals are settled so. A sighting with a mechanism, or at a vantage of which no country was told,
stays what it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from fingerprint.incident.lines import Controls
from fingerprint.incident.model import DOWN
from fingerprint.incident.sightings import CONTROL, Seen
from fingerprint.incident.times import S
from fingerprint.vantages.vantage import Vantage

# Where nothing was seen twice there is no usual interval; ten minutes are near enough for one outage. Set by hand.
ONCE_NS = 600 * S
SAYS = "it failed at the same time from {countries} countries with working controls, and worked from none"


def settled(
    seen: Sequence[Seen], controls: Controls, vantages: Mapping[str, Vantage], interval_ns: int | None
) -> tuple[Seen, ...]:
    """The sightings, those of names that failed everywhere at once counted as ``down``."""
    near_ns = ONCE_NS if interval_ns is None else interval_ns
    by_name: dict[str, list[Seen]] = {}
    for s in seen:
        if s.sighting.role != CONTROL:
            by_name.setdefault(s.sighting.target, []).append(s)
    changed: dict[int, Seen] = {}
    for row in by_name.values():
        silent = [s for s in row if _fails(s) and _line_works(s, controls, near_ns)]
        if len({vantages[s.sighting.vantage].country for s in silent if s.sighting.vantage in vantages}) > 1:
            changed |= {s.index: s for s in _agreeing(silent, row, vantages, near_ns)}
    return tuple(changed.get(s.index, s) for s in seen)


def _fails(seen: Seen) -> bool:
    """Whether nothing worked and something failed, and nobody can tell why."""
    s = seen.sighting
    return s.state == "insufficient" and s.failed_ns is not None and s.worked_ns is None and not seen.ways


def _line_works(seen: Seen, controls: Controls, interval_ns: int) -> bool:
    first_ns, last_ns = seen.held_ns
    beside = controls.at(seen.sighting.vantage, first_ns - interval_ns // 2, last_ns + interval_ns // 2)
    return beside.ok > 0 and not beside.failing


def _agreeing(
    silent: Sequence[Seen], row: Sequence[Seen], vantages: Mapping[str, Vantage], interval_ns: int
) -> list[Seen]:
    out = []
    for one in silent:
        near = [s for s in row if _near(s, one, interval_ns)]
        if any(s.settles not in (None, DOWN) for s in near):
            continue
        here = vantages[one.sighting.vantage]
        others = {
            where.country: where
            for s in silent
            if _near(s, one, interval_ns)
            and (where := vantages[s.sighting.vantage]).country not in (None, here.country)
            and (where.asn is None or where.asn != here.asn)
        }
        if here.country is not None and others:
            out.append(replace(one, settles=DOWN, why_not=SAYS.format(countries=len(others) + 1)))
    return out


def _near(one: Seen, other: Seen, interval_ns: int) -> bool:
    """Within one usual interval of each other, as wide as their clocks are wrong."""
    wide_ns = interval_ns + one.error_ns + other.error_ns
    return one.held_ns[0] <= other.held_ns[1] + wide_ns and other.held_ns[0] <= one.held_ns[1] + wide_ns
