"""Everything that a live run needs, opened in the order that lets privileges go as early as possible.

Files and sockets first, while there is a right to; then privileges are dropped; then the recording process is started,
which inherits what is left, and only then is a byte of the network read.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from captures.errors import FingerprintError, PrivilegeError, TargetError
from fingerprint.live import bpf, dumpcap, insertion, packet_sockets, privileges, recorder, routes
from fingerprint.live.clock import Clock
from fingerprint.live.ear import Ear
from fingerprint.live.guard import Guard
from fingerprint.live.insertion import Inserter
from fingerprint.live.kernel import Wire
from fingerprint.live.packet_sockets import PacketSocket
from fingerprint.live.ports import PortRange, Ports, reserve
from fingerprint.live.privileges import Account
from fingerprint.live.recorder import Recorder, Work
from fingerprint.live.runs import RunFiles

REMEDY = "run it with sudo, or install dumpcap and join the group that may run it (fingerprint doctor says how)"


@dataclass(slots=True, kw_only=True)
class Rig:
    """A live run's means. ``notes`` are sentences about what is missing and what that costs."""

    wire: Wire
    recorder: Recorder
    clock: Clock
    ports: Ports
    notes: list[str] = field(default_factory=list)

    def close(self) -> None:
        """End the recording process and give everything back."""
        self.wire.close()
        self.recorder.stop()
        self.ports.close()


def usable(addresses: Collection[str], interface: str | None) -> tuple[tuple[str, ...], tuple[str, ...], list[str]]:
    """Interfaces to record on, the addresses that can be reached, and a sentence for each that cannot.

    Raises TargetError for an interface that does not exist.
    """
    if interface and interface not in (names := interface_names()):
        raise TargetError(f"-i {interface}: there is no such interface; choose from {', '.join(names)}")
    found, without = routes.interfaces(dict.fromkeys(addresses))
    unreachable = {way.address for way in without}
    left = tuple(address for address in dict.fromkeys(addresses) if address not in unreachable)
    return (interface,) if interface else found, left, [f"{way.why_not}; it is left out" for way in without]


def interface_names() -> list[str]:
    """Of this network namespace."""
    import socket

    return [name for _, name in socket.if_nameindex()]


def set_up(
    *,
    files: RunFiles,
    account: Account,
    addresses: Sequence[str],
    interfaces: Sequence[str],
    interface: str | None,
    seed: int,
    capture_all: bool,
) -> Rig:
    """Open everything, drop privileges, and record. Raises FingerprintError if recording is not possible."""
    ports, clock = reserve(), Clock()
    notes: list[str] = []
    sources: list[PacketSocket] = []
    inserter = None
    commands: list[list[str]] = []
    try:
        sources = ears_of(interfaces, None if capture_all else bpf.of_run(ports.block))
        inserter = hands(interfaces, interface, ports.block, notes)
    except PrivilegeError:
        commands = dumpcap_instead(interfaces, ports.block, capture_all=capture_all)
        notes.append("decoys and crafted packets are left out: they need CAP_NET_RAW")
    work = Work(
        file=files.capture_descriptor,
        ports=ports.block,
        addresses=addresses,
        base_ns=clock.base_ns,
        capture_all=capture_all,
        sockets=sources,
        dumpcap=commands,
    )
    # A program with capabilities of its own could not use them after privileges were dropped for good.
    recording = recorder.start(work) if commands else None
    files.hand_over(account.uid, account.gid)
    load()
    privileges.drop(account)
    if account.why_not:
        notes.append(account.why_not)
    recording = recording or recorder.start(work)
    wire = Wire(
        path=files.capture,
        ports=ports,
        recorder=recording,
        clock=clock,
        addresses=addresses,
        seed=seed,
        interface=interface,
        inserter=inserter,
    )
    return Rig(wire=wire, recorder=recording, clock=clock, ports=ports, notes=notes)


def load() -> None:
    """Import now what is wanted later, while whatever it looks at can be read."""
    import dns.message
    import dns.rdtypes.ANY
    import dns.rdtypes.IN  # noqa: F401

    from fingerprint.probing import crafting, engine  # noqa: F401


def ears_of(interfaces: Sequence[str], program: bytes | None) -> list[PacketSocket]:
    """A socket on each interface. Raises PrivilegeError without CAP_NET_RAW, FingerprintError for a lost interface."""
    opened: list[PacketSocket] = []
    try:
        for name in interfaces:
            opened.append(packet_sockets.open_on(name, program))
    except OSError as error:
        for source in opened:
            source.sock.close()
        if isinstance(error, PrivilegeError):
            raise
        raise FingerprintError(f"{name} cannot be heard ({error.strerror}); is it up? try ip link") from None
    return opened


def hands(interfaces: Sequence[str], interface: str | None, block: PortRange, notes: list[str]) -> Inserter:
    """Raw sockets with an ear, and a guard if one can be had. Raises PrivilegeError without CAP_NET_RAW."""
    raw = insertion.open_raw(interface)
    ear = Ear(ears_of(interfaces, bpf.of_ear(block)))
    guard = None
    try:
        guard = Guard(block.crafted, insertion.MARK)
    except PrivilegeError as error:
        notes.append(f"handshakes of our own are left out: {error}")
    return Inserter(raw, ear, guard, interface)


def dumpcap_instead(interfaces: Sequence[str], block: PortRange, *, capture_all: bool) -> list[list[str]]:
    """What records instead of us. Raises PrivilegeError if nothing may."""
    program = dumpcap.find()
    if program is None:
        raise PrivilegeError(f"recording needs CAP_NET_RAW, and dumpcap is not installed; {REMEDY}")
    for name in interfaces:
        if not dumpcap.may_record(program, name):
            raise PrivilegeError(f"neither this process nor dumpcap may record on {name}; {REMEDY}")
    return [dumpcap.command(program, name, block, capture_all=capture_all) for name in interfaces]


def must_reach(capture: Path, plugins: Sequence[Path]) -> tuple[Path, ...]:
    """What has to be readable after privileges were dropped."""
    return (*privileges.code_folders(), capture.resolve().parent, *(plugin.resolve() for plugin in plugins))
