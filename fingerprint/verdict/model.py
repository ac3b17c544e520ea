"""What a verdict is made of. Frozen data; `fingerprint.report` writes it out, `fingerprint.verdict` fills it."""

from __future__ import annotations

from dataclasses import dataclass, field

from fingerprint.technique import Cited, Evidence, Inconclusive, Interval, Location, Quality, Trigger
from fingerprint.vantages.vantage import Vantage

STATES = ("ok", "down", "blocked", "insufficient", "invalid")


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """Evidence with the natural log-odds that it added for the mechanism against its best innocent rival."""

    technique: str
    evidence: Evidence
    log_odds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class InjectorMatch:
    """A row of the injector table, compared field by field with the forged packets."""

    name: str
    score: float
    fits: tuple[str, ...]
    contradicts: tuple[str, ...]
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """One packet of a ladder: number, seconds since the ladder began, who sent it, and what it is in a few words."""

    number: int
    time_s: float
    from_client: bool
    says: str
    deciding: bool  # the verdict cites it
    forged: bool  # nobody but an injector can have sent it


@dataclass(frozen=True, slots=True, kw_only=True)
class Ladder:
    """The packets of one conversation that decided something, or of the control beside it."""

    capture: int
    title: str
    control: bool
    display_filter: str  # Wireshark's words for exactly this conversation
    rungs: tuple[Rung, ...]
    left_out: int  # packets of the conversation between and after those shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """Goodput over time, bits per second in windows of ``window_s`` from ``start_s`` after the transfer began."""

    title: str
    control: bool
    start_s: float
    window_s: float
    rate_bps: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mechanism:
    """The deepest supported node of the taxonomy and everything that is known about it."""

    node: str
    posterior: float
    posterior_at: dict[str, float]  # the same under other priors: {"0.001": ..., "0.1": ...}
    calibrated: dict[str, object] | None  # {"from": ..., "n": ...}; None: hand-set, printed "uncalibrated"
    position: str
    trigger: Trigger | None
    location: Location | None
    injector: tuple[InjectorMatch, ...]
    shape: str | None
    rate_bps: Interval | None
    burst_bytes: Interval | None
    residual_s: Interval | None
    evidence: tuple[Weighed, ...]
    why: tuple[str, ...]  # the sum, line by line, for --why
    ladders: tuple[Ladder, ...] = ()  # for pictures: the deciding conversation, and the control's
    curves: tuple[Curve, ...] = ()  # of throttling: the slowed transfer, and the control's


@dataclass(frozen=True, slots=True, kw_only=True)
class Alternative:
    """An explanation that lost, and what speaks against it."""

    hypothesis: str
    posterior: float
    against: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """Why a target is ok, down, insufficient or invalid."""

    hypothesis: str
    posterior: float | None
    says: str
    evidence: tuple[Weighed, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The answer for one target: a name (or a bare address) seen from one vantage."""

    target: str
    service: str | None
    role: str | None
    vantage: str | None
    endpoints: tuple[str, ...]  # "93.184.216.34:443/tcp"
    first_ns: int
    last_ns: int
    state: str
    reach: str  # none, degraded, partial, full
    mechanisms: tuple[Mechanism, ...]
    cause: Cause | None
    alternatives: tuple[Alternative, ...]
    inconclusive: tuple[tuple[str, Inconclusive], ...]  # (technique, finding)
    observations: tuple[tuple[str, Evidence], ...]  # (technique, evidence whose clue has no weight)
    consequences: tuple[tuple[str, tuple[Cited, ...]], ...]  # (sentence, packets)
    next: tuple[str, ...]
    worked_ns: tuple[int, int] | None = None  # first and last time that the target did its work
    failed_ns: tuple[int, int] | None = None  # first and last packet that speaks for a mechanism or a failure
    flows: tuple[tuple[str, Cited], ...] = ()  # of the cited conversations: Community ID, first packet


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What the script of a live run says of its cost; a foreign capture has none."""

    order: str  # adaptive or fixed
    seed: int
    # Of each target: its name, the packets that it took, after how many the verdict stood, why no more were sent.
    targets: tuple[tuple[str, int, int | None, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureSummary:
    """One input file as the report names it."""

    file: str
    sha256: str
    packets: int
    link_type: str
    first_ns: int | None
    last_ns: int | None
    quality: tuple[Quality, ...]
    clients: tuple[str, ...] = ()  # addresses on the client's side, kept out of reports unless asked for
    partial: str | None = None  # why the run that wrote it was cut short
    run: Run | None = None  # what its script says
    vantage: Vantage = field(default_factory=Vantage)
    part: tuple[int, int] | None = None  # of a long capture that is judged in parts: from when to when, in ns


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A file that could not be read, or not to its end; a plugin that broke."""

    file: str
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Everything that one run of `fingerprint analyse` has to say."""

    version: str
    captures: tuple[CaptureSummary, ...]
    verdicts: tuple[Verdict, ...]  # blocked first, ok last
    tables: tuple[tuple[str, str, str], ...]  # (name, version, sha256)
    errors: tuple[Failure, ...]
    partial: str | None = None
