"""What every technique promises, checked: `check_technique`. Each check is a function that yields complaints."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

import captures
from captures import Recording
from fingerprint import tables
from fingerprint.capture import Capture
from fingerprint.plugins import faults, looking, registry
from fingerprint.plugins.looking import Stopped
from fingerprint.technique import Clue, Evidence, Finding, Inconclusive, Technique
from fingerprint.testing import mangling, probes
from fingerprint.testing.named import Named, named
from fingerprint.testing.purity import pure
from fingerprint.testing.transforms import TRANSFORMS
from fingerprint.verdict import taxonomy
from fingerprint.verdict.judge import judge

HEADINGS = ("What it looks for", "What it sends", "When it is wrong", "Papers")
# Captures that are rewritten frame by frame; longer ones only take longer.
MOST_REWRITTEN_PKTS = 4_000
# Captures that are damaged in every way.
MOST_MANGLED = 2

File = str | Path


def check_technique(
    technique_or_file: Technique | type[Technique] | str | Path,
    *,
    fires_on: Iterable[File] = (),
    silent_on: Iterable[File] = (),
    cannot_tell_on: Iterable[File] = (),
    unchanged_by: Iterable[str] = tuple(TRANSFORMS),
) -> None:
    """Raise AssertionError with every promise that a technique breaks; return if it keeps them all.

    ``technique_or_file`` is its file, its id if it is installed, its class, or an object with thresholds of its own.
    The captures are paths. Checked is that

    - it loads: file, class and id agree; ``analyse(capture)``, ``probe(target)``; a frozen dataclass, every threshold
      with a default;
    - its docstring says in one sentence what it is, and has text under the four headings;
    - its clues have ids of their own, a group, a source, a sentence, and ``given`` with probabilities above 0 and at
      most 1, of explanations that exist, with ``*`` for all others;
    - it fires on each capture of ``fires_on``: it yields Evidence;
    - it convicts nobody on any of ``silent_on``, alone (evidence for an innocent explanation is no conviction);
    - it says Inconclusive on each of ``cannot_tell_on``;
    - evidence is of declared clues and cites only packets that exist, on these and on damaged captures: cut, shuffled,
      one packet in two lost, overwritten at random, noise. It never raises and always comes to an end;
    - it is pure: no file, socket, program, clock, chance, environment, print or log;
    - it finds the same twice, also in a process whose sets are in another order;
    - its verdict stays under changes that change nothing (`TRANSFORMS`: other names, other addresses, 40 ms farther,
      two hops more, the server's TTL copied), as far as ``unchanged_by`` names them, on each of ``fires_on``;
    - its probe yields nothing but Send and Wait, ends whatever comes back, asks the same twice, labels what it sends,
      and promises only clues of its own.
    """
    found = complaints(
        technique_or_file,
        fires_on=tuple(map(Path, fires_on)),
        silent_on=tuple(map(Path, silent_on)),
        cannot_tell_on=tuple(map(Path, cannot_tell_on)),
        unchanged_by=tuple(unchanged_by),
    )
    if found:
        raise AssertionError("\n".join((f"{len(found)} promises broken:", *(f"- {says}" for says in found))))


def complaints(
    technique_or_file: Technique | type[Technique] | str | Path,
    *,
    fires_on: Sequence[Path],
    silent_on: Sequence[Path],
    cannot_tell_on: Sequence[Path],
    unchanged_by: Sequence[str],
) -> list[str]:
    """The broken promises, a sentence each."""
    try:
        it = named(technique_or_file)
    except captures.FingerprintError as error:
        return [str(error)]
    shown = (*fires_on, *cannot_tell_on)
    return [
        *of_names(it),
        *of_page(it),
        *(says for clue in it.technique.clues for says in of_clue(clue)),
        *of_firing(it, fires_on),
        *of_silence(it, silent_on),
        *of_doubt(it, cannot_tell_on),
        *of_purity(it, shown),
        *of_order(it, shown),
        *of_damage(it, shown[:MOST_MANGLED]),
        *of_changes(it, fires_on, unchanged_by),
        *probes.complaints(it.technique),
    ]


def of_names(it: Named) -> Iterator[str]:
    """File, class and id."""
    if it.file is None:
        yield f"{it.id} has no file of its own; a technique is one file"
    elif complaint := faults.fault(it.kind, it.file):
        yield complaint


def of_page(it: Named) -> Iterator[str]:
    """The docstring of its file."""
    page = registry.page(it.kind)
    first, _, rest = page.partition("\n")
    if not first.endswith(".") or len(first) > 120:
        yield f"the first line of its docstring is no short sentence: {first[:60]!r}"
    lines = [line.rstrip() for line in rest.split("\n")]
    for heading in HEADINGS:
        if heading not in lines:
            yield f"its docstring has no heading {heading!r}"
            continue
        after = [line for line in lines[lines.index(heading) + 1 :] if line]
        if not after or not after[0].startswith(" "):
            yield f"its docstring says nothing under {heading!r}"


def of_clue(clue: Clue) -> Iterator[str]:
    """A clue that the sum of evidence can be made with; see also `fingerprint.plugins.faults`."""
    if not clue.id.replace("-", "").isalnum() or clue.id != clue.id.lower():
        yield f"clue {clue.id!r}: an id is small letters with hyphens"
    for hypothesis in clue.given:
        if not exists(hypothesis):
            yield f"clue {clue.id!r}: given names {hypothesis!r}, which is neither a mechanism nor an explanation"
    if clue.n < 0:
        yield f"clue {clue.id!r}: n is the number of captures that were measured, not {clue.n}"


def exists(hypothesis: str) -> bool:
    """Whether a key of ``given`` stands for something."""
    if hypothesis in ("*", "innocent", *taxonomy.INNOCENTS) or hypothesis.startswith("x."):
        return True
    if hypothesis.startswith("*."):
        return any(node.split(".", 1)[1] == hypothesis[2:] for node in taxonomy.NODES)
    return hypothesis in taxonomy.NODES


@lru_cache(maxsize=256)
def _read(path: Path, _size_bytes: int, _changed_ns: int) -> Capture:
    return _of(captures.read(path))


def _of(recording: Recording) -> Capture:
    return Capture(recordings=(recording,), known=tables.built_in())


def capture_of(path: Path) -> Capture:
    """A capture as the engine hands it over; read once a process, as long as the file stays the same."""
    status = path.stat()
    return _read(path, status.st_size, status.st_mtime_ns)


def name_of(path: Path) -> str:
    """A capture for people: its folder says more than its file."""
    return f"{path.parent.name}/{path.name}"


def findings(it: Named, path: Path) -> tuple[list[Finding], str | None]:
    """What it finds in a capture, and what it did wrong there."""
    try:
        return looking.looked(it.technique, capture_of(path)), None
    except Stopped as error:
        return [], f"on {name_of(path)} it stopped{f' at {error.at}' if error.at else ''}: {error}"


def convicted(it: Named, capture: Capture) -> list[tuple[str, tuple[str, ...]]]:
    """(target, mechanisms) of those that it calls blocked alone. Raises Stopped."""
    found = [(it.id, finding) for finding in looking.looked(it.technique, capture)]
    verdicts = judge(capture, found)
    return [(v.target, tuple(sorted(m.node for m in v.mechanisms))) for v in verdicts if v.mechanisms]


def of_firing(it: Named, paths: Iterable[Path]) -> Iterator[str]:
    """Evidence where there is some."""
    for path in paths:
        found, fault = findings(it, path)
        if fault or not any(isinstance(finding, Evidence) for finding in found):
            yield fault or f"it yields no Evidence on {name_of(path)}"


def of_silence(it: Named, paths: Iterable[Path]) -> Iterator[str]:
    """Nobody convicted where nobody is guilty."""
    for path in paths:
        _, fault = findings(it, path)
        if fault:
            yield fault
        elif wrong := convicted(it, capture_of(path)):
            yield f"alone, it calls {', '.join(name for name, _ in wrong)} blocked on {name_of(path)}: {wrong[0][1]}"


def of_doubt(it: Named, paths: Iterable[Path]) -> Iterator[str]:
    """Inconclusive where nobody can tell."""
    for path in paths:
        found, fault = findings(it, path)
        if fault or not any(isinstance(finding, Inconclusive) for finding in found):
            yield fault or f"it does not say Inconclusive on {name_of(path)}"


def of_purity(it: Named, paths: Iterable[Path]) -> Iterator[str]:
    """Nothing is asked of the world."""
    told: dict[str, None] = {}
    for path in paths:
        capture = _of(captures.read(path))
        # What else it does wrong is told elsewhere.
        with pure(sys.modules.get(it.kind.__module__)) as noted, suppress(Stopped):
            looking.looked(it.technique, capture)
        told.update(dict.fromkeys(noted))
    yield from (f"it is not pure: {says}" for says in told)


def of_order(it: Named, paths: Sequence[Path]) -> Iterator[str]:
    """The same findings in the same order, whatever the order of sets."""
    if not paths:
        return
    mine = digest(it, paths)
    if digest(it, paths) != mine:
        yield "it finds something else the second time"
    elif it.file is not None and it.technique == it.kind() and _elsewhere(it.file, paths) != {mine}:
        yield "it finds something else in another process; does it go through a set?"


def _elsewhere(file: Path, paths: Sequence[Path]) -> set[str]:
    """The digests of processes that order their sets in two known ways: one alone may agree with ours by chance."""
    code = "import sys; from fingerprint.testing import conformance as c; print(c.digest(sys.argv[1], sys.argv[2:]))"
    command = [sys.executable, "-c", code, str(file), *map(str, paths)]
    return {
        subprocess.run(  # noqa: S603  # our own code
            command, capture_output=True, text=True, check=False, env={**os.environ, "PYTHONHASHSEED": seed}
        ).stdout.strip()
        for seed in ("0", "1")
    }


def digest(it: Named | str, paths: Iterable[File]) -> str:
    """The SHA-256 of all findings on some captures, read afresh."""
    it = named(it) if isinstance(it, str) else it
    said = sha256()
    for path in paths:
        try:
            found = looking.looked(it.technique, _of(captures.read(path)))
        except Stopped as error:
            said.update(f"stopped: {error}".encode())
        else:
            said.update(repr(found).encode())
    return said.hexdigest()


def of_damage(it: Named, paths: Iterable[Path]) -> Iterator[str]:
    """Damaged captures are gone through to their end."""
    with TemporaryDirectory(prefix="fingerprint-mangled-") as folder:
        for path in paths:
            for how in mangling.HOW:
                damaged = Path(folder) / "mangled.pcap"
                damaged.write_bytes(mangling.mangled(captures.read(path), how))
                try:
                    looking.looked(it.technique, _of(captures.read(damaged)))
                except Stopped as error:
                    at = f" at {error.at}" if error.at else ""
                    yield f"on {name_of(path)}, {how}, it stopped{at}: {error}"


def of_changes(it: Named, paths: Iterable[Path], ways: Sequence[str]) -> Iterator[str]:
    """The same verdict after a change that changes nothing."""
    with TemporaryDirectory(prefix="fingerprint-changed-") as folder:
        for path in paths:
            recording = captures.read(path)
            if findings(it, path)[1] or len(recording.columns) > MOST_REWRITTEN_PKTS:
                continue
            before = sorted(nodes for _, nodes in convicted(it, capture_of(path)))
            for how in ways:
                changed = Path(folder) / "changed.pcap"
                changed.write_bytes(TRANSFORMS[how](recording))
                try:
                    after = sorted(nodes for _, nodes in convicted(it, _of(captures.read(changed))))
                except Stopped as error:
                    yield f"on {name_of(path)}, {how}, it stopped: {error}"
                    continue
                if after != before:
                    yield f"{how} changes its verdict on {name_of(path)}: {before} becomes {after}"
