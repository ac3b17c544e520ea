"""The square: each technique alone, and all together, against every preset of the laboratory and innocent sample.

square.py [PRESET…]: a row a preset, a column a technique. The diagonal is convicted, the rest acquitted. Recordings are
made on the simulated path and kept in `build/square` for as long as nothing changes that they are made with.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import captures
from fingerprint import engine
from fingerprint.lab.presets import PRESETS
from fingerprint.plugins import registry
from fingerprint.report import as_dict
from fingerprint.testing.behind import Chosen
from tests.lab import judging

ROOT = Path(__file__).resolve().parents[1]
KEPT = ROOT / "build" / "square"
# What a recording on the simulated path depends on.
MADE_WITH = ("fingerprint/lab", "fingerprint/probing", "fingerprint/messages", "fingerprint/steps.py", "techniques")
MARKS = {"exact": "#", "ancestor": "+", "open": ".", "wrong": "X", "false-block": "F", "failed": "E"}
LEGEND = (
    "# the expected mechanism   + part of it   . nobody convicted   X another mechanism   F an innocent convicted   "
    "E no report   ! too little of all together"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """``marks``: all together first, then each technique alone; ``says`` what is wrong, empty if nothing is."""

    name: str
    marks: str
    says: str
    nodes: tuple[str, ...]


def fresh() -> str:
    """Changes whenever recordings have to be made again."""
    said = sha256()
    for place in MADE_WITH:
        path = ROOT / place
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            said.update(file.read_bytes())
    return said.hexdigest()[:16]


def recorded(preset: str, key: str) -> Path:
    """The recording behind a preset, made now or kept."""
    folder = KEPT / key / preset
    if not (folder / "run.script.json").exists():
        KEPT.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=KEPT) as made:
            asyncio.run(judging.simulated(preset, Path(made)))
            folder.mkdir(parents=True, exist_ok=True)
            for file in Path(made).iterdir():
                os.replace(file, folder / file.name)  # noqa: PTH105  # over whatever an interrupted run left
    return folder / "run.pcapng"


def forget_others(key: str) -> None:
    """Delete recordings that were made with something else."""
    for folder in KEPT.glob("*"):
        if folder.name != key:
            shutil.rmtree(folder, ignore_errors=True)


def of_preset(preset: str, key: str, known: list[str]) -> Row:
    """A preset judged by all techniques together and by each alone."""
    recording, at = recorded(preset, key), PRESETS[preset].path.at
    loaded = registry.load(only=known).techniques
    outcomes = [
        judging.judged(preset, as_dict(engine.analyse([str(recording)], techniques=Chosen(techniques=some))), at=at)
        for some in (loaded, *([one] for one in loaded))
    ]
    together, *alone = outcomes
    marks = "".join(MARKS[o.result] for o in outcomes)
    wrong = [
        f"{one} alone: {', '.join(o.nodes)}"
        for (one, _), o in zip(loaded, alone, strict=True)
        if o.result in ("wrong", "false-block", "failed")
    ]
    if not together.right:
        marks = ("!" if together.result in ("open", "ancestor", "exact") else marks[0]) + marks[1:]
        wrong.insert(0, f"all together {together.result}: {', '.join(together.nodes) or '-'}, {together.position}")
    return Row(name=preset, marks=marks, says="; ".join(wrong), nodes=together.nodes)


def of_sample(name: str, known: list[str]) -> Row:
    """An innocent sample: nobody may be convicted in it."""
    capture = innocents()[name]
    loaded = registry.load(only=known).techniques
    marks, wrong = "", []
    for who, some in (("all together", loaded), *((one[0], [one]) for one in loaded)):
        report = engine.analyse([str(capture)], techniques=Chosen(techniques=some))
        blocked = [f"{v.target}: {m.node}" for v in report.verdicts if v.state == "blocked" for m in v.mechanisms]
        marks += MARKS["false-block"] if blocked else MARKS["open"]
        if blocked:
            wrong.append(f"{who}: {', '.join(blocked)}")
    return Row(name=name, marks=marks, says="; ".join(wrong), nodes=())


def innocents() -> dict[str, Path]:
    """Captures among the samples in which nobody is blocked, by name."""
    found = {}
    for file in sorted((Path(captures.__file__).parent / "samples").glob("*/expected.json")):
        told = json.loads(file.read_text())
        if not any("blocked" in target["state"] for target in told["targets"].values()) and "sequence" not in told:
            found[file.parent.name] = next(file.parent.glob("capture.pcapng*"))
    return found


def head(known: list[str]) -> None:
    """The columns, numbered."""
    for number, name in enumerate(("all together", *known)):
        print(f"{number:4}  {name}")
    print(f"\n{LEGEND}\n")
    numbers = [f"{n:02}" for n in range(len(known) + 1)]
    for digit in (0, 1):
        print(" " * 33 + " ".join(number[digit] for number in numbers))


def show(rows: list[Row]) -> int:
    """Print rows, then what is wrong; how many rows are."""
    for row in rows:
        print(f"{row.name:<32} {' '.join(row.marks)}  {', '.join(dict.fromkeys(row.nodes))}"[:200])
    wrong = [row for row in rows if row.says]
    for row in wrong:
        print(f"  {row.name}: {row.says}")
    return len(wrong)


def main() -> int:
    """Print the square; 1 if a cell is wrong, or a technique that should convict alone convicts nobody."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("presets", nargs="*", help="only these")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--no-samples", action="store_true", help="leave the innocent samples out")
    asked = parser.parse_args()
    names = asked.presets or [*judging.expected()["presets"], *judging.expected()["innocents"]]
    known, key = [name for name, _ in registry.load().techniques], fresh()
    forget_others(key)
    head(known)
    with ProcessPoolExecutor(asked.jobs) as pool:
        rows = list(pool.map(partial(of_preset, key=key, known=known), names))
        bad = show(rows)
        samples = [] if asked.presets or asked.no_samples else list(innocents())
        if samples:
            print("\nInnocent samples")
            bad += show(list(pool.map(partial(of_sample, known=known), samples)))
    idle = []
    if not asked.presets:
        told = json.loads((ROOT / "tests" / "techniques" / "conformance.json").read_text())
        firing = {name for row in rows for name, mark in zip(known, row.marks[1:], strict=True) if mark in "#+"}
        idle = [name for name in known if told.get(name, {}).get("kinds") and name not in firing]
        print(f"\nalone they convict: {', '.join(sorted(firing)) or 'nobody'}")
        if idle:
            print(f"these should, and convict nobody: {', '.join(idle)}")
    total = len(rows) + len(samples)
    print(f"{total - bad} of {total} rows as they should be")
    return 1 if bad or idle else 0


if __name__ == "__main__":
    sys.exit(main())
