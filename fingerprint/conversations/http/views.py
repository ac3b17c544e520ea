"""What hosts answered in the clear, side by side: the same words from strangers, the same request answered otherwise.

A `View` is one request with its answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from heapq import nsmallest

from fingerprint.capture import Capture
from fingerprint.conversations.streams import Stream
from fingerprint.messages.http import HttpRequest, read_request
from fingerprint.messages.http_page import LOOKED_AT_BYTES, Page, read_page

# Fields that belong to one client (RFC 6265, RFC 9110 section 11).
_PERSONAL = ("cookie", "authorization", "proxy-authorization")
# RFC 9112 section 4.
_STATUS = re.compile(rb"HTTP/\d\.\d[ \t]+(\d{3})")
# RFC 9110 section 15.3: the request did what it should.
_SERVED = range(200, 300)


# A file that is longer is no page of refusal, and of it the first segment is enough.
LONGEST_PAGE_BYTES = 65_536


@dataclass(frozen=True, kw_only=True)
class View:
    """One request with its answer, as one client saw it; read when somebody asks."""

    stream: Stream
    host: str  # that was asked for, empty without one

    @cached_property
    def status(self) -> int | None:
        """From the first bytes of the answer alone."""
        found = _STATUS.match(self.stream.recording.payload(self.stream.answer_row)[:16])
        return int(found[1]) if found else None

    @cached_property
    def request(self) -> HttpRequest | None:
        """Its head; None for what is none."""
        head = self.stream.recording.payload(self.stream.request_row)
        if b"\r\n\r\n" not in head:
            head = self.stream.first_bytes(from_client=True, limit_bytes=LOOKED_AT_BYTES)
        return read_request(head, checked=False)

    @cached_property
    def page(self) -> Page:
        """The answer that the stream begins with, as its client put it together."""
        first = self.stream.recording.payload(self.stream.answer_row)
        if len(first) < self.stream.server_bytes <= LONGEST_PAGE_BYTES:
            return read_page(self.stream.first_bytes(from_client=False, limit_bytes=2 * LOOKED_AT_BYTES))
        return read_page(first)

    @property
    def comparable(self) -> bool:
        """A GET without credentials: what a server says to one who has logged in is nobody else's."""
        request = self.request
        return request is not None and request.method == "GET" and not any(map(request.header, _PERSONAL))

    @property
    def served(self) -> bool:
        """The request was answered by what it asked for."""
        return self.status in _SERVED and self.page.kind == "page"

    @property
    def where(self) -> tuple[str, str, int]:
        """Client and server."""
        return self.stream.client.address, self.stream.server.address, self.stream.server.port


def views(streams: Iterable[Stream]) -> tuple[View, ...]:
    """Every answered request that was not sent to die."""
    return tuple(
        View(stream=s, host=s.name or "")
        for s in streams
        if s.protocol == "http" and s.answer_row >= 0 and s.request_ttl_hops is None
    )


def nearest(view: View, beside: Iterable[View], *, most: int) -> list[View]:
    """Those of them that came nearest in time."""
    at = view.stream.first_ns
    return nsmallest(most, beside, key=lambda v: (abs(v.stream.first_ns - at), v.stream.first_ns))


def by_words(beside: Iterable[View]) -> dict[tuple[str, str, str], list[View]]:
    """Refusals and redirects by client and by what they say."""
    out: dict[tuple[str, str, str], list[View]] = {}
    for v in beside:
        gist = v.page.gist(v.host) if not v.served and v.page.kind in ("refusal", "redirect") else None
        if gist is not None:
            out.setdefault((v.stream.client.address, v.page.kind, gist), []).append(v)
    return out


def strangers(same: Iterable[View]) -> list[View]:
    """Of answers in the same words, one for each of the hosts that have nothing to do with each other."""
    found: dict[tuple[str, str], View] = {}
    domains: set[str] = set()
    networks: set[str] = set()
    for v in same:
        domain, network = _domain(v.host), _network(v.stream)
        if domain not in domains and network not in networks:
            found[domain, network] = v
            domains.add(domain)
            networks.add(network)
    return list(found.values())


def served_elsewhere(view: View, beside: Iterable[View]) -> list[View]:
    """The very same request, to the same server, that it served another client."""
    return [
        v
        for v in beside
        if v.stream.client.address != view.stream.client.address
        and v.stream.server == view.stream.server
        and v.host == view.host
        and v.comparable
        and (v.request and v.request.target) == (view.request and view.request.target)
        and v.served
    ]


def is_foreign(capture: Capture, view: View) -> bool:
    """Whether the host is known to live elsewhere, and not at the address that was asked for it."""
    homes = {address for lookup in capture.lookups if lookup.name == view.host for address in lookup.addresses}
    for script in capture.scripts.values():
        homes |= {a for name, addresses in script.homes if name == view.host for a in addresses}
    return bool(homes) and view.stream.server.address not in homes


def _domain(host: str) -> str:
    """The last two labels: a crude guess at who runs it, which calls strangers relatives rather than the reverse."""
    return ".".join(host.split(".")[-2:])


def _network(stream: Stream) -> str:
    address = stream.server.address
    cut = ":" if ":" in address else "."
    return cut.join(address.split(cut)[:2])
