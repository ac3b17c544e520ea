"""Classic BPF programs, which the kernel runs before a packet is copied to us.

They keep the bulk of a busy host's traffic away from the recorder; what exactly is admitted is judged afterwards by
`fingerprint.live.admission`. All offsets are taken from the IP header, so one program serves every kind of interface.
Instruction set: Linux, Documentation/networking/filter.rst.
"""

from __future__ import annotations

import ctypes
import socket
from dataclasses import dataclass
from struct import pack

from fingerprint.live.ports import PortRange

# linux/filter.h: loads relative to the network header, and the Ethernet type of the packet.
NETWORK, PROTOCOL = 0xFFF00000, 0xFFFFF000
# linux/bpf_common.h
_LOAD_HALF, _LOAD_BYTE, _INDIRECT_HALF, _INDIRECT_BYTE, _IP_LENGTH = 0x28, 0x30, 0x48, 0x50, 0xB1
_EQUAL, _GREATER_OR_EQUAL, _ANY_BIT, _RETURN = 0x15, 0x35, 0x45, 0x06
# A or 0: nothing happens, so that a label has somewhere to stand.
_SAME = 0x44
# linux/if_ether.h
_IPV4, _IPV6 = 0x0800, 0x86DD
# asm-generic/socket.h
SO_ATTACH_FILTER = 26

TCP, UDP, ICMP, ICMP6, FRAGMENT = 6, 17, 1, 58, 44
# RFC 9293 section 3.1: where the control bits stand in a TCP header, and the one that opens a connection.
FLAGS_AT, SYN = 13, 2
IPV6_BYTES = 40


@dataclass(frozen=True, slots=True)
class Jump:
    """Where to go on, by label; None falls through to the next instruction."""

    code: int
    value: int
    yes: str | None = None
    no: str | None = None
    label: str | None = None


def assemble(program: list[Jump]) -> bytes:
    """The instructions as the kernel takes them, labels resolved."""
    at = {step.label: number for number, step in enumerate(program) if step.label}
    out = []
    for number, step in enumerate(program):
        yes = at[step.yes] - number - 1 if step.yes else 0
        no = at[step.no] - number - 1 if step.no else 0
        out.append(pack("=HBBI", step.code, yes, no, step.value))
    return b"".join(out)


def of_run(ports: PortRange) -> bytes:
    """TCP and UDP from or to these ports, all ICMP, and fragments."""
    return assemble(
        [
            Jump(_LOAD_HALF, PROTOCOL),
            Jump(_EQUAL, _IPV6, yes="six"),
            Jump(_EQUAL, _IPV4, no="drop"),
            Jump(_LOAD_BYTE, NETWORK + 9),
            Jump(_EQUAL, ICMP, yes="keep"),
            Jump(_EQUAL, TCP, yes="whole"),
            Jump(_EQUAL, UDP, no="drop"),
            Jump(_LOAD_HALF, NETWORK + 6, label="whole"),
            # RFC 791: a later fragment has no ports.
            Jump(_ANY_BIT, 0x1FFF, yes="keep"),
            Jump(_IP_LENGTH, NETWORK),
            *_ports(ports, "four", load=_INDIRECT_HALF, base=NETWORK),
            Jump(_RETURN, 0),
            Jump(_LOAD_BYTE, NETWORK + 6, label="six"),
            Jump(_EQUAL, ICMP6, yes="keep"),
            Jump(_EQUAL, FRAGMENT, yes="keep"),
            Jump(_EQUAL, TCP, yes="ports"),
            Jump(_EQUAL, UDP, no="drop"),
            *_ports(ports, "ports", load=_LOAD_HALF, base=NETWORK + IPV6_BYTES),
            Jump(_RETURN, 0, label="drop"),
            Jump(_RETURN, 0x40000, label="keep"),
        ]
    )


def of_ear(ports: PortRange) -> bytes:
    """How TCP connections of these ports begin, all ICMP, and everything of the ports for packets made by hand."""
    return assemble(
        [
            Jump(_LOAD_HALF, PROTOCOL),
            Jump(_EQUAL, _IPV6, yes="six"),
            Jump(_EQUAL, _IPV4, no="drop"),
            Jump(_LOAD_BYTE, NETWORK + 9),
            Jump(_EQUAL, ICMP, yes="keep"),
            Jump(_LOAD_HALF, NETWORK + 6),
            Jump(_ANY_BIT, 0x1FFF, yes="drop"),
            Jump(_IP_LENGTH, NETWORK),
            *_ports(ports.crafted, "four-crafted", load=_INDIRECT_HALF, base=NETWORK),
            Jump(_LOAD_BYTE, NETWORK + 9),
            Jump(_EQUAL, TCP, no="drop"),
            Jump(_INDIRECT_BYTE, NETWORK + FLAGS_AT),
            Jump(_ANY_BIT, SYN, no="drop"),
            *_ports(ports, "four", load=_INDIRECT_HALF, base=NETWORK),
            Jump(_RETURN, 0),
            Jump(_LOAD_BYTE, NETWORK + 6, label="six"),
            Jump(_EQUAL, ICMP6, yes="keep"),
            *_ports(ports.crafted, "six-crafted", load=_LOAD_HALF, base=NETWORK + IPV6_BYTES),
            Jump(_LOAD_BYTE, NETWORK + 6),
            Jump(_EQUAL, TCP, no="drop"),
            Jump(_LOAD_BYTE, NETWORK + IPV6_BYTES + FLAGS_AT),
            Jump(_ANY_BIT, SYN, no="drop"),
            *_ports(ports, "ports", load=_LOAD_HALF, base=NETWORK + IPV6_BYTES),
            Jump(_RETURN, 0, label="drop"),
            Jump(_RETURN, 0x40000, label="keep"),
        ]
    )


def _ports(ports: PortRange, name: str, *, load: int, base: int) -> list[Jump]:
    """Keep what has its source or destination port inside the range; everything else falls through."""
    return [
        Jump(load, base, label=name),
        Jump(_GREATER_OR_EQUAL, ports.first, no=f"{name}-other"),
        Jump(_GREATER_OR_EQUAL, ports.last + 1, no="keep"),
        Jump(load, base + 2, label=f"{name}-other"),
        Jump(_GREATER_OR_EQUAL, ports.first, no=f"{name}-neither"),
        Jump(_GREATER_OR_EQUAL, ports.last + 1, no="keep"),
        Jump(_SAME, 0, label=f"{name}-neither"),
    ]


def attach(sock: socket.socket, program: bytes) -> None:
    """Give a socket its filter. Raises OSError if the kernel refuses it."""
    instructions = ctypes.create_string_buffer(program, len(program))
    # struct sock_fprog: the number of instructions, and where they stand.
    sock.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, pack("@HP", len(program) // 8, ctypes.addressof(instructions)))
