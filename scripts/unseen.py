"""Runs against censors and innocents that are drawn from seeds, on the simulated path: unseen.py [--seeds 1-100].

Prints a line for each that is not exact, and the sum. The exit code is 1 if anything was said that is not so.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.lab import judging, unseen


def one(kind: str, seed: int) -> tuple[str, str, str]:
    """What was drawn, what its report is worth, and a line about it."""
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(judging.unseen_run(kind, seed, Path(folder)))


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", default="1-60")
    parser.add_argument("--jobs", type=int, default=2)
    asked = parser.parse_args()
    first, _, last = asked.seeds.partition("-")
    cells = [(kind, seed) for seed in range(int(first), int(last or first) + 1) for kind in ("censor", "innocent")]
    counted: Counter[tuple[str, str]] = Counter()
    with ProcessPoolExecutor(asked.jobs) as pool:
        for drawn, result, line in pool.map(one, *zip(*cells, strict=True)):
            counted[drawn, result] += 1
            if result not in ("exact", "acquitted"):
                print(f"{result:<12}{line}", flush=True)
    for (drawn, result), number in sorted(counted.items()):
        print(f"{drawn:<16}{result:<12}{number}")
    return 1 if any(result in unseen.FALSE for _, result in counted) else 0


if __name__ == "__main__":
    sys.exit(main())
