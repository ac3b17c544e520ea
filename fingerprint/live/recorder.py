"""The run's side of the recorder: starts the recording process, asks it, and hears of its troubles."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from captures.errors import PrivilegeError
from fingerprint.live.packet_sockets import PacketSocket
from fingerprint.live.ports import PortRange

# The recording process takes a fifth of a second to start; on a machine with everything else to do, a while.
START_S = 20.0
# It writes what the kernel queued, which is 32 MiB at most.
ANSWER_S = 20.0
# The child finds the package where the parent found it, and not in the current directory or by the environment.
LAUNCH = "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from fingerprint.live.recording import main; main()"


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What is recorded, and how. Sockets or dumpcap commands, not both."""

    file: int  # a descriptor open for writing
    ports: PortRange
    addresses: Sequence[str]
    base_ns: int  # of the run's clock
    capture_all: bool = False
    sockets: Sequence[PacketSocket] = ()
    dumpcap: Sequence[Sequence[str]] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """What stands in the file by now."""

    packets: int = 0
    dropped: int = 0
    size_bytes: int = 0


class Recorder:
    """A recording process. `trouble` is empty as long as everything is recorded."""

    def __init__(self, process: subprocess.Popen[bytes], channel: socket.socket, kind: str) -> None:
        """Use `start`. ``kind`` is af-packet or dumpcap."""
        self.kind = kind
        self.trouble = ""
        self.clock_steps_s: list[float] = []
        self.sums = Sums()
        self.on_trouble: Callable[[str], None] = lambda _: None
        self._process, self._channel = process, channel
        self._waiting: dict[int, asyncio.Future[None]] = {}
        self._number = 0
        self._loop: asyncio.AbstractEventLoop | None = None

    async def sync(self) -> Sums:
        """Once it returns, every packet up to the call is in the file, or `trouble` says why not."""
        return await self._ask(word="sync")

    async def admit(self, addresses: Sequence[str]) -> None:
        """Record what is exchanged with these, too."""
        await self._ask(word="admit", addresses=list(addresses))

    async def _ask(self, **words: object) -> Sums:
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._loop = loop
            self._channel.setblocking(False)  # noqa: FBT003  # the socket's own word
            loop.add_reader(self._channel, self._hear)
        self._number += 1
        answer = self._waiting[self._number] = loop.create_future()
        try:
            self._channel.send(json.dumps({"number": self._number, **words}).encode())
            async with asyncio.timeout(ANSWER_S):
                await answer
        except (OSError, TimeoutError):
            self._troubled("the recording process does not answer; run it again")
        finally:
            self._waiting.pop(self._number, None)
        return self.sums

    def _hear(self) -> None:
        try:
            told = self._channel.recv(1 << 16)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            told = b""
        if not told:
            self._hear_no_more()
            self._troubled("the recording process ended; run it again")
            return
        self._understand(json.loads(told))

    def _understand(self, said: dict[str, object]) -> None:
        match said:
            case {"word": "trouble", "says": str(says)}:
                self._troubled(says)
            case {"word": "clock", "step_s": float(step_s)}:
                self.clock_steps_s.append(step_s)
            case {"packets": int(packets), "dropped": int(dropped), "size_bytes": int(size_bytes)}:
                self.sums = Sums(packets=packets, dropped=dropped, size_bytes=size_bytes)
        number = said.get("number")
        waiting = self._waiting.get(number) if isinstance(number, int) else None
        if waiting and not waiting.done():
            waiting.set_result(None)

    def _troubled(self, says: str) -> None:
        if not self.trouble:
            self.trouble = says
            self.on_trouble(says)

    def _hear_no_more(self) -> None:
        if self._loop and not self._loop.is_closed():
            self._loop.remove_reader(self._channel)
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_result(None)

    def stop(self) -> Sums:
        """Write what is left, close the file, end the process. Blocks for as long as that takes."""
        if self._loop and not self._loop.is_closed():
            self._loop.remove_reader(self._channel)
        self._channel.settimeout(ANSWER_S)
        try:
            self._channel.send(b'{"word": "stop"}')
            while told := self._channel.recv(1 << 16):
                said = json.loads(told)
                self._understand(said)
                if said["word"] == "ended":
                    break
        except OSError:
            self._troubled("the recording process ended; run it again")
        self._channel.close()
        try:
            self._process.wait(ANSWER_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        return self.sums


def start(work: Work) -> Recorder:
    """A recording process that records already when this returns. Raises PrivilegeError if it cannot.

    The descriptors of ``work`` are closed here, once the process has them.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    sockets = [{"fd": s.sock.fileno(), "interface": s.interface, "kind": s.kind} for s in work.sockets]
    told = {
        "channel": theirs.fileno(),
        "file": work.file,
        "ports": [work.ports.first, work.ports.last],
        "addresses": list(work.addresses),
        "capture_all": work.capture_all,
        "base_ns": work.base_ns,
        "sockets": sockets,
        "dumpcap": [list(command) for command in work.dumpcap],
    }
    process = subprocess.Popen(  # noqa: S603  # this very interpreter
        [
            sys.executable,
            "-I",
            "-c",
            LAUNCH,
            json.dumps([folder or str(Path.cwd()) for folder in sys.path]),
            json.dumps(told),
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        pass_fds=[theirs.fileno(), work.file, *(s.sock.fileno() for s in work.sockets)],
        cwd="/",
    )
    theirs.close()
    for source in work.sockets:
        source.sock.close()
    recorder = Recorder(process, ours, "dumpcap" if work.dumpcap else "af-packet")
    ours.settimeout(START_S)
    try:
        said = json.loads(ours.recv(1 << 16) or b'{"word": "gone"}')
    except OSError as error:
        said = {"word": f"{error}"}
    if said["word"] != "ready":
        process.kill()
        process.wait()
        ours.close()
        why = said.get("says") or "the recording process did not start"
        raise PrivilegeError(f"{why}; run fingerprint doctor")
    return recorder
