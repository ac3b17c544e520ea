"""What an incident is made of. Frozen data: `fingerprint.incident` fills it, `fingerprint.pages` writes it out.

Times are nanoseconds since the epoch by the common clock (each vantage's own, corrected). An onset or an end is never
an instant: it lies between the last observation of what was before and the first of what came after.
"""

from __future__ import annotations

from dataclasses import dataclass

from fingerprint.vantages.vantage import Vantage

# What a stretch of time is called. `blocked` holds slowing too; `unknown` is what no measurement settles.
OK, DOWN, BLOCKED, UNKNOWN = "ok", "down", "blocked", "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A file that the incident rests on."""

    kind: str  # of `fingerprint.accounts.KINDS`
    file: str
    sha256: str
    vantage: str
    packets: int
    first_ns: int | None
    last_ns: int | None
    quality: tuple[str, ...]
    simulated: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where something stands in the accounts: index of the account, and of the target within its document."""

    account: int
    target: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """One verdict about one name, seen from one vantage at one time."""

    service: str
    role: str
    target: str
    vantage: str
    first_ns: int
    last_ns: int
    worked_ns: tuple[int, int] | None  # first and last time that the target did its work
    failed_ns: tuple[int, int] | None  # first and last packet that speaks for the mechanism
    state: str  # of the report: ok, down, blocked, insufficient, invalid
    mechanism: str | None
    posterior: float | None
    reach: str
    position: str | None
    injector: str | None  # the best match's name or the cluster's, None where nothing was matched
    rate_bps: float | None
    kind: str  # of the account
    at: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Between:
    """An instant that lies between two observations. ``None`` at an end: nothing was seen before, or after."""

    after_ns: int | None
    before_ns: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """A stretch of time in which a cell stayed as it was.

    ``posterior`` is that of its state given all sightings in it; ``confidence`` that a change lies at its onset at all
    rather than nowhere (1.0 for the first stretch).
    """

    state: str  # OK, DOWN, BLOCKED, UNKNOWN
    mechanism: str | None
    posterior: float | None
    onset: Between
    end: Between
    confidence: float
    sightings: tuple[int, ...]  # indices into Incident.sightings, in order of time
    says: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One service's one role, seen from one vantage. ``state`` is the worst that was established at any time."""

    service: str
    role: str
    vantage: str
    targets: tuple[str, ...]
    state: str  # blocked, down, ok, insufficient
    mechanisms: tuple[str, ...]  # most probable first
    posterior: float | None
    reach: str
    position: str | None
    injector: str | None
    rate_bps: float | None
    stretches: tuple[Stretch, ...]
    best: Place | None  # the sighting that shows it best, for the ladder
    says: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Discount:
    """Something that the members of an event have in common by which they may have failed together innocently."""

    what: str  # server, prefix, asn, cdn, operator, resolver, owner, vantage
    value: str
    cells: tuple[int, ...]
    says: str
    p_value: float | None = None  # with those who share it counted as one; 1.0: nothing left; None: nothing to test


@dataclass(frozen=True, slots=True, kw_only=True)
class Test:
    """A permutation test: what was compared with what, under which assumptions."""

    statistic: str
    observed: float
    permutations: int
    exact: bool  # all arrangements were counted; else drawn, from a seed made of the accounts' hashes
    p_value: float
    assumptions: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Cells that changed together, or one that changed alone."""

    state: str  # BLOCKED or DOWN
    cells: tuple[int, ...]  # indices into Incident.cells
    onset: Between
    end: Between
    services: tuple[str, ...]
    vantages: tuple[str, ...]
    test: Test | None  # None where there is nothing to compare: one service, or no time without it
    discounts: tuple[Discount, ...]
    injectors: tuple[tuple[str, tuple[int, ...]], ...]  # (device or cluster, cells) that share it
    controls: str  # what the controls did at the time
    says: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """This incident beside an earlier one."""

    file: str
    sha256: str
    answer: str  # same device, same technique, unrelated, undecided
    says: str
    shared: tuple[str, ...]
    differing: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """Overlapping or contradictory accounts, wrong clocks, unknown services: named, never silently merged."""

    kind: str  # overlap, contradiction, clock, vantage, service, simulation, store, file, plugin
    says: str
    files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleLine:
    """A sentence about one service at one vantage by its roles: "the web page loads; image and video hosts do not".

    ``event`` is the event whose time it is about, an index into Incident.events; None: the whole time.
    """

    service: str
    vantage: str
    says: str
    event: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """How one mechanism looked over all cells that show it: what a later incident is compared by."""

    mechanism: str
    services: tuple[str, ...]
    vantages: tuple[str, ...]
    positions: tuple[str, ...]
    links: tuple[tuple[int, int], ...]  # (last hop without, first hop with)
    triggers: tuple[str, ...]  # fields, never values
    injectors: tuple[str, ...]  # rows of the table or clusters
    contradicted: tuple[str, ...]  # rows that also contradict in some field
    shapes: tuple[str, ...]
    rate_bps: tuple[float, float] | None  # lowest and highest bound


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """Everything that `fingerprint incident` has to say."""

    version: str
    headline: str  # one sentence: the verdict
    paragraph: str  # the same with its reasons, for a screen
    answer: str  # blocked, down, ok or insufficient
    simulated: tuple[str, ...]  # which simulations took part; empty for real lines alone
    sources: tuple[Source, ...]
    tables: tuple[tuple[str, str, str], ...]  # (name, version, sha256)
    vantages: tuple[Vantage, ...]
    services: tuple[tuple[str, str], ...]  # (id, title), in order of the matrix
    roles: tuple[RoleLine, ...]
    sightings: tuple[Sighting, ...]
    cells: tuple[Cell, ...]
    events: tuple[Event, ...]
    comparisons: tuple[Comparison, ...]
    unknown: tuple[str, ...]  # what is not known, a sentence each
    doubts: tuple[Doubt, ...]
    next: tuple[str, ...]
    first_ns: int
    last_ns: int
    interval_s: float | None  # the usual time between two sightings of a cell
    signatures: tuple[Signature, ...] = ()
