"""The words a technique is written in.

A technique is one class with one required method, `Technique.analyse`. It reads a `Capture` and yields findings:
`Evidence` for what it saw, `Inconclusive` for what it could not tell, nothing for what does not concern it.
It never decides a state; `fingerprint.verdict` joins the findings of all techniques.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, NamedTuple, Protocol

if TYPE_CHECKING:
    from fingerprint.capture import Capture
    from fingerprint.steps import Probe, Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A number with the interval that holds it with 95 % confidence."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """The field that set the interference off (``tls.sni``, ``dns.qname``, ``ip.dst`` ...) and its value."""

    field: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """Where: smallest triggering TTL in hops, the link it names, and the router's address if it answered."""

    hop: int | None = None
    link: tuple[int, int] | None = None
    address: str | None = None
    asn: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Facets:
    """What a piece of evidence says beyond its clue; None where it says nothing."""

    position: str | None = None  # on-path, in-path, resolver, server
    trigger: Trigger | None = None
    location: Location | None = None
    shape: str | None = None  # policer, shaper, freeze, delay, loss
    rate_bps: Interval | None = None
    burst_bytes: Interval | None = None
    residual_s: Interval | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Clue:
    """Something that can be seen in packets, and how likely it is under each explanation.

    ``given`` maps a hypothesis to P(seen | hypothesis). A key is a node of the taxonomy (it stands for all below it),
    a node whose layer is ``*`` (``*.reset``: whatever layer the subject's protocol names), an innocent explanation,
    ``innocent`` for every innocent not named, or ``*`` for everything else, which must be present.
    An empty ``given`` makes the clue an observation: a fact that moves no verdict.
    Clues of one ``group`` are facets of one thing seen and never count as independent.
    ``n`` is the number of labelled captures that the numbers were measured on; 0 means set by hand.
    """

    id: str
    says: str
    group: str
    given: Mapping[str, float]
    source: str
    n: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What a finding is about.

    ``protocol`` names the layer of the step that failed: dns, tcp, tls, http, quic, udp or ip.
    ``trial`` tells repeats apart: findings of one connection or transaction carry the same trial.
    """

    name: str | None = None
    address: str | None = None
    port: int | None = None
    protocol: str | None = None
    vantage: str | None = None
    trial: str | None = None


class Cited(NamedTuple):
    """A packet as a report names it: index of the file, and Wireshark's number in that file."""

    capture: int
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """Something that lowers what may be concluded from a capture, by rule."""

    issue: str  # one-sided, snaplen, dropped, offload, clock, duplicates, host-resets, mid-flow, short ...
    detail: str
    packets: tuple[Cited, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """A clue that was seen, on whom, and in which packets. Build it with `cite`; it cannot be built without packets."""

    clue: Clue
    subject: Subject
    packets: tuple[Cited, ...]
    says: str
    facets: Facets = Facets()
    disputes: tuple[str, ...] = ()  # addresses that, after this, cannot be believed to be the name's own
    forged: tuple[Cited, ...] = ()  # of the packets, those that nobody but an injector can have sent

    def __post_init__(self) -> None:
        if not self.packets:
            raise ValueError(f"{self.clue.id}: evidence cites no packet; name at least one")


@dataclass(frozen=True, slots=True)
class Inconclusive:
    """Why a technique cannot tell, and the packets that show it."""

    why: str
    packets: tuple[Cited, ...] = ()
    subject: Subject | None = None


Finding = Evidence | Inconclusive


class Citable(Protocol):
    """Anything that can be cited: a packet, a segment, a message."""

    @property
    def capture(self) -> int:
        """Index of the file."""

    @property
    def number(self) -> int:
        """The packet's number as Wireshark shows it."""


def cite(
    clue: Clue,
    subject: Subject,
    *packets: Citable,
    facets: Facets | None = None,
    disputes: Iterable[str] = (),
    forged: Iterable[Citable] = (),
    **words: object,
) -> Evidence:
    """Evidence for ``clue``, its sentence filled with ``words``.

    ``packets`` are packets, segments, messages: anything with ``capture`` and ``number``. ValueError without any.
    ``forged`` are those among them that are compared with the table of injectors if the clue convicts somebody.
    """
    injected = tuple(sorted({Cited(p.capture, p.number) for p in forged}))
    cited = tuple(sorted({*injected, *(Cited(p.capture, p.number) for p in packets)}))
    return Evidence(
        clue=clue,
        subject=subject,
        packets=cited,
        says=clue.says.format(**words),
        facets=facets or Facets(),
        disputes=tuple(disputes),
        forged=injected,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Technique:
    """One way to interfere, recognised. Subclass it in a file of its own; fields are thresholds with their units."""

    clues: ClassVar[tuple[Clue, ...]] = ()
    reads_steps_of: ClassVar[tuple[str, ...]] = ()  # ids of techniques whose probes send what this one looks at
    on_request: ClassVar[bool] = False  # its probe sends what nobody expects of a name, so it must be asked for by id

    def probe(self, target: Target) -> Probe:  # noqa: ARG002 - the name is the interface
        """Yield the steps that would show this interference, in the words of `fingerprint.steps`. By default none."""
        yield from ()

    def analyse(self, capture: Capture) -> Iterator[Finding]:
        """Yield findings. Pure: no socket, file, clock, randomness or logging."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A versioned table of facts that the engine loads (injectors, services, signatures ...)."""

    name: str
    version: str
    sha256: str
    rows: tuple[Mapping[str, object], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """The tables at hand, echoed in every report."""

    tables: tuple[Table, ...] = field(default=())

    def table(self, name: str) -> Table | None:
        """The table of that name, if it was loaded."""
        return next((t for t in self.tables if t.name == name), None)

    def named(self, name: str) -> tuple[Table, ...]:
        """The table of that name, and those that users added to it (``name-…``)."""
        return tuple(t for t in self.tables if t.name == name or t.name.startswith(f"{name}-"))

    def rows(self, name: str) -> tuple[Mapping[str, object], ...]:
        """The rows of all tables of that name; none if none was loaded."""
        return tuple(row for table in self.named(name) for row in table.rows)
