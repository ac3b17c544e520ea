"""Which way packets to an address leave this machine, as the kernel itself says (rtnetlink(7)).

Asked over netlink, which needs neither privilege nor a program.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from struct import pack, unpack_from

from fingerprint.live.sockets import family_of

# linux/netlink.h, linux/rtnetlink.h
NETLINK_ROUTE, RTM_GETROUTE, NLM_F_REQUEST, NLMSG_ERROR = 0, 26, 1, 2
RTA_DST, RTA_OIF, RTA_GATEWAY, RTA_PREFSRC = 1, 4, 5, 7
HEADER_BYTES, ROUTE_BYTES = 16, 12
# linux/in.h, linux/in6.h: the MTU of a connected socket's path, as far as it is known.
IP_MTU, IPV6_MTU = 14, 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """The way to an address. ``why_not`` is empty where there is one."""

    address: str
    interface: str | None = None
    source: str | None = None
    gateway: str | None = None
    mtu_bytes: int | None = None
    why_not: str = ""


def route(address: str) -> Route:
    """The way to an address."""
    try:
        found = dict(_attributes(_ask(address)))
        interface = socket.if_indextoname(int.from_bytes(found[RTA_OIF], "little"))
        source, mtu_bytes = _source_and_mtu(address)
    except (OSError, KeyError) as error:
        why = error.strerror if isinstance(error, OSError) else "no interface leads there"
        return Route(address=address, why_not=_plain(address, str(why)))
    gateway = found.get(RTA_GATEWAY)
    return Route(
        address=address,
        interface=interface,
        source=source,
        gateway=socket.inet_ntop(family_of(address), gateway) if gateway else None,
        mtu_bytes=mtu_bytes,
    )


def interfaces(addresses: Iterable[str]) -> tuple[tuple[str, ...], tuple[Route, ...]]:
    """The interfaces that lead to these addresses, and the addresses to which none does."""
    ways = [route(address) for address in addresses]
    names = dict.fromkeys(way.interface for way in ways if way.interface)
    return tuple(names), tuple(way for way in ways if way.why_not)


def _plain(address: str, why: str) -> str:
    """For people."""
    kind = "IPv6" if ":" in address else "IPv4"
    return f"there is no {kind} route to {address} from this machine ({why.lower()})"


def _ask(address: str) -> bytes:
    family = family_of(address)
    packed = socket.inet_pton(family, address.partition("%")[0])
    body = pack("=BBBBBBBBI", family, len(packed) * 8, 0, 0, 0, 0, 0, 0, 0)
    body += pack("=HH", 4 + len(packed), RTA_DST) + packed
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_ROUTE) as sock:
        sock.send(pack("=IHHII", HEADER_BYTES + len(body), RTM_GETROUTE, NLM_F_REQUEST, 1, 0) + body)
        answer = sock.recv(1 << 14)
    (kind,) = unpack_from("=H", answer, 4)
    if kind == NLMSG_ERROR:
        (code,) = unpack_from("=i", answer, HEADER_BYTES)
        raise OSError(-code, os.strerror(-code))
    return answer


def _attributes(answer: bytes) -> Iterator[tuple[int, bytes]]:
    at = HEADER_BYTES + ROUTE_BYTES
    (end,) = unpack_from("=I", answer)
    while at + 4 <= end:
        length, kind = unpack_from("=HH", answer, at)
        if length < 4:
            return
        yield kind & 0x3FFF, answer[at + 4 : at + length]
        at += (length + 3) & ~3


def _source_and_mtu(address: str) -> tuple[str, int]:
    """As the kernel would choose them for a socket; connecting a datagram socket sends nothing."""
    with socket.socket(family_of(address), socket.SOCK_DGRAM) as sock:
        sock.connect((address, 9))
        six = sock.family == socket.AF_INET6
        level, option = (socket.IPPROTO_IPV6, IPV6_MTU) if six else (socket.IPPROTO_IP, IP_MTU)
        return str(sock.getsockname()[0]), sock.getsockopt(level, option)
