"""The recording process: reads frames, admits the run's own, appends them to the file, and answers when asked.

It is started after privileges were dropped, with sockets and file already open, and needs nothing else. It ends when it
is told to or when the other end of its channel closes, which is what happens if the run is killed; either way the file
is whole. The words on the channel are JSON, one message a datagram.
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import IO, Any, Protocol, cast

from captures.write import Frame, Link, Writer
from fingerprint.live.admission import Admission
from fingerprint.live.clock import Clock
from fingerprint.live.packet_sockets import PacketSocket
from fingerprint.live.ports import PortRange
from fingerprint.live.run_file import RunFile

APPLICATION = "censorship-fingerprint"
# Frames read from one source before others are looked at, and before the file is written.
BATCH_PKTS = 256
# How often the wall clock is looked at while nothing arrives.
LOOK_S = 0.25


class Frames(Protocol):
    """Where frames come from: a socket, or what dumpcap pipes to us."""

    link: Link
    header_bytes: int

    def fileno(self) -> int:
        """To wait on."""

    def batch(self, limit: int) -> list[tuple[bytes, int, int]]:
        """Content, stamp and length on the wire of the next frames, at most ``limit``. OSError if the source ended."""

    def settle(self) -> None:
        """Wait until what was on the wire before now can be read."""

    def dropped_pkts(self) -> int:
        """Lost since the beginning. OSError if that cannot be told any more."""

    def finish(self) -> None:
        """No more packets are wanted; what was heard can still be read."""


@dataclass(slots=True)
class SocketFrames:
    """Frames of an AF_PACKET socket."""

    source: PacketSocket
    link: Link = field(init=False)
    header_bytes: int = field(init=False)

    def __post_init__(self) -> None:
        """Describe the interface."""
        self.link = Link(link_type=self.source.link_type, name=self.source.interface)
        self.header_bytes = self.source.header_bytes

    def fileno(self) -> int:
        """The socket's."""
        return self.source.sock.fileno()

    def batch(self, limit: int) -> list[tuple[bytes, int, int]]:
        """What is queued."""
        out: list[tuple[bytes, int, int]] = []
        while len(out) < limit and (heard := self.source.read()):
            out.append((heard.content, heard.stamp_ns, heard.wire_bytes))
        return out

    def settle(self) -> None:
        """Nothing to wait for: the kernel queues a packet before whoever sent it goes on."""

    def dropped_pkts(self) -> int:
        """As the kernel counts."""
        return self.source.count_drops()

    def finish(self) -> None:
        """Nothing to do: what is queued is read as always."""


@dataclass(slots=True)
class Count:
    """What was counted on one interface."""

    last_ns: int
    admitted_pkts: int = 0
    dropped_pkts: int = 0


class Recording:
    """The loop of the recording process."""

    def __init__(
        self, sources: Sequence[Frames], channel: socket.socket, out: RunFile, admission: Admission | None, clock: Clock
    ) -> None:
        """Without ``admission`` everything is recorded."""
        self._sources, self._channel, self._out, self._admission, self._clock = sources, channel, out, admission, clock
        self._began_ns = clock.now_ns()
        self._counts = [Count(self._began_ns) for _ in sources]
        self._writer = Writer(cast("IO[bytes]", out), links=[s.link for s in sources], application=APPLICATION)
        self._ended = False
        self._full = False  # the last batch was, so that there may be more

    def run(self) -> None:
        """Until told to stop, or until nobody is there to tell."""
        with selectors.DefaultSelector() as waiting:
            waiting.register(self._channel, selectors.EVENT_READ, None)
            for number, source in enumerate(self._sources):
                waiting.register(source, selectors.EVENT_READ, number)
            self._guarded(self._out.flush)
            self._tell(word="ready")
            while not self._ended:
                for key, _ in waiting.select(LOOK_S):
                    if key.data is None:
                        self._listen()
                    elif not self._guarded(self._take, key.data):
                        waiting.unregister(key.fileobj)
                self._look()
        for source in self._sources:
            source.finish()
        self._sync()
        self._tell(word="ended", **self._sums())
        os.fsync(self._out.descriptor)

    def _listen(self) -> None:
        told = self._channel.recv(1 << 16)
        if not told:
            self._ended = True
            return
        asked = json.loads(told)
        match asked["word"]:
            case "sync":
                self._sync()
            case "admit" if self._admission:
                self._admission.add(asked["addresses"])
            case "stop":
                self._ended = True
                return
        self._tell(word="done", number=asked["number"], **self._sums())

    def _sync(self) -> None:
        """All up to now is in the file, and the file says up to when that is."""
        for source in self._sources:
            self._guarded(source.settle)
        now_ns = self._clock.now_ns()
        for number in range(len(self._sources)):
            while self._guarded(self._take, number) and self._full:
                pass
        self._guarded(self._witness, now_ns)

    def _take(self, number: int) -> None:
        """One batch of a source, admitted and appended."""
        source, count = self._sources[number], self._counts[number]
        now_ns = self._clock.now_ns()
        frames = source.batch(BATCH_PKTS)
        self._full = len(frames) == BATCH_PKTS
        self._look()
        for content, stamp_ns, wire_bytes in frames:
            if self._admission and not self._admission.admits(memoryview(content)[source.header_bytes :]):
                continue
            time_ns = self._clock.right(stamp_ns, count.last_ns)
            self._writer.frame(Frame(content=content, time_ns=time_ns, wire_bytes=wire_bytes, interface=number))
            count.admitted_pkts += 1
        count.last_ns = now_ns
        self._out.flush()

    def _witness(self, until_ns: int) -> None:
        for number, source in enumerate(self._sources):
            count = self._counts[number]
            try:
                count.dropped_pkts = source.dropped_pkts()
            except OSError:
                continue  # the interface went away, which was told; its last statistics stand
            self._writer.statistics(
                interface=number,
                received_pkts=count.admitted_pkts + count.dropped_pkts,
                dropped_pkts=count.dropped_pkts,
                began_ns=self._began_ns,
                ended_ns=until_ns,
            )
        self._out.flush()

    def _look(self) -> None:
        if step_ns := self._clock.look():
            self._tell(word="clock", step_s=step_ns / 1e9)

    def _guarded(self, action: Callable[..., None], *given: Any) -> bool:
        """Do it; if the interface or the disk fails, tell so and return False."""
        self._full = False
        try:
            action(*given)
        except OSError as error:
            self._tell(word="trouble", says=sentence(error, full=self._out.full))
            return False
        return True

    def _sums(self) -> dict[str, int]:
        return {
            "packets": sum(c.admitted_pkts for c in self._counts),
            "dropped": sum(c.dropped_pkts for c in self._counts),
            "size_bytes": self._out.size_bytes,
        }

    def _tell(self, **words: object) -> None:
        try:
            self._channel.send(json.dumps(words).encode())
        except OSError:
            self._ended = True  # nobody is there


def sentence(error: OSError, *, full: bool) -> str:
    """What happened, for people."""
    if full:
        return f"the recording cannot be written any more ({error.strerror}); free some space and run it again"
    return f"the interface went away in the middle of the run ({error.strerror}); check the link and run it again"


def main() -> None:
    """As started by `fingerprint.live.recorder`: the last argument describes the work, files are inherited open."""
    work = json.loads(sys.argv[-1])
    # Ctrl-C reaches every process of the terminal; this one ends when it is told to.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    channel = socket.socket(fileno=work["channel"])
    admission = None if work["capture_all"] else Admission(PortRange(*work["ports"]), work["addresses"])
    sources: list[Frames] = [
        SocketFrames(PacketSocket(socket.socket(fileno=s["fd"]), s["interface"], s["kind"])) for s in work["sockets"]
    ]
    for command in work["dumpcap"]:
        from fingerprint.live.dumpcap import Piped

        sources.append(Piped(command))
    Recording(sources, channel, RunFile(work["file"]), admission, Clock(work["base_ns"])).run()
    os._exit(0)  # there is nothing to clean up, and numpy's threads would take a tenth of a second to end


if __name__ == "__main__":
    main()
