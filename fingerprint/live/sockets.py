"""Kernel sockets as the steps need them: bound to a port of the run, limited in hops, closed without an afterlife."""

from __future__ import annotations

import errno
import socket
from struct import pack, unpack_from

from fingerprint.live.ports import Ports

# linux/in.h, linux/in6.h: report ICMP errors of a UDP socket with the address that sent them.
IP_RECVERR, IPV6_RECVERR = 11, 25
# A port of the run may be held by another program by chance, or by a connection that is not over.
BIND_TRIES = 50
# linux/errqueue.h: struct sock_extended_err, behind which the address of the sender stands.
EXTENDED_ERROR_BYTES = 16
# linux/tcp.h, struct tcp_info: eight bytes, then rto, ato, snd_mss, rcv_mss and unacked, four bytes each.
TCPI_UNACKED_AT, TCP_INFO_BYTES = 24, 104


def family_of(address: str) -> socket.AddressFamily:
    """IPv4 or IPv6, by the look of the address."""
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def opened(address: str, ports: Ports, *, stream: bool, interface: str | None = None) -> socket.socket:
    """A socket for that address, at a fresh port of the run. Raises OSError if there is none."""
    kind = socket.SOCK_STREAM if stream else socket.SOCK_DGRAM
    sock = socket.socket(family_of(address), kind | socket.SOCK_NONBLOCK)
    try:
        if interface:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode())
        if sock.family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if stream:
            # TIME_WAIT of an earlier round does not keep the port; every piece is a segment of its own.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        else:
            report_errors(sock)
        bind(sock, ports)
    except OSError:
        sock.close()
        raise
    return sock


def bind(sock: socket.socket, ports: Ports) -> None:
    """At the next port that is free."""
    for _ in range(BIND_TRIES):
        try:
            sock.bind(("", ports.fresh()))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            continue
        return
    raise OSError(errno.EADDRINUSE, "no port of the run is free")


def report_errors(sock: socket.socket) -> None:
    """Let ICMP errors tell who sent them."""
    if sock.family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, IPV6_RECVERR, 1)
    else:
        sock.setsockopt(socket.IPPROTO_IP, IP_RECVERR, 1)


def limit(sock: socket.socket, ttl_hops: int) -> None:
    """From here on everything that this socket sends, retransmissions and its end too, goes that far and no farther."""
    if sock.family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, ttl_hops)
    else:
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, ttl_hops)


def abandon(sock: socket.socket) -> None:
    """Close it so that the kernel forgets what was not acknowledged, instead of sending it on for minutes."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, pack("@ii", 1, 0))
    sock.close()


def acknowledged(sock: socket.socket) -> bool:
    """Whether the far end has acknowledged all that was sent on this TCP socket."""
    told = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, TCP_INFO_BYTES)
    (unacknowledged_pkts,) = unpack_from("=I", told, TCPI_UNACKED_AT)
    return len(told) == TCP_INFO_BYTES and unacknowledged_pkts == 0


def complaints(sock: socket.socket) -> tuple[str, ...]:
    """The addresses that sent ICMP errors about this UDP socket's packets, oldest first; they are told once."""
    senders: list[str] = []
    while True:
        try:
            _, control, _, _ = sock.recvmsg(512, 512, socket.MSG_ERRQUEUE | socket.MSG_DONTWAIT)
        except OSError:
            return tuple(senders)
        for level, kind, told in control:
            if (level, kind) in ((socket.IPPROTO_IP, IP_RECVERR), (socket.IPPROTO_IPV6, IPV6_RECVERR)):
                senders.extend(sender(told))


def sender(told: bytes) -> tuple[str, ...]:
    """Who sent an ICMP error; empty if the kernel itself made it."""
    address = told[EXTENDED_ERROR_BYTES:]
    if len(address) < 8:
        return ()
    (family,) = unpack_from("=H", address)
    if family == socket.AF_INET:
        return (socket.inet_ntop(socket.AF_INET, address[4:8]),)
    return (socket.inet_ntop(socket.AF_INET6, address[8:24]),) if family == socket.AF_INET6 else ()
