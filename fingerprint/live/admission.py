"""Which packets are the run's own: everything else on this machine never reaches the disk.

A packet is admitted if one end is a source port of the run and the other an address that the run has to do with, if it
is an ICMP error that quotes such a packet, or a later fragment of one. Nothing else is, not even a packet to the same
server from another program.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable
from struct import error as struct_error
from struct import unpack_from

from fingerprint.live.ports import PortRange

TCP, UDP, ICMP, ICMP6 = 6, 17, 1, 58
# RFC 792 and RFC 4443 section 2.1: the errors, which quote the packet they are about.
ERRORS, ERRORS6 = frozenset({3, 4, 5, 11, 12}), frozenset({1, 2, 3, 4})
# RFC 8200 section 4: headers that stand before the transport's; 44 is the fragment header, always 8 bytes.
EXTENSIONS, FRAGMENT = frozenset({0, 43, 60}), 44
# Datagrams of which a first fragment was admitted and later ones may follow.
REMEMBERED_DATAGRAMS = 64


class Admission:
    """What is admitted. Addresses may be added while the run goes on."""

    def __init__(self, ports: PortRange, addresses: Iterable[str] = ()) -> None:
        """``addresses`` are those of targets, controls and resolvers, as text."""
        self._first, self._last = ports.first, ports.last
        self._addresses: set[bytes] = set()
        self._datagrams: dict[bytes, None] = {}
        self.add(addresses)

    def add(self, addresses: Iterable[str]) -> None:
        """The run has to do with these as well."""
        self._addresses.update(packed(address) for address in addresses)

    def admits(self, packet: memoryview | bytes) -> bool:
        """Whether this packet, IP header first, is the run's own. False for whatever cannot be read."""
        try:
            version = packet[0] >> 4
            if version == 4:
                return self._four(packet)
            return version == 6 and self._six(packet)
        except (IndexError, ValueError, struct_error):
            return False

    def _four(self, packet: memoryview | bytes) -> bool:
        protocol, source, destination = packet[9], bytes(packet[12:16]), bytes(packet[16:20])
        size = (packet[0] & 15) * 4
        word = packet[6] << 8 | packet[7]
        datagram = bytes(packet[4:6]) + bytes(packet[9:10]) + source + destination
        if word & 0x1FFF:
            return datagram in self._datagrams
        if protocol == ICMP:
            return packet[size] in ERRORS and self._quoted(packet[size + 8 :])
        admitted = protocol in (TCP, UDP) and self._ends(packet, size, source, destination)
        if admitted and word & 0x2000:
            self._remember(datagram)
        return admitted

    def _six(self, packet: memoryview | bytes) -> bool:
        source, destination = bytes(packet[8:24]), bytes(packet[24:40])
        protocol, at, fragment = transport(packet)
        if fragment is not None:
            datagram = fragment[1] + source + destination
            if fragment[0]:
                return datagram in self._datagrams
        if protocol == ICMP6:
            return packet[at] in ERRORS6 and self._quoted(packet[at + 8 :])
        admitted = protocol in (TCP, UDP) and self._ends(packet, at, source, destination)
        if admitted and fragment is not None:
            self._remember(datagram)
        return admitted

    def _quoted(self, packet: memoryview | bytes) -> bool:
        if packet[0] >> 4 == 4:
            size = (packet[0] & 15) * 4
            return packet[9] in (TCP, UDP) and self._ends(packet, size, bytes(packet[12:16]), bytes(packet[16:20]))
        protocol, at, _ = transport(packet)
        return protocol in (TCP, UDP) and self._ends(packet, at, bytes(packet[8:24]), bytes(packet[24:40]))

    def _ends(self, packet: memoryview | bytes, at: int, source: bytes, destination: bytes) -> bool:
        sport = packet[at] << 8 | packet[at + 1]
        dport = packet[at + 2] << 8 | packet[at + 3]
        return (self._first <= sport <= self._last and destination in self._addresses) or (
            self._first <= dport <= self._last and source in self._addresses
        )

    def _remember(self, datagram: bytes) -> None:
        if len(self._datagrams) >= REMEMBERED_DATAGRAMS:
            del self._datagrams[next(iter(self._datagrams))]
        self._datagrams[datagram] = None


def transport(packet: memoryview | bytes) -> tuple[int, int, tuple[int, bytes] | None]:
    """Of an IPv6 packet: protocol, where it begins, and (offset, id) of the fragment header if there is one."""
    protocol, at = packet[6], 40
    fragment = None
    while protocol in EXTENSIONS or protocol == FRAGMENT:
        following = packet[at]
        if protocol == FRAGMENT:
            fragment = (unpack_from("!H", packet, at + 2)[0] >> 3, bytes(packet[at + 4 : at + 8]))
            if fragment[0]:
                return following, at + 8, fragment
            at += 8
        else:
            at += (packet[at + 1] + 1) * 8
        protocol = following
    return protocol, at, fragment


def packed(address: str) -> bytes:
    """The bytes of an address; a zone after % is left out."""
    plain = address.partition("%")[0]
    return socket.inet_pton(socket.AF_INET6 if ":" in plain else socket.AF_INET, plain)
