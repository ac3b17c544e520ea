"""Names to addresses, once, before the first step; and which resolvers this machine uses."""

from __future__ import annotations

import concurrent.futures
import ipaddress
import json
import os
import socket
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from fingerprint.live.privileges import Account, drop

RESOLV_CONF, HOSTS = Path("/etc/resolv.conf"), Path("/etc/hosts")
# resolv.conf(5): two tries of five seconds for each of three servers.
PATIENCE_S = 30.0
# A handshake and an answer, each sent again once.
TCP_PATIENCE_S = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """A name with its addresses. ``why_not`` is empty where there are any."""

    name: str
    addresses: tuple[str, ...] = ()
    why_not: str = ""


def system_resolvers(path: Path = RESOLV_CONF) -> tuple[str, ...]:
    """The name servers of this machine, in its order; none if it has none."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ()
    words = [line.split() for line in lines]
    found = (w[1] for w in words if len(w) > 1 and w[0] == "nameserver" and is_address(w[1]))
    return tuple(dict.fromkeys(found))


def is_address(text: str) -> bool:
    """Whether it is an IPv4 or IPv6 address."""
    try:
        ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    return True


def without_asking(name: str, hosts: Path = HOSTS) -> tuple[str, ...]:
    """The addresses that this machine knows without a packet: the name is an address, or stands in its hosts file."""
    if is_address(name):
        return (name,)
    try:
        lines = hosts.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ()
    words = [line.partition("#")[0].split() for line in lines]
    return tuple(dict.fromkeys(w[0] for w in words if name in w[1:] and is_address(w[0])))


def resolve_apart(names: Iterable[str], account: Account, resolvers: Sequence[str] = ()) -> dict[str, Resolved]:
    """As `resolve`, by a child that has dropped its privileges: answers are strangers' bytes."""
    wanted = list(dict.fromkeys(names))
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(reading)
            drop(account)
            told = json.dumps([asdict(found) for found in resolve(wanted, resolvers).values()]).encode()
            with os.fdopen(writing, "wb") as out:
                out.write(told)
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as told_by_child:
        told = told_by_child.read()
    os.waitpid(child, 0)
    if not told:
        return {name: Resolved(name=name, why_not=f"{name} could not be looked up; name an address") for name in wanted}
    return {r["name"]: Resolved(**{**r, "addresses": tuple(r["addresses"])}) for r in json.loads(told)}


def resolve(names: Iterable[str], resolvers: Sequence[str] = ()) -> dict[str, Resolved]:
    """Every name by the system's own means, and by the resolvers that were named, side by side.

    The named ones are asked over TCP: what is forged in a race is forged over UDP, and nobody's host should be visited
    because a forger gave its address.
    """
    wanted = list(dict.fromkeys(names))
    pool = concurrent.futures.ThreadPoolExecutor(max_workers=16)
    try:
        asked = {name: pool.submit(one, name) for name in wanted}
        also = {name: [pool.submit(over_tcp, name, r) for r in resolvers] for name in wanted}
        return {name: _joined(_answer(name, asking), also[name]) for name, asking in asked.items()}
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _answer(name: str, asking: concurrent.futures.Future[Resolved]) -> Resolved:
    try:
        return asking.result(PATIENCE_S)
    except TimeoutError:
        return Resolved(
            name=name, why_not=f"{name} does not resolve (no answer); check the resolver, or name an address"
        )


def _joined(system: Resolved, others: Iterable[concurrent.futures.Future[tuple[str, ...]]]) -> Resolved:
    """What the system says first, then what the other resolvers add."""
    more = [address for asking in others for address in asking.result()]
    addresses = tuple(dict.fromkeys((*system.addresses, *more)))
    return Resolved(name=system.name, addresses=addresses, why_not="" if addresses else system.why_not)


def over_tcp(name: str, resolver: str) -> tuple[str, ...]:
    """The addresses that one resolver gives over TCP; none if it does not answer in time, or knows none."""
    import dns.exception
    import dns.message
    import dns.query
    import dns.rdatatype

    found: list[str] = []
    for rtype in ("A", "AAAA") if not is_address(name) else ():
        try:
            answer = dns.query.tcp(dns.message.make_query(name, rtype), resolver, timeout=TCP_PATIENCE_S)
        except (dns.exception.DNSException, OSError, ValueError, EOFError):
            continue
        wanted = dns.rdatatype.from_text(rtype)
        found += [record.to_text() for s in answer.answer if s.rdtype == wanted for record in s]
    return tuple(found)


def one(name: str) -> Resolved:
    """One name."""
    if is_address(name):
        return Resolved(name=name, addresses=(name,))
    try:
        found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else "it is no host name"
        return Resolved(
            name=name, why_not=f"{name} does not resolve ({why[:1].lower()}{why[1:]}); check it, or name an address"
        )
    return Resolved(name=name, addresses=tuple(dict.fromkeys(str(info[4][0]) for info in found)))
