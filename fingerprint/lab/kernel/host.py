"""The laboratory's own process tree: makes the namespaces, starts wire and servers, runs one command as the client.

    python -m fingerprint.lab.kernel.host SETTINGS [PARENT] -- COMMAND…

SETTINGS are those of `fingerprint.lab.laboratory.Settings` as JSON; with the process id of its PARENT the laboratory
ends when that one does. Two processes wait outside; the third is the first
of a process namespace. When one of them dies, however it dies, the kernel kills everybody else in there, and with the
last of them go namespaces, interfaces, rules and the folder in memory: nothing is left for anybody to clean up.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import NoReturn

from captures.errors import FingerprintError, PrivilegeError
from fingerprint import exits
from fingerprint.lab import world
from fingerprint.lab.chain import Chain
from fingerprint.lab.kernel import doors, plan, servers
from fingerprint.lab.kernel.wire import Wire
from fingerprint.lab.laboratory import Settings, chosen
from fingerprint.lab.preset import Preset

FOLDER = Path("/run/lab")
# A server that is not there by then will not come.
_PATIENCE_S = 10.0
# What routers and hosts of the laboratory are told; as `net.` settings of each namespace.
_SETTINGS = {
    "ipv4/ip_forward": "1", "ipv4/icmp_ratelimit": "0", "ipv4/conf/all/rp_filter": "0",
    "ipv4/conf/default/rp_filter": "0", "ipv6/conf/all/forwarding": "1", "ipv6/conf/default/accept_dad": "0",
    "ipv6/conf/all/accept_dad": "0", "ipv6/conf/default/router_solicitations": "0", "ipv6/icmp/ratelimit": "0",
    # Every measurement starts without a memory of the one before.
    "ipv4/tcp_no_metrics_save": "1",
}  # fmt: skip


_NOBODY: Mapping[int, str] = MappingProxyType({})
# Signals that are handed on to the command, and word of children.
_HEEDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD)
# asm-generic/siginfo.h, SI_KERNEL: the terminal sent it, to everybody in the foreground and so to the command as well.
_FROM_THE_TERMINAL = 0x80


def main(argv: Sequence[str]) -> int:
    """The exit code of the command, or of the laboratory that could not be made."""
    split = argv.index("--")
    settings, command = Settings.from_json(argv[0]), list(argv[split + 1 :])
    if split > 1:
        doors.die_with(int(argv[1]))
    return run(settings, command)


def run(settings: Settings, command: list[str]) -> int:
    """The exit code of the command, or of the laboratory that could not be made."""
    try:
        chosen(settings.censor)
        for needed in ("ip", "nginx", "dnsmasq"):
            servers.tool(needed)
    except FingerprintError as error:
        return _complain(str(error), exits.code_of(error))
    # A user namespace is only for processes of one thread; libraries have started others here, and a fork has one.
    return _waited_for(lambda: _outer(settings, command))


def _outer(settings: Settings, command: list[str]) -> int:
    try:
        _leave()
    except FingerprintError as error:
        return _complain(str(error), exits.code_of(error))
    return _waited_for(lambda: _inner(settings, command))


def _waited_for(work: Callable[[], int]) -> int:
    """The exit code of ``work``, done by a child that dies with this process and gets its signals."""
    # From here on a signal waits until somebody is there to be told; none is lost while the laboratory is made.
    signal.pthread_sigmask(signal.SIG_BLOCK, _HEEDED)
    alive, held = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(held)
        doors.die_with_parent(alive)
        os._exit(work())
    os.close(alive)
    code = _attend(child)
    os.close(held)
    return code


def _attend(child: int, vital: Mapping[int, str] = _NOBODY) -> int:
    """The exit code of ``child``, as a shell tells it. Signals go to it, but for those that it got itself.

    Raises ChildProcessError when one of the ``vital`` processes ends before.
    """
    while True:
        heard = signal.sigwaitinfo(_HEEDED)
        if heard.si_signo != signal.SIGCHLD:
            if heard.si_code != _FROM_THE_TERMINAL:
                os.kill(child, heard.si_signo)
            continue
        ended = dict(_ended())
        if child in ended:
            code = os.waitstatus_to_exitcode(ended[child])
            return code if code >= 0 else 128 - code
        for process in ended.keys() & vital.keys():
            raise ChildProcessError(f"{vital[process]} ended before the command did")


def _ended() -> Iterator[tuple[int, int]]:
    """Children that are over, with their status; the first process of a namespace inherits everybody's."""
    with contextlib.suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG)) != (0, 0):
            yield ended


def _leave() -> None:
    """Into namespaces of our own; who may not make them is root inside a user namespace first."""
    flags = doors.NEWNS | doors.NEWPID | doors.NEWNET | doors.NEWIPC
    if os.geteuid() == 0:
        with contextlib.suppress(PrivilegeError):
            return doors.unshare(flags)
    doors.become_root()
    return doors.unshare(flags)


def _inner(settings: Settings, command: list[str]) -> int:
    """The first process of the process namespace."""
    try:
        preset = chosen(settings.censor)
        talker, tells = _talker(quic=_speaks_quic(settings, preset.servers))
        laid_out = _make(settings)
        wire, running = _start(settings, preset, laid_out)
        with contextlib.suppress(BrokenPipeError):  # what is not there does not listen either
            os.write(tells, b".")
        running.append(talker)
        _ready(running)
        return _run(command, {wire: "the wire", **{r.pid: r.name for r in running}})
    except FingerprintError as error:
        return _complain(str(error), exits.code_of(error))
    except (OSError, subprocess.SubprocessError) as error:
        return _complain(
            f"the laboratory could not be made ({error}); fingerprint doctor says what is missing", exits.FAILED
        )


def _make(settings: Settings) -> plan.Plan:
    """Mounts, namespaces, links, addresses, routes."""
    doors.keep_mounts_private()
    doors.mount("proc", "/proc", "proc")
    resolving = Path("/etc/resolv.conf").resolve()
    doors.mount("tmpfs", "/run", "tmpfs")
    FOLDER.mkdir()
    Path("/run/netns").mkdir()
    _own_resolver(resolving)
    laid_out = plan.Plan(path=settings.path, congestion=settings.congestion)
    _quieten({"ipv6/conf/all/disable_ipv6": "1", "ipv6/conf/default/disable_ipv6": "1"})
    _ip(laid_out.joining())
    for node in laid_out.nodes:
        with doors.inside(f"/run/netns/{node}"):
            _quieten(_SETTINGS)
            if node == plan.CLIENT and not settings.path.timestamps:
                _quieten({"ipv4/tcp_timestamps": "0"})
            _ip(laid_out.settling(node))
            doors.offloads_off(e.interface for link in laid_out.links for e in link if e.node == node)
    doors.offloads_off((plan.NEAR_END, plan.FAR_END))
    return laid_out


def _own_resolver(where: Path) -> None:
    """The client asks the provider's resolver."""
    mine = FOLDER / "resolv.conf"
    mine.write_text("".join(f"nameserver {address}\n" for address in world.RESOLVER[:1]))
    if where.is_relative_to("/run"):  # ours, and empty
        where.parent.mkdir(parents=True, exist_ok=True)
        where.touch()
    elif not where.exists():
        raise PrivilegeError(f"there is no {where} to stand in for; sudo touch {where}")
    doors.bind(str(mine), str(where))


def _quieten(settings: dict[str, str]) -> None:
    for name, value in settings.items():
        # A kernel that lacks one of them does not need it told.
        with contextlib.suppress(FileNotFoundError):
            Path("/proc/sys/net", name).write_text(value)


def _ip(commands: Iterable[str]) -> None:
    argv = [servers.tool("ip"), "-batch", "-"]
    done = subprocess.run(argv, input="\n".join(commands), capture_output=True, text=True, check=False)
    if done.returncode:
        raise OSError(f"ip: {done.stderr.strip().splitlines()[0] if done.stderr.strip() else done.returncode}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A server that was started, and where its words go."""

    pid: int
    service: servers.Service
    words: int
    program: subprocess.Popen[bytes] | None = None  # held, or the next that is started would reap it

    @property
    def name(self) -> str:
        """Of the program."""
        return Path(self.service.argv[0]).name


def _talker(*, quic: bool) -> tuple[Running, int]:
    """The server that is no other program, and where a byte is written once the laboratory stands."""
    words, (heeds, tells) = os.memfd_create("talking"), os.pipe()
    child = os.fork()
    if child == 0:
        os.close(tells)
        os.setsid()
        for said in (1, 2):
            os.dup2(words, said)
        _open_to_signals()
        _live(lambda: _talk(heeds, servers.certified(FOLDER) if quic else ()))
    os.close(heeds)
    return Running(pid=child, service=servers.TALKER, words=words), tells


def _talk(heeds: int, files: Sequence[str]) -> None:
    from fingerprint.lab.kernel import talking  # and what that imports, which nobody waits for here

    talking.talk(heeds, f"/run/netns/{plan.FAR}", files)


def _start(settings: Settings, preset: Preset, laid_out: plan.Plan) -> tuple[int, list[Running]]:
    """The wire, and every server in its own namespace."""
    residual_s = preset.residual_s if settings.residual_s is None else settings.residual_s
    chain = Chain(preset.boxes(residual_s), on_path=preset.on_path)
    wire = os.fork()
    if wire == 0:
        # Whatever a box raises is shown to its author, and is the end of the laboratory.
        _live(Wire(path=settings.path, chain=chain, ends=laid_out.wired).carry)
    out = []
    for service in servers.services(FOLDER, preset.servers):
        namespace, words = os.open(f"/run/netns/{service.node}", os.O_RDONLY), os.memfd_create(service.node)
        started = subprocess.Popen(
            service.argv,
            stdin=subprocess.DEVNULL, stdout=words, stderr=subprocess.STDOUT, start_new_session=True,
            preexec_fn=lambda there=namespace: _settle(there),  # type: ignore[misc]
        )  # fmt: skip
        os.close(namespace)
        out.append(Running(pid=started.pid, service=service, words=words, program=started))
    return wire, out


def _speaks_quic(settings: Settings, far: world.Servers) -> bool:
    wanted = far.quic if settings.quic is None else settings.quic
    return wanted and importlib.util.find_spec("aioquic") is not None


def _live(work: Callable[[], None]) -> NoReturn:
    """The whole life of a process that was forked."""
    try:
        work()
    except Exception:  # noqa: BLE001  # a box is somebody else's code
        traceback.print_exc()
        sys.stderr.flush()
    os._exit(1)


def _settle(namespace: int) -> None:
    """What a new process does before it becomes another program: into its namespace, and open to signals."""
    doors.enter(namespace)
    _open_to_signals()


def _open_to_signals() -> None:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _HEEDED)


def _ready(running: Iterable[Running]) -> None:
    """Wait until every server listens. Raises OSError with what one of them said at its end."""
    until_s = time.monotonic() + _PATIENCE_S
    for one in running:
        while not all(_listens(one.pid, "tcp", p) for p in one.service.tcp_ports) or not all(
            _listens(one.pid, "udp", p) for p in one.service.udp_ports
        ):
            if os.waitpid(one.pid, os.WNOHANG) != (0, 0) or time.monotonic() > until_s:
                said = os.pread(one.words, 65_536, 0).decode(errors="replace")
                raise OSError(f"{one.name} did not start: {said.strip()[-200:] or 'no word'}")
            time.sleep(0.005)


def _listens(process: int, protocol: str, port: int) -> bool:
    """Whether anybody in the network namespace of that process listens on the port."""
    wanted = {"tcp": "0A", "udp": "07"}[protocol]
    for table in (protocol, f"{protocol}6"):
        try:
            lines = Path(f"/proc/{process}/net/{table}").read_text().splitlines()[1:]
        except OSError:
            continue
        if any(line.split()[1].endswith(f":{port:04X}") and line.split()[3] == wanted for line in lines):
            return True
    return False


def _run(command: list[str], vital: Mapping[int, str]) -> int:
    """The command, as the client; signals go to it, and its exit code comes back."""
    namespace = os.open(f"/run/netns/{plan.CLIENT}", os.O_RDONLY)
    try:
        started = subprocess.Popen(command, preexec_fn=lambda: _settle(namespace))
    except OSError as error:
        return _complain(f"{command[0]}: {error.strerror}; name a command that exists", 127)
    try:
        return _attend(started.pid, vital)
    except ChildProcessError as error:
        return _complain(f"{error}; what it said stands above, mend that", exits.FAILED)


def _complain(says: str, code: int) -> int:
    sys.stderr.write(f"fingerprint: {says}\n")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
