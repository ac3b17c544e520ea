"""Runs `fingerprint run` behind presets of the laboratory and prints what came of it: lab.py [--quick] [PRESET…].

A row ends with the packets recorded, after how many of them the verdict stood, and the path that was not the preset's.

The grid: two hop counts, two delays, cubic and BBR, five seeds. `--quick` is each preset once, as it is.
`--orders` runs each preset in both orders, simulated, and prints how many packets the verdict took in the median.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from random import Random
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from fingerprint.lab.laboratory import Settings
from fingerprint.lab.presets import PRESETS
from tests.lab.judging import Outcome, judged, live, simulated


def variants(censor: str) -> Iterator[tuple[Settings, int]]:
    """The grid of one preset: settings and seeds."""
    for hops in (4, 7):
        for stretch in (1, 4):
            for congestion in ("cubic", "bbr"):
                for seed in range(1, 6):
                    made = Settings.of(censor, hops=hops, congestion=congestion)
                    at = min(made.path.at + (hops > 4), hops - 1)
                    path = replace(
                        made.path, at=at, before_s=made.path.before_s * stretch, behind_s=made.path.behind_s * stretch
                    )
                    yield replace(made, path=replace(path, seed=seed)), seed


def one(censor: str, settings: Settings, seed: int, extra: tuple[str, ...] = ()) -> Outcome:
    """One run, judged."""
    with tempfile.TemporaryDirectory() as folder:
        report, script, _, says, seconds = live(censor, Path(folder), settings=settings, seed=seed, extra=extra)
    return judged(censor, report, at=settings.path.at, seconds=seconds, says=says, script=script)


def line(o: Outcome, settings: Settings, seed: int) -> str:
    """An outcome as a row."""
    path = f"{settings.path.hops} hops, {2000 * (settings.path.before_s + settings.path.behind_s):.0f} ms"
    mark = "ok  " if o.right else "BAD "
    where = f"{o.position or '-'} {'' if o.hop is None else f'link {o.hop}–{o.hop + 1}'}"
    nodes = ", ".join(o.nodes) or "-"
    words = f"  [{o.says.strip().splitlines()[-1][:160]}]" if o.result == "failed" and o.says.strip() else ""
    return (
        f"{mark}{o.censor:<20}{o.result:<12}{where:<24}{o.shape or '':<9}{o.seconds:5.1f} s "
        f"{o.packets:6} pkts ({o.decided_after_pkts})  {path}, {settings.congestion}, seed {seed}: {nodes}{words}"
    )


def main() -> int:
    """Print the table; 1 if any cell is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("presets", nargs="*")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--orders", action="store_true")
    parser.add_argument("--sample", type=int, help="so many cells of the grid, drawn by a fixed seed")
    parser.add_argument("--jobs", type=int, default=4)
    asked = parser.parse_args()
    names = asked.presets or list(PRESETS)
    if asked.orders:
        return orders(names)
    cells = [
        (name, settings, seed)
        for name in names
        for settings, seed in ([(Settings.of(name), 1)] if asked.quick else variants(name))
    ]
    if asked.sample:
        cells = Random(1).sample(cells, min(asked.sample, len(cells)))  # noqa: S311  # which cells, no secret
    outcomes = []
    with ThreadPoolExecutor(asked.jobs) as pool:
        for (_, settings, seed), outcome in zip(cells, pool.map(lambda cell: one(*cell), cells), strict=True):
            outcomes.append(outcome)
            print(line(outcome, settings, seed), flush=True)
    wrong = [o for o in outcomes if not o.right]
    blocks = sum(o.result == "false-block" for o in outcomes)
    print(f"{len(outcomes) - len(wrong)} of {len(outcomes)} right, {blocks} false blocks")
    return 1 if wrong else 0


def orders(names: list[str]) -> int:
    """Both orders over the same presets, on the simulated path: packets until the verdict stood, and in all."""
    rows = []
    for name in names:
        took = {}
        for order in ("adaptive", "fixed"):
            with tempfile.TemporaryDirectory() as folder:
                script, _, _ = asyncio.run(simulated(name, Path(folder), order=order))
            took[order] = (script.targets[0].decided_after_pkts, script.targets[0].packets)
        rows.append(took)
        print(f"{name:<20}" + "  ".join(f"{o}: {d or 'open'} of {all_}" for o, (d, all_) in took.items()), flush=True)
    both = [row for row in rows if all(decided for decided, _ in row.values())]
    for order in ("adaptive", "fixed") if both else ():
        decided, sent = (median(row[order][i] or 0 for row in both) for i in (0, 1))
        print(
            f"{order}: the verdict took {decided:.0f} packets in the median of {len(both)} presets, the run {sent:.0f}"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
