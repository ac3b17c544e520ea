"""What hosts answered in the clear, side by side: the same words from strangers, the same request answered otherwise.

A `View` is one request with its answer. Only GETs without credentials are compared: what a server says to one who has
logged in is nobody else's.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from fingerprint.capture import Capture
from fingerprint.conversations.streams import Stream
from fingerprint.messages.http import HttpRequest
from fingerprint.messages.http_page import LOOKED_AT_BYTES, Page, read_page

# Fields that belong to one client (RFC 6265, RFC 9110 section 11).
_PERSONAL = ("cookie", "authorization", "proxy-authorization")
# RFC 9110 section 15.3: the request did what it should.
_SERVED = range(200, 300)


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One request with its answer, as one client saw it."""

    stream: Stream
    request: HttpRequest
    page: Page

    @property
    def host(self) -> str:
        """The Host that was asked for, empty without one."""
        return self.request.host or ""

    @property
    def served(self) -> bool:
        """The request was answered by what it asked for."""
        return self.page.status in _SERVED and self.page.kind == "page"

    @property
    def where(self) -> tuple[str, str, int]:
        """Client and server."""
        return self.stream.client.address, self.stream.server.address, self.stream.server.port


def views(capture: Capture) -> tuple[View, ...]:
    """Every answered GET without credentials that was not sent to die."""
    out = []
    for stream in capture.streams:
        if stream.protocol != "http" or stream.answer_row < 0 or stream.request_ttl_hops is not None:
            continue
        request = stream.http_request
        if request is None or request.method != "GET" or any(request.header(name) for name in _PERSONAL):
            continue
        out.append(View(stream=stream, request=request, page=first_page(stream)))
    return tuple(out)


def first_page(stream: Stream) -> Page:
    """The answer that the stream begins with, as its client put it together."""
    return read_page(stream.first_bytes(from_client=False, limit_bytes=2 * LOOKED_AT_BYTES))


def others_served(view: View, beside: Iterable[View]) -> list[View]:
    """Other hosts that one server served the same client."""
    return [v for v in beside if v.where == view.where and v.host != view.host and v.served]


def strangers(view: View, beside: Sequence[View], *, hosts: int) -> list[View]:
    """The same words for hosts that have nothing to do with it, from other networks; empty below that many hosts."""
    gist = view.page.gist(view.host)
    if gist is None or view.page.kind not in ("refusal", "redirect"):
        return []
    found = {(_domain(view.host), _network(view.stream)): view}
    for v in beside:
        new = (_domain(v.host), _network(v.stream))
        if any(new[0] == domain or new[1] == network for domain, network in found):
            continue
        if v.stream.client.address != view.stream.client.address or v.page.kind != view.page.kind:
            continue
        if v.page.gist(v.host) == gist:
            found[new] = v
    return [v for v in found.values() if v is not view] if len(found) >= hosts else []


def served_elsewhere(view: View, beside: Iterable[View]) -> list[View]:
    """The very same request, to the same server, that it served another client."""
    return [
        v
        for v in beside
        if v.stream.client.address != view.stream.client.address
        and v.stream.server == view.stream.server
        and v.host == view.host
        and v.request.target == view.request.target
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
