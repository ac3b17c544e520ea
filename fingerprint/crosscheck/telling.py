"""A second opinion in words: whether the two agree, every disagreement, and what could not be compared."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from typing import IO

from fingerprint import exits
from fingerprint.crosscheck.comparing import AGREE, DISAGREE, NOT_AVAILABLE, Compared
from fingerprint.crosscheck.opinion import Opinion
from fingerprint.terminal import clean
from fingerprint.wireshark.shark import ranges

SCHEMA = "fingerprint/crosscheck/1"
# A wrong decoder disagrees everywhere; the JSON has them all.
SHOWN = 50


def code(opinion: Opinion) -> int:
    """0 where everything compared agrees, 3 if tshark complained all the same, 1 for anything else."""
    if not opinion.agrees:
        return exits.FAILED
    return exits.PARTIAL if opinion.complaints else exits.ANSWERED


def write(opinion: Opinion, out: IO[str], *, as_json: bool) -> None:
    """The opinion as text, or as a document with every fact of every packet."""
    if as_json:
        json.dump(as_dict(opinion), out, indent=1, ensure_ascii=False)
        out.write("\n")
        return
    for line in lines(opinion):
        out.write(clean(line) + "\n")


def as_dict(opinion: Opinion) -> dict[str, object]:
    """The document of schema ``fingerprint/crosscheck/1``."""
    return {
        "schema": SCHEMA,
        "file": opinion.file,
        "sha256": opinion.sha256,
        "wireshark": opinion.version,
        "packets": opinion.packets,
        "agrees": opinion.agrees,
        "counts": {o: len(opinion.of(o)) for o in (AGREE, DISAGREE, NOT_AVAILABLE)},
        "facts": [
            {
                "packet": c.number,
                "fact": c.fact,
                "ours": c.ours,
                "wireshark": list(c.wireshark),
                "outcome": c.outcome,
                "says": c.says or None,
            }
            for c in opinion.compared
        ],
        "complaints": list(opinion.complaints),
    }


def lines(opinion: Opinion) -> Iterable[str]:
    """The text, line by line; not cleaned for a terminal yet."""
    agree, disagree, missing = (opinion.of(o) for o in (AGREE, DISAGREE, NOT_AVAILABLE))
    yield (
        f"{opinion.file}: Wireshark {opinion.version} {verb(opinion)}: {len(agree)} facts of {opinion.packets} cited "
        f"packets agree, {len(disagree)} disagree, {len(missing)} are not available"
    )
    if disagree:
        yield ""
        yield from table(disagree[:SHOWN])
        if len(disagree) > SHOWN:
            yield f"and {len(disagree) - SHOWN} more; --json has them all"
    if missing:
        yield ""
        yield "not available, because only one of the two shows it where it was looked for:"
        counted = Counter((c.fact, "Wireshark" if c.ours is None else "we") for c in missing)
        yield from (f"  {fact}  {count} × only {who}" for (fact, who), count in sorted(counted.items()))
    yield ""
    if disagree:
        yield f"next: look at them in Wireshark: frame.number in {{{ranges({c.number for c in disagree})}}}"
    else:
        yield f"next: fingerprint evidence {opinion.file}   # the same packets, for somebody else's Wireshark"


def verb(opinion: Opinion) -> str:
    """What Wireshark does about it, in a word or three."""
    if opinion.agrees:
        return "agrees"
    return "disagrees" if opinion.of(DISAGREE) else "has nothing to compare"


def table(rows: Iterable[Compared]) -> Iterable[str]:
    """Disagreements, one a line, in columns."""
    cells = [
        (f"frame {c.number}", c.fact, f"ours {c.ours}", f"Wireshark {', '.join(c.wireshark[:4])}", c.says) for c in rows
    ]
    wide = [max(len(row[i]) for row in cells) for i in range(4)]
    for row in cells:
        told = "  ".join(word.ljust(width) for word, width in zip(row[:4], wide, strict=True)).rstrip()
        yield f"  {told}{f'  ({row[4]})' if row[4] else ''}"
