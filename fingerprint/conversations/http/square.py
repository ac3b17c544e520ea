"""The square of Host and path: what became of each request in the clear at each address.

Facts for filtering by name, path and keyword: which requests failed without an answer and how, and which requests that
differ in one thing passed beside them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from heapq import nsmallest

from fingerprint.conversations.dns.lookups import Lookup
from fingerprint.conversations.http.request_forms import PLAIN, form
from fingerprint.conversations.openings import Opening, may_have_stalled, opening
from fingerprint.conversations.streams import Stream
from fingerprint.conversations.tls.names_and_addresses import BESIDE_S, FAILURES, LOOKED_AT
from fingerprint.messages.http import read_request

# Requests whose length differs by less than this fit through the same paths.
ALIKE_BYTES = 64
# A path of this one asks for nothing in particular.
ROOT = "/"


@dataclass(slots=True, kw_only=True)
class Asked:
    """All requests of one client for one Host and path at one address and port."""

    host: str
    path: str
    client: str
    address: str
    port: int
    failed: list[Opening] = field(default_factory=list)
    passed: list[Stream] = field(default_factory=list)
    evaded: list[Stream] = field(default_factory=list)  # passed, in a form that only a box may have missed

    @property
    def actions(self) -> frozenset[str]:
        """What the failures would be, if they were interference."""
        return frozenset(FAILURES[o.outcome] for o in self.failed)

    @property
    def largest_failed_bytes(self) -> int:
        """Size of the largest request that failed."""
        return max((o.request_bytes for o in self.failed), default=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpSquare:
    """Requests by place, and by client."""

    by_place: dict[tuple[str, str, int], list[Asked]]
    by_client: dict[str, list[Asked]]

    def failing(self) -> Iterator[Asked]:
        """Those with at least one failure, in order of first appearance."""
        return (a for same in self.by_place.values() for a in same if a.failed)

    def here(self, mine: Asked) -> list[Asked]:
        """All requests at the same place."""
        return self.by_place[mine.client, mine.address, mine.port]


def requests(streams: Iterable[Stream]) -> HttpSquare:
    """Every connection that began with a request and was not sent to die; nothing is read where nothing failed."""
    table = HttpSquare(by_place={}, by_client={})
    clear = [s for s in streams if s.protocol == "http" and s.request_ttl_hops is None]
    failed = [s for s in clear if not _passed(s)]
    clients = {s.client.address for s in failed}
    places, hosts = {(s.client.address, s.server) for s in failed}, {s.name for s in failed}
    found: dict[tuple[str, str, str, str, int], Asked] = {}
    for stream in clear:
        if stream.client.address not in clients:
            continue
        host = stream.name
        if not host:
            continue
        place = (stream.client.address, stream.server.address, stream.server.port)
        # Elsewhere, and for others, nobody asks which page it was.
        near = host in hosts or (stream.client.address, stream.server) in places
        key = (host, _path(stream) if near else ROOT, *place)
        if key not in found:
            found[key] = mine = Asked(host=key[0], path=key[1], client=place[0], address=place[1], port=place[2])
            table.by_place.setdefault(place, []).append(mine)
            table.by_client.setdefault(place[0], []).append(mine)
        first = None if _passed(stream) else opening(stream)
        if first is None or first.outcome == "answered":
            found[key].passed.append(stream)
        elif first.outcome in FAILURES:
            found[key].failed.append(first)
    for mine in found.values():
        _set_evasions_apart(mine)
    return table


def _set_evasions_apart(mine: Asked) -> None:
    """A request that fails as it stands and passes in another form did not pass: the server reads both alike."""
    if not mine.failed or not mine.passed:
        return
    failing = {form(o.stream, o) for o in mine.failed}
    mine.evaded = [s for s in mine.passed if form(s) not in failing | {PLAIN}]
    mine.passed = [s for s in mine.passed if not any(s is e for e in mine.evaded)]


def _passed(stream: Stream) -> bool:
    return stream.answered and not may_have_stalled(stream)


def _path(stream: Stream) -> str:
    head = stream.recording.payload(stream.request_row)
    if b"\r\n\r\n" not in head:
        head = stream.first_bytes(from_client=True, limit_bytes=16_384)
    request = read_request(head, checked=False)
    if request is None:
        return ROOT
    target = request.target
    if "://" in target[:12]:  # the form for proxies (RFC 9112 section 3.2.2)
        target = ROOT + target.split("://", 1)[1].partition("/")[2]
    return target


def nearest(beside: Iterable[Asked], mine: Asked) -> list[Opening]:
    """Openings that passed among these, nearest in time to the first failure."""
    at = mine.failed[0].stream.first_ns
    streams = (s for a in beside for s in a.passed)
    return [opening(s) for s in nsmallest(LOOKED_AT, streams, key=lambda s: (abs(s.first_ns - at), s.first_ns))]


def other_hosts(table: HttpSquare, mine: Asked) -> list[Opening]:
    """Other Hosts that pass at the same address, those with the same path if there are any."""
    others = [a for a in table.here(mine) if a.host != mine.host and a.passed]
    return nearest([a for a in others if a.path == mine.path] or others, mine)


def other_paths(table: HttpSquare, mine: Asked) -> list[Opening]:
    """Other paths of the same Host that pass at the same address."""
    return nearest([a for a in table.here(mine) if a.host == mine.host and a.path != mine.path], mine)


def passes_with_another_path(table: HttpSquare, mine: Asked) -> bool:
    """Whether the same client got another page of that Host from any address: then the Host alone is not minded."""
    return any(a.host == mine.host and a.path != mine.path and a.passed for a in table.by_client[mine.client])


def same_path(table: HttpSquare, mine: Asked) -> tuple[list[Opening], list[Asked]]:
    """The same path under other Hosts at the same address: openings that passed, and requests that failed alike."""
    others = [a for a in table.here(mine) if a.host != mine.host and a.path == mine.path]
    alike = [a for a in others if a.failed and not a.passed and a.actions & mine.actions]
    # Only a Host that passes with some other path there shows that it is not the Host's doing.
    hosts = {a.host for a in table.here(mine) if a.passed}
    return nearest(others, mine), [a for a in alike if a.host in hosts]


def other_elsewhere(table: HttpSquare, mine: Asked) -> Opening | None:
    """A passing request of another Host at another address within a minute, as long as this one."""
    at, size = mine.failed[0].stream.first_ns, mine.largest_failed_bytes
    others = [a for a in table.by_client[mine.client] if a.host != mine.host and a.address != mine.address]
    for o in nearest(others, mine):
        if abs(o.stream.first_ns - at) <= BESIDE_S * 1e9 and abs(o.request_bytes - size) < ALIKE_BYTES:
            return o
    return None


def works_otherwise(beside: Iterable[Stream], mine: Asked) -> list[Stream]:
    """Of the streams to an address, those of the same client to another port that were answered, within a minute."""
    return [
        s
        for s in beside
        if s.client.address == mine.client
        and s.server.port != mine.port
        and s.server_bytes
        and s.client_bytes
        and any(abs(s.first_ns - o.stream.first_ns) <= BESIDE_S * 1e9 for o in mine.failed)
    ]


def others_fail_here(table: HttpSquare, mine: Asked) -> list[Asked]:
    """Other Hosts that fail as this one does, if nothing at all passes there."""
    same = table.here(mine)
    if any(a.passed for a in same):
        return []
    return [a for a in same if a.host != mine.host and a.actions & mine.actions]


def fails_elsewhere(table: HttpSquare, mine: Asked) -> list[Asked]:
    """The same Host, failing alike at addresses of other networks."""
    return [
        a
        for a in table.by_client[mine.client]
        if a.host == mine.host and _network(a.address) != _network(mine.address) and a.actions & mine.actions
    ]


def pair(mine: Asked, controls: Sequence[Opening], lookups: Sequence[Lookup]) -> tuple[str, Opening]:
    """What controls at the same address are worth, and the one that shows it: here, later, decides or foreign."""
    meanwhile = [o for o in controls if _meanwhile(o, mine)]
    if not meanwhile:
        return "later", controls[0]
    several = len(mine.failed) >= 2 and len(controls) >= 2 and not mine.passed
    for o in controls if several else ():
        homes = {a for lookup in lookups if lookup.name == o.stream.name for a in lookup.addresses}
        if homes and mine.address not in homes:
            return "foreign", o
    return ("decides" if several else "here"), meanwhile[0]


def _meanwhile(control: Opening, mine: Asked) -> bool:
    first = mine.failed[0].stream.first_ns
    return first < control.stream.first_ns < max(o.stream.last_ns for o in mine.failed)


def _network(address: str) -> str:
    cut = ":" if ":" in address else "."
    return cut.join(address.split(cut)[:2])
