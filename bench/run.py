"""Packets per second of the whole command beside others that do a part of its work, in one run on one file.

BENCH_CAPTURE=FILE     the capture to read; without it one is made (bench/mixed.py, BENCH_PACKETS packets, seeded)
BENCH_CEILING=FILE.c   a C program, called as ``ceiling read CAPTURE``, that does the bare decoding: the limit
BENCH_ROUNDS=3         every contender runs once a round, in turn, so that a busy minute hits all of them
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import time
import venv
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
KEPT = HERE.parent / "bench-data"
FINGERPRINT = str(Path(sys.executable).with_name("fingerprint"))
# The slow ones read only so many packets: their rate does not depend on the length of the file.
SLOW_PACKETS = 50_000


@dataclass(slots=True, kw_only=True)
class Contender:
    """A command, the packets that it reads, and what was measured."""

    name: str
    does: str
    command: list[str]
    packets: int
    seconds: list[float] = field(default_factory=list)
    peak_bytes: int = 0

    @property
    def rate_pps(self) -> float:
        """Packets per second of the median run, start of the process included."""
        return self.packets / statistics.median(self.seconds)


def measured(command: list[str]) -> tuple[float, int]:
    """Wall seconds and peak resident bytes of one run. Raises SystemExit with its complaint if it fails."""
    started = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    complaint = process.stderr.read() if process.stderr else b""
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.monotonic() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.stderr:
        process.stderr.close()
    if process.returncode not in (0, 3):
        sys.exit(f"{command[0]} failed: {complaint.decode(errors='replace')[-400:]}")
    return seconds, usage.ru_maxrss * 1024


def capture() -> Path:
    """The capture to read."""
    if given := os.environ.get("BENCH_CAPTURE"):
        return Path(given)
    packets = int(os.environ.get("BENCH_PACKETS", "300000"))
    made = KEPT / f"mixed-{packets}.pcap"
    if not made.exists():
        KEPT.mkdir(exist_ok=True)
        print(f"making {made.name} ...", file=sys.stderr)
        subprocess.run([sys.executable, str(HERE / "mixed.py"), str(packets), str(made)], check=True)
    return made


def count(file: Path) -> int:
    """Packets in the capture, as the tool itself counts them."""
    # In a process of its own: what this one has ever held would count as the peak of every child.
    code = "import sys, captures; print(len(captures.read(sys.argv[1]).columns))"
    return int(subprocess.run([sys.executable, "-c", code, str(file)], check=True, capture_output=True).stdout)


def ceiling() -> list[str] | None:
    """The compiled ceiling, or None after saying why there is none."""
    source = os.environ.get("BENCH_CEILING")
    compiler = shutil.which("cc") or shutil.which("gcc")
    if not source or not compiler:
        print(f"no C ceiling: {'no compiler' if source else 'BENCH_CEILING names no source'}", file=sys.stderr)
        return None
    KEPT.mkdir(exist_ok=True)
    binary = KEPT / "ceiling"
    subprocess.run([compiler, "-O3", "-march=native", source, "-o", str(binary)], check=True, stderr=subprocess.DEVNULL)
    return [str(binary), "read"]


def peers_python() -> str | None:
    """A Python with dpkt and scapy in an environment of its own, or None after saying why there is none."""
    home = KEPT / "peers"
    python = home / "bin/python"
    if not (home / "ready").exists():
        KEPT.mkdir(exist_ok=True)
        print("installing dpkt and scapy into bench-data/peers ...", file=sys.stderr)
        venv.create(home, with_pip=True, clear=True)
        install = [str(python), "-m", "pip", "install", "-qq", "--disable-pip-version-check", "dpkt", "scapy"]
        if subprocess.run(install, check=False).returncode:
            print("no peers: dpkt and scapy could not be installed", file=sys.stderr)
            return None
        (home / "ready").touch()
    return str(python)


def contenders(file: Path, packets: int) -> list[Contender]:
    """Everybody who takes part, the tool first."""
    tool = Contender(
        name="fingerprint analyse --json",
        does="everything, verdict included",
        command=[FINGERPRINT, "analyse", str(file), "--json"],
        packets=packets,
    )
    entrants = [tool]
    if limit := ceiling():
        entrants.append(
            Contender(name="C ceiling", does="decode and count", command=[*limit, str(file)], packets=packets)
        )
    if python := peers_python():
        few = min(packets, SLOW_PACKETS)
        for peer in ("dpkt", "scapy"):
            command = [python, str(HERE / f"peer_{peer}.py"), str(file), str(few)]
            name = f"{peer} loop"
            entrants.append(Contender(name=name, does="decode and count", command=command, packets=few))
    return entrants


def race(entrants: list[Contender], rounds: int) -> None:
    """Run all of them in turn, after reading the file once so that no one pays for a cold cache."""
    for _ in range(rounds):
        for one in entrants:
            seconds, peak = measured(one.command)
            one.seconds.append(seconds)
            one.peak_bytes = max(one.peak_bytes, peak)


def show(entrants: list[Contender], say: Callable[[str], None] = print) -> None:
    """The table, with each rate as a ratio of the tool's."""
    tool = entrants[0]
    say(f"{'':<28}{'packets/s':>12}{'ratio':>9}{'seconds':>9}{'peak MB':>9}  does")
    for one in entrants:
        ratio, seconds = one.rate_pps / tool.rate_pps, statistics.median(one.seconds)
        say(f"{one.name:<28}{one.rate_pps:>12,.0f}{ratio:>9.3f}{seconds:>9.2f}{one.peak_bytes / 1e6:>9.0f}  {one.does}")


def starts(say: Callable[[str], None] = print) -> None:
    """How long a person waits for the first words."""
    sample = HERE.parent / "captures/samples/sni_forged_reset/capture.pcapng"
    say("")
    for name, command in (
        ("--help", [FINGERPRINT, "--help"]),
        ("a capture of 100 packets", [FINGERPRINT, "analyse", str(sample), "--json"]),
    ):
        say(f"{name:<28}{statistics.median(measured(command)[0] for _ in range(5)):>8.2f} s")


def main() -> None:
    """Warm up, race, print."""
    file = capture()
    if not file.is_file():
        sys.exit(f"{file}: there is no such capture; leave BENCH_CAPTURE out to have one made")
    packets = count(file)
    size = file.stat().st_size
    entrants = contenders(file, packets)
    race(entrants, int(os.environ.get("BENCH_ROUNDS", "3")))
    rounds = len(entrants[0].seconds)
    print(f"{packets:,} packets, {size / 1e6:,.0f} MB, whole processes, median of {rounds} rounds in turn")
    show(entrants)
    starts()


main()
