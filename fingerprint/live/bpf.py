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
_EQUAL, _GREATER_OR_EQUAL, _ANY_BIT, _LOAD_X, _RETURN = 0x15, 0x35, 0x45, 0x01, 0x06
# linux/if_ether.h
_IPV4, _IPV6 = 0x0800, 0x86DD
# asm-generic/socket.h
SO_ATTACH_FILTER = 26

TCP, UDP, ICMP, ICMP6, FRAGMENT = 6, 17, 1, 58, 44


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


def _ports(ports: PortRange, yes: str, *, indirect: bool) -> list[Jump]:
    """Source or destination port inside the range: go to ``yes``; otherwise fall through."""
    load, base = (_INDIRECT_HALF, NETWORK) if indirect else (_LOAD_HALF, NETWORK + 40)
    name = "four" if indirect else "six"
    return [
        Jump(load, base),
        Jump(_GREATER_OR_EQUAL, ports.first, no=f"{name}-other"),
        Jump(_GREATER_OR_EQUAL, ports.last + 1, no=yes),
        Jump(load, base + 2, label=f"{name}-other"),
        Jump(_GREATER_OR_EQUAL, ports.first, no=f"{name}-next"),
        Jump(_GREATER_OR_EQUAL, ports.last + 1, no=yes),
    ]


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
            *_ports(ports, "keep", indirect=True),
            Jump(_RETURN, 0, label="four-next"),
            Jump(_LOAD_BYTE, NETWORK + 6, label="six"),
            Jump(_EQUAL, ICMP6, yes="keep"),
            Jump(_EQUAL, FRAGMENT, yes="keep"),
            Jump(_EQUAL, TCP, yes="six-ports"),
            Jump(_EQUAL, UDP, no="drop"),
            *_labelled(_ports(ports, "keep", indirect=False), "six-ports"),
            Jump(_RETURN, 0, label="six-next"),
            Jump(_RETURN, 0, label="drop"),
            Jump(_RETURN, 0x40000, label="keep"),
        ]
    )


def _labelled(steps: list[Jump], label: str) -> list[Jump]:
    first, *rest = steps
    return [Jump(first.code, first.value, first.yes, first.no, label), *rest]


def attach(sock: socket.socket, program: bytes) -> None:
    """Give a socket its filter. Raises OSError if the kernel refuses it."""
    instructions = ctypes.create_string_buffer(program, len(program))
    # struct sock_fprog: the number of instructions, and where they stand.
    sock.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, pack("@HP", len(program) // 8, ctypes.addressof(instructions)))
