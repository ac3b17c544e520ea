"""Wireshark's dissection of named frames. The only module that knows pyshark.

Left to itself, pyshark reads a junk file as no packets and no error, and its loop dies with the first `asyncio.run` of
its host. So: a private loop, tshark's exit status waited for and believed, nothing done when an object is forgotten,
every capture closed, and frames counted against those that were asked for. The user's own settings of Wireshark play
no part.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from pyshark.capture.file_capture import FileCapture

from captures.errors import CaptureError, PrivilegeError, TargetError

# Versions whose dissection the tests have compared with ours: 4.0 with every sample and the corpus.
TESTED = ("4.0",)
# Linux, MAX_ARG_STRLEN: one argument of a command has at most 128 KiB, and the filter is one.
LONGEST_FILTER = 120_000
# Sequence numbers as sent; a fragment and the head of a page where they stand, not where the last piece is.
PREFERENCES = {
    "tcp.relative_sequence_numbers": "FALSE",
    "ip.defragment": "FALSE",
    "ipv6.defragment": "FALSE",
    "http.desegment_body": "FALSE",
}


class Shown(NamedTuple):
    """A field of Wireshark's: as shown, and the bytes behind it in hex (empty where none)."""

    show: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """A protocol of a frame with its fields by Wireshark's name, those of layers nested in it too."""

    name: str
    fields: Mapping[str, tuple[Shown, ...]]

    def first(self, field: str) -> str | None:
        """The first value of that field as shown; None without one."""
        found = self.fields.get(field)
        return found[0].show if found else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Dissection:
    """The frames asked for, by number, each as its layers from the outside in."""

    frames: Mapping[int, tuple[Layer, ...]]
    version: str
    complaints: tuple[str, ...]


class TsharkFailed(Exception):
    """tshark ended with an error; the message is its own last line."""


class Reading(FileCapture):  # type: ignore[misc]  # pyshark has no types
    """A capture of pyshark's that tells when tshark fails, and that does nothing behind its owner's back."""

    def __init__(self, path: Path, *, settings: str, arguments: Sequence[str], tool: str) -> None:
        self._settings = settings
        super().__init__(
            str(path),
            keep_packets=False,
            tshark_path=tool,
            custom_parameters=list(arguments),
            eventloop=asyncio.new_event_loop(),
        )

    def __del__(self) -> None:
        """Nothing: it was closed."""

    async def _get_tshark_process(self, packet_count: int | None = None, stdin: Any = None) -> Any:  # noqa: ARG002
        command = [self.tshark_path, "-l", "-n", "-T", "pdml", *self.get_parameters(packet_count=packet_count)]
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.DEVNULL, stdout=pipe, stderr=pipe, env=environment(self._settings)
        )
        self._create_stderr_handling_task(process.stderr)
        self._running_processes.add(process)
        return process

    async def _cleanup_subprocess(self, process: Any) -> None:
        """Wait for the end of tshark, and raise TsharkFailed if it ended with an error."""
        self._running_processes.discard(process)
        if not self._eof_reached and process.returncode is None:
            process.kill()  # nobody reads on
        status = await process.wait()
        await asyncio.gather(*self._stderr_handling_tasks)
        if status and self._eof_reached:
            raise TsharkFailed(said(self._last_error_line or "") or f"it ended with status {status}")

    def done(self) -> None:
        """Close the capture and its loop."""
        try:
            self.close()
        finally:
            self.eventloop.close()


def dissect(
    path: Path, numbers: Collection[int], *, keylog: Path | None = None, protocols: Sequence[str] = ()
) -> Dissection:
    """Wireshark's view of the frames with these numbers. ``protocols`` are enabled that are off by default.

    Raises PrivilegeError without tshark, CaptureError if it fails or shows other frames than were asked for. What it
    complains about after it has shown them all is in ``complaints``.
    """
    tool, version = found()
    complaints = [] if version.startswith(TESTED) else [untested(version)]
    if not numbers:
        return Dissection(frames={}, version=version, complaints=tuple(complaints))
    filtered = f"frame.number in {{{ranges(numbers)}}}"
    if len(filtered) > LONGEST_FILTER:
        raise CaptureError(f"{path.name}: {len(numbers)} packets are more than one filter can name; compare fewer")
    arguments = [word for protocol in protocols for word in ("--enable-protocol", protocol)]
    frames, failed = dict[int, tuple[Layer, ...]](), None
    with prepared(path, keylog) as (file, settings, preferences):
        reading = Reading(file, settings=settings, arguments=[*preferences, *arguments, "-Y", filtered], tool=tool)
        try:
            for packet in reading:
                frames[int(packet.number)] = tuple(layers(packet))
        except TsharkFailed as error:
            failed = str(error)
        finally:
            reading.done()
    check(path.name, numbers, frames, failed)
    if failed:
        complaints.append(f"{path.name}: tshark complains: {failed}")
    return Dissection(frames=frames, version=version, complaints=tuple(complaints))


def check(name: str, numbers: Collection[int], frames: Collection[int], failed: str | None) -> None:
    """Raises CaptureError unless exactly the frames asked for were shown."""
    missing = sorted(set(numbers) - set(frames))
    if not missing and len(frames) == len(set(numbers)):
        return
    why = f": {failed}" if failed else ""
    raise CaptureError(
        f"{name}: tshark shows {len(frames)} of the {len(set(numbers))} packets asked for"
        f"{f', not packet {missing[0]}' if missing else ''}{why}; look at the file with capinfos"
    )


def matching(path: Path, display_filter: str) -> list[int]:
    """The numbers of the frames that a display filter selects, as far as tshark can read the file.

    Raises PrivilegeError without tshark, TargetError with tshark's own words for a filter that it rejects, CaptureError
    if it fails before it has shown a frame.
    """
    tool, _ = found()
    with prepared(path, None) as (file, settings, preferences):
        command = [tool, "-n", "-r", str(file), *preferences, "-T", "fields", "-e", "frame.number"]
        told = run([*command, "-Y", display_filter], settings)
        numbers = [int(line) for line in told.stdout.split()]
        # Whose fault it is shows without the filter: a file that tshark cannot read fails then too.
        if told.returncode and not numbers and not run([*command, "-c", "1"], settings).returncode:
            raise TargetError(f"-Y {display_filter}: tshark says: {words(told.stderr)}")
    if told.returncode and not numbers:
        raise CaptureError(f"{path.name}: tshark fails: {words(told.stderr)}; look at the file with capinfos")
    return numbers


# Of each frame that shows any: the certificates, the host of a request (HTTP/1 and 2), the status of an answer.
INSIDE = (
    "tls.handshake.certificate",
    "http.host",
    "http2.headers.authority",
    "http2.headers.status",
    "http.response.code",
)


def decrypted(path: Path, keylog: Path) -> Iterator[tuple[int, list[tuple[str, ...]]]]:
    """What a key log opens, frame by frame: the number and, for each of `INSIDE`, all values.

    Raises PrivilegeError without tshark, CaptureError if it fails before it has shown anything.
    """
    tool, _ = found()
    with prepared(path, keylog) as (file, settings, preferences):
        command = [
            tool,
            "-n",
            "-r",
            str(file),
            *preferences,
            "-T",
            "fields",
            "-E",
            "separator=/t",
            "-E",
            "aggregator=|",
        ]
        fields = [word for name in ("frame.number", *INSIDE) for word in ("-e", name)]
        told = run([*command, *fields, "-Y", f"tls && ({' || '.join(INSIDE)})"], settings)
    if told.returncode and not told.stdout:
        raise CaptureError(f"{path.name}: tshark fails: {words(told.stderr)}; look at the file with capinfos")
    for line in told.stdout.splitlines():
        number, *cells = line.split("\t")
        if number.isdigit() and len(cells) == len(INSIDE):
            yield int(number), [tuple(filter(None, cell.split("|"))) for cell in cells]


def run(command: Sequence[str], settings: str) -> subprocess.CompletedProcess[str]:
    """One run of tshark, to its end."""
    return subprocess.run(  # noqa: S603  # the tool found on PATH, no shell
        command,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        stdin=subprocess.DEVNULL,
        env=environment(settings),
    )


def words(stderr: str) -> str:
    """What tshark said on standard error, in one line."""
    return " ".join(filter(None, map(said, stderr.splitlines()))) or "nothing at all"


def found() -> tuple[str, str]:
    """Where tshark is, and its version. Raises PrivilegeError if it is missing or does not run."""
    tool = shutil.which("tshark")
    if tool is None:
        raise PrivilegeError("tshark is not installed; install Wireshark's command line (Debian: apt install tshark)")
    try:
        told = subprocess.run(  # noqa: S603  # the tool found on PATH, no shell
            [tool, "--version"], capture_output=True, text=True, check=True, timeout=60, stdin=subprocess.DEVNULL
        ).stdout
    except (OSError, subprocess.SubprocessError) as error:
        raise PrivilegeError(f"tshark does not run ({error}); install it again") from None
    number = re.search(r"\d+\.\d+\.\d+", told.partition("\n")[0])
    if number is None:
        raise PrivilegeError("tshark does not say its version; install it again")
    return tool, number[0]


def untested(version: str) -> str:
    """The warning about a tshark that nobody has compared with."""
    return f"tshark {version} was not tested with this tool ({', '.join(TESTED)} was); read disagreements with care"


def ranges(numbers: Collection[int]) -> str:
    """Numbers as a set of Wireshark's filters has them: ``1, 3..7``."""
    out: list[list[int]] = []
    for number in sorted(set(numbers)):
        if out and out[-1][1] == number - 1:
            out[-1][1] = number
        else:
            out.append([number, number])
    return ", ".join(str(a) if a == b else f"{a}..{b}" for a, b in out)


def layers(packet: Any) -> Iterator[Layer]:
    """The layers of a packet of pyshark's, the frame itself first."""
    for layer in (packet.frame_info, *packet.layers):
        fields = {
            str(name): tuple(Shown(str(f.show or ""), str(f.raw_value or "")) for f in container.all_fields)
            for name, container in layer._all_fields.items()  # noqa: SLF001  # pyshark shows them by shortened names only
        }
        yield Layer(name=str(layer.layer_name), fields=fields)


def environment(settings: str) -> dict[str, str]:
    """The environment in which tshark runs: no settings of the user's, no language but one."""
    return {**os.environ, "WIRESHARK_CONFIG_DIR": settings, "LC_ALL": "C.UTF-8", "TZ": "UTC"}


def said(line: str) -> str:
    """A line of tshark's on standard error without its name; empty for what it says to every administrator."""
    line = line.strip()
    return "" if line.startswith("Running as user") else line.removeprefix("tshark: ")


@contextmanager
def prepared(path: Path, keylog: Path | None) -> Iterator[tuple[Path, str, list[str]]]:
    """The file as tshark can read it, an empty folder for its settings, and the preferences as arguments."""
    with tempfile.TemporaryDirectory(prefix="fingerprint-shark-") as folder:
        told = PREFERENCES | ({"tls.keylog_file": str(keylog.resolve())} if keylog else {})
        preferences = [word for name, value in told.items() for word in ("-o", f"{name}:{value}")]
        settings = Path(folder) / "settings"
        settings.mkdir()
        yield plain(path, Path(folder)), str(settings), preferences


def plain(path: Path, folder: Path) -> Path:
    """The file itself, or its content where it is compressed: Wireshark 4 reads no xz, and zstd only where built so."""
    from captures.stream import unpacked

    content = unpacked(path)
    if content is None:
        return path
    file = folder / "capture"
    with file.open("wb") as out:
        out.writelines(content)
    return file
