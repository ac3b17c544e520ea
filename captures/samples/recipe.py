"""What a recipe is written with: a client on a network, sites, resolvers, visits and lookups, each at its time.

A recipe says who is where, which box sits on which router, who visits what and when; then `Scene.record` lets the time
pass and writes the capture. Nothing here knows how captures are judged: no constant and no parser is shared with the
code that reads them.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from captures.samples.recipe_boxes import Alter, Box, Drop, Forge, Freeze, Lose, Police, Shape, key_of, names
from captures.samples.recipe_dns import DnsClient, ForgeAnswer, Resolver, Stub, Zone
from captures.samples.recipe_http import HttpClient, HttpServer, response
from captures.samples.recipe_network import Line, Network
from captures.samples.recipe_packets import Packet
from captures.samples.recipe_tcp import App, Connection, Host
from captures.samples.recipe_tls import Preconnect, TlsClient, TlsServer, alert, client_hello, server_flight

__all__ = [
    "Alter",
    "App",
    "Box",
    "Connection",
    "Drop",
    "Forge",
    "ForgeAnswer",
    "Freeze",
    "HttpClient",
    "HttpServer",
    "Line",
    "Lose",
    "Packet",
    "Police",
    "Preconnect",
    "Scene",
    "Shape",
    "TlsClient",
    "TlsServer",
    "alert",
    "client_hello",
    "key_of",
    "names",
    "response",
    "server_flight",
]


class Scene:
    """One client and everything it can reach."""

    def __init__(self, seed: int, *, client: str = "39.45.170.21") -> None:
        self.net = Network(seed, client=client)
        self.client = Host(self.net, self.net.client)
        self.stub = Stub(self.net, self.client)
        self.next_port = self.net.rng.randrange(34000, 58000)

    def box(self, hop: int, box: Box) -> None:
        """Put a middlebox on router ``hop``, counted from the client."""
        self.net.box(hop, box)

    def site(
        self,
        address: str,
        *,
        rtt_s: float = 0.080,
        hops: int = 9,
        jitter_s: float = 0.0004,
        ttl_hops: int = 64,
        pages: dict[str, int] | None = None,
        manners: dict[str, str] | None = None,
        dscp: int = 0,
        think_s: float = 0.0,
    ) -> Host:
        """A web server: TLS on 443, HTTP on 80. ``manners`` says how it treats some names (see `TlsServer`)."""
        self.net.line(address, rtt_s=rtt_s, hops=hops, jitter_s=jitter_s)
        host = Host(self.net, address, ttl_hops=ttl_hops, dscp=dscp)
        host.listening[443] = lambda: TlsServer(pages, manners, think_s)
        host.listening[80] = lambda: HttpServer(manners)
        return host

    def resolver(
        self,
        address: str,
        zone: Zone,
        *,
        rtt_s: float = 0.018,
        hops: int = 5,
        ttl_hops: int = 64,
        think_s: float = 0.004,
        rotate: bool = False,
        ttl_s: int = 300,
        ttl_of: Callable[[int], int] | None = None,
    ) -> Resolver:
        """A recursive resolver with what it knows."""
        self.net.line(address, rtt_s=rtt_s, hops=hops, jitter_s=0.0006)
        host = Host(self.net, address, ttl_hops=ttl_hops)
        return Resolver(host, zone, think_s=think_s, rotate=rotate, ttl_s=ttl_s, ttl_of=ttl_of)

    def port(self) -> int:
        """The next source port, as a kernel gives them out."""
        self.next_port = 32768 + (self.next_port - 32768 + 2 * self.net.rng.randrange(1, 9)) % 28000
        return self.next_port

    def open(self, server: Host | str, app: App, *, at_s: float, port: int = 443) -> None:
        """Connect at a time."""
        address = server if isinstance(server, str) else server.address
        self.net.when(at_s, lambda: self.client.connect(address, port, app, source_port=self.port()) and None)

    def visit(
        self, server: Host | str, name: str, *, at_s: float, page_bytes: int = 8_000, via: str = "", **how: object
    ) -> None:
        """Fetch a page over TLS; with ``via``, look the name up at that resolver first and go where it says."""
        app = TlsClient(name, page_bytes=page_bytes, **how)  # type: ignore[arg-type]
        if not via:
            self.open(server, app, at_s=at_s)
            return

        def resolved(addresses: list[str]) -> None:
            if addresses:
                self.client.connect(addresses[0], 443, app, source_port=self.port())

        self.net.when(at_s, lambda: self.stub.ask(via, name, then=resolved))

    def fetch(self, server: Host | str, name: str, *, at_s: float, path: str = "/") -> None:
        """Fetch a page over plain HTTP."""
        self.open(server, HttpClient(name, path), at_s=at_s, port=80)

    def lookup(self, resolver: str, name: str, *, at_s: float, **how: object) -> None:
        """Ask a resolver, and do nothing with the answer."""
        self.net.when(at_s, lambda: self.stub.ask(resolver, name, **how))  # type: ignore[arg-type]

    def lookup_over_tcp(self, resolver: str, name: str, *, at_s: float) -> None:
        """Ask a resolver over TCP."""
        self.open(resolver, DnsClient(name), at_s=at_s, port=53)

    def record(self, file: Path, *, until_s: float, tap: str = "client", **how: object) -> None:
        """Let time pass and write what a tap saw (client, server, or ``hop n``)."""
        self.net.run(until_s)
        self.net.write(file, tap=tap, **how)  # type: ignore[arg-type]
