"""DNS: a stub that asks, resolvers that answer from a zone, and injectors that answer first."""

# Boxes and programs share one signature each, whether they need all of it or not.
# ruff: noqa: ARG002

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from scapy.layers.dns import DNS, DNSQR, DNSRR

from captures.samples.recipe_network import Box, Line, Network
from captures.samples.recipe_packets import Packet
from captures.samples.recipe_tcp import App, Connection, Host

Zone = dict[str, tuple[str, ...]]
A_TYPE, AAAA_TYPE = 1, 28
# RFC 1035 section 4.1.1.
SERVFAIL, NXDOMAIN, REFUSED = 2, 3, 5


def query(name: str, *, identity: int, kind: int = A_TYPE) -> bytes:
    """A recursive query for one name."""
    return DNS(id=identity, rd=1, qd=DNSQR(qname=name, qtype=kind)).build()


def answer(
    asked: bytes, addresses: Iterable[str], *, ttl_s: int = 300, aa: int = 0, ra: int = 1, rcode: int = 0
) -> bytes:
    """The answer to a query, one record an address."""
    q = DNS(asked)
    name = q.qd[0].qname
    kind = q.qd[0].qtype
    right = [a for a in addresses if (":" in a) == (kind == AAAA_TYPE)]
    records = [DNSRR(rrname=name, type=kind, ttl=ttl_s, rdata=a) for a in right]
    return DNS(id=q.id, qr=1, rd=q.rd, ra=ra, aa=aa, rcode=rcode, qd=DNSQR(qname=name, qtype=kind), an=records).build()


def name_asked(payload: bytes) -> str:
    """The name in a query, in lower case and without its final dot."""
    return DNS(payload).qd[0].qname.decode().rstrip(".").lower()


def reply_to(p: Packet, payload: bytes, **changes: object) -> Packet:
    """A datagram that goes back the way a query came."""
    same = replace(
        p,
        source=p.destination,
        destination=p.source,
        source_port=p.destination_port,
        destination_port=p.source_port,
        payload=payload,
        ttl_hops=64,
    )
    return replace(same, **changes)  # type: ignore[arg-type]


class Resolver:
    """Answers from its zone after a moment's thought, over UDP and TCP; names outside it do not exist."""

    def __init__(
        self,
        host: Host,
        zone: Zone,
        *,
        think_s: float = 0.004,
        rotate: bool = False,
        ttl_s: int = 300,
        ttl_of: Callable[[int], int] | None = None,
    ) -> None:
        self.host, self.zone, self.think_s, self.rotate, self.ttl_s = host, zone, think_s, rotate, ttl_s
        self.ttl_of = ttl_of or (lambda _: host.ttl_hops)
        self.turn, self.ip_id = 0, host.net.rng.randrange(65536)
        self.codes: dict[str, int] = {}  # name → the bare code that is answered for it
        self.recursive, self.elsewhere_code = True, NXDOMAIN  # whether it asks others, and what it says of their names
        host.udp = self.asked
        host.listening[53] = lambda: _DnsOverTcp(self)

    def reply(self, asked: bytes) -> bytes:
        """What this resolver says."""
        name = name_asked(asked)
        addresses = self.zone.get(name)
        flags = {"aa": int(not self.recursive), "ra": int(self.recursive)}
        if addresses is None or name in self.codes:
            return answer(asked, (), rcode=self.codes.get(name, self.elsewhere_code), **flags)
        if self.rotate:
            at = self.turn % len(addresses)
            addresses = addresses[at:] + addresses[:at]
        self.turn += 1
        # A cache counts down.
        age_s = (self.host.net.now_ns - self.host.net.start_ns) // 10**9
        return answer(asked, addresses, ttl_s=self.ttl_s - age_s % self.ttl_s, **flags)

    def asked(self, p: Packet) -> None:
        """A query over UDP."""
        if p.destination_port != 53:
            return
        self.ip_id = (self.ip_id + self.host.net.rng.randrange(1, 9)) & 0xFFFF
        back = reply_to(
            p, self.reply(p.payload), ttl_hops=self.ttl_of(self.turn), ip_id=self.ip_id, df=False, dscp=self.host.dscp
        )
        self.host.net.at(self.think_s, lambda: self.host.net.send(back))


class _DnsOverTcp(App):
    def __init__(self, resolver: Resolver) -> None:
        self.resolver = resolver

    def received(self, connection: Connection, data: bytes) -> None:
        """One query, one answer."""
        back = self.resolver.reply(data[2:])
        connection.send(len(back).to_bytes(2, "big") + back)


class DnsClient(App):
    """Asks one question over TCP and closes."""

    def __init__(self, name: str) -> None:
        self.name = name

    def opened(self, connection: Connection) -> None:
        """Ask."""
        asked = query(self.name, identity=connection.net.rng.getrandbits(16))
        connection.send(len(asked).to_bytes(2, "big") + asked)

    def received(self, connection: Connection, data: bytes) -> None:
        """Answered."""
        connection.close()


class ForgeAnswer(Box):
    """On-path: answers queries for some names with its own address, at once or after a delay."""

    def __init__(
        self,
        names: Iterable[str],
        addresses: Iterable[str],
        *,
        after_s: float = 0.0003,
        copies: int = 1,
        ttl_hops: int | None = 128,
        aa: int = 1,
        rcode: int = 0,
        record_ttl_s: int = 120,
        swallow: bool = False,
    ) -> None:
        self.names, self.addresses, self.after_s, self.copies = tuple(names), tuple(addresses), after_s, copies
        self.ttl_hops, self.aa, self.rcode, self.record_ttl_s = ttl_hops, aa, rcode, record_ttl_s
        self.swallow = swallow
        self.last_ttl_hops: dict[str, int] = {}

    def see(self, packet: Packet, line: Line, *, outbound: bool) -> Iterable[Packet]:
        """The query passes on; our answer goes back. Without a TTL of its own, the device uses the resolver's."""
        if packet.protocol != "udp" or 53 not in (packet.source_port, packet.destination_port):
            return (packet,)
        if not outbound:
            self.last_ttl_hops[packet.source] = packet.ttl_hops
            return (packet,)
        if name_asked(packet.payload) not in self.names:
            return (packet,)
        own = self.last_ttl_hops.get(packet.destination, 60) if self.ttl_hops is None else self.ttl_hops
        for i in range(self.copies):
            payload = answer(
                packet.payload, self.addresses, ttl_s=self.record_ttl_s, aa=self.aa, rcode=self.rcode, ra=1
            )
            forged = reply_to(packet, payload, ttl_hops=own, ip_id=self.net.rng.randrange(65536), df=bool(i % 2))
            self.inject(forged, line, outbound=False, after_s=self.after_s + 0.0002 * i)
        return () if self.swallow else (packet,)


class Stub:
    """The client's resolver library: asks over UDP, listens, retries if told to."""

    def __init__(self, net: Network, host: Host) -> None:
        self.net, self.host = net, host
        self.waiting: dict[tuple[int, int], Callable[[list[str]], None]] = {}
        self.ip_id = net.rng.randrange(65536)
        host.udp = self.answered

    def ask(
        self,
        resolver: str,
        name: str,
        *,
        kind: int = A_TYPE,
        retry_s: float = 0.0,
        then: Callable[[list[str]], None] = lambda _: None,
    ) -> None:
        """Ask once, or once more after ``retry_s`` with the same id and port if nothing came."""
        identity, port = self.net.rng.getrandbits(16), self.net.rng.randrange(32768, 60999)
        self.waiting[identity, port] = then

        def send() -> None:
            self.ip_id = (self.ip_id + self.net.rng.randrange(1, 40)) & 0xFFFF
            self.net.send(
                Packet(
                    source=self.net.client,
                    destination=resolver,
                    protocol="udp",
                    ip_id=self.ip_id,
                    source_port=port,
                    destination_port=53,
                    payload=query(name, identity=identity, kind=kind),
                )
            )

        send()
        if retry_s:
            self.net.at(retry_s, lambda: send() if (identity, port) in self.waiting else None)

    def answered(self, p: Packet) -> None:
        """The first answer counts."""
        if p.source_port != 53:
            return
        message = DNS(p.payload)
        then = self.waiting.pop((message.id, p.destination_port), None)
        if then is not None:
            then([rr.rdata for rr in (message.an or ()) if rr.type in (A_TYPE, AAAA_TYPE)])
