"""``fingerprint injectors``: the table, and which of its devices the forged packets of some captures resemble."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import captures
from captures import CaptureError, Recording
from fingerprint import engine, exits, injectors, tables
from fingerprint.capture import Capture
from fingerprint.injectors.matching import Compared, Row, complaints, in_words, rows
from fingerprint.injectors.traits import Traits
from fingerprint.plugins.registry import Registry
from fingerprint.terminal import clean, complain, console, hang

STANDING = {"read": "read in the source", "told": "told by others", "derived": "derived from captures"}


def show_table(*, as_json: bool) -> int:
    """Every row with its fields and where they are known from."""
    known, _ = tables.at_hand()
    for says in complaints(known):
        complain(says)
    found = rows(known)
    if as_json:
        print(json.dumps([_plain(row) for row in found], indent=1, ensure_ascii=False))  # noqa: T201  # the answer
        return exits.ANSWERED
    out = console()
    for row in found:
        out.print(clean(row.name), style="bold")
        fields = ", ".join(f"{k} {in_words(k, v)}" for k, v in row.fields.items())
        hang(out, "  ", f"{row.kind}: {fields}")
        hang(out, "  ", "; ".join([row.source, STANDING[row.standing], *_more(row)]), "dim")
    out.print("\nNext: fingerprint injectors --match capture.pcapng", style="dim")
    return exits.ANSWERED


def show_matches(files: Sequence[str], registry: Registry, *, as_json: bool) -> int:
    """What the forged packets of each capture resemble, and which captures may show one device."""
    report = engine.analyse(files, techniques=registry)
    for failure in report.errors:
        complain(failure.error if failure.error.startswith(failure.file) else f"{failure.file}: {failure.error}")
    found = _found(files, report.verdicts)
    numbers = injectors.clusters([makers for _, makers in found])
    told = [_told(file, makers, number) for (file, makers), number in zip(found, numbers, strict=True)]
    if as_json:
        print(json.dumps(told, indent=1, ensure_ascii=False))  # noqa: T201  # the answer
    else:
        _print(told, read=bool(report.captures))
    return exits.FAILED if not report.captures else exits.PARTIAL if report.errors else exits.ANSWERED


def _found(files: Sequence[str], verdicts: Sequence[Any]) -> list[tuple[str, tuple[Traits, ...]]]:
    """(file, makers) of each convicted mechanism with packets that an injector sent."""
    recordings: list[Recording] = []
    names: list[str] = []
    short = [Path(file).name for file in files]
    for file, name in zip(files, short, strict=True):
        try:
            recordings.append(captures.read(file, index=len(recordings)))
            names.append(name if short.count(name) == 1 else file)
        except CaptureError:
            continue
    capture = Capture(recordings=tuple(recordings))
    out: dict[tuple[str, str], tuple[str, tuple[Traits, ...]]] = {}
    for verdict in verdicts:
        for m in verdict.mechanisms:
            makers = injectors.of_mechanism(capture, m, verdict)
            if makers:
                file = names[m.evidence[0].evidence.packets[0].capture]
                out.setdefault((file, "; ".join(maker.says for maker in makers)), (file, makers))
    return list(out.values())


def _told(file: str, makers: tuple[Traits, ...], number: int) -> dict[str, Any]:
    resembles = injectors.explained(makers, tables.at_hand()[0])
    return {
        "file": file,
        "device": number,
        "cluster": injectors.cluster_name(makers),
        "flows": max(maker.flows for maker in makers),
        "packets": [maker.says for maker in makers],
        "resembles": [_match(m) for m in resembles],
    }


def _print(told: Sequence[dict[str, Any]], *, read: bool) -> None:
    out = console()
    if read and not told:
        out.print("No packet of these captures is convicted as forged: there is nothing to compare.")
    for one in told:
        out.print(
            f"{clean(one['file'])}: device {one['device']} (cluster {one['cluster']}), seen on {one['flows']} flows",
            style="bold",
        )
        for says in one["packets"]:
            hang(out, "  sends      ", says)
        for m in one["resembles"]:
            out.print(f"  resembles  {clean(m['name'])} ({m['score']:.2f})")
            for f in m["fields"]:
                other = "" if f["fits"] else f"; of the device {clean(f['row'])}"
                out.print(f"    {'fits' if f['fits'] else 'contradicts':<11}  {f['field']} {clean(f['seen'])}{other}")
            out.print(f"    {clean(m['source'])}", style="dim")
        if not one["resembles"]:
            out.print("  resembles  no device of the table")
    same: dict[int, list[str]] = {}
    for one in told:
        same.setdefault(one["device"], []).append(one["file"])
    for number, files in same.items():
        if len(set(files)) > 1:
            out.print(f"\nDevice {number} may be the same in {', '.join(clean(f) for f in dict.fromkeys(files))}.")


def _match(c: Compared) -> dict[str, Any]:
    m = c.match
    return {
        "name": m.name, "score": m.score, "fits": list(m.fits), "contradicts": list(m.contradicts), "source": m.source,
        "fields": [{"field": f.name, "seen": f.seen, "row": f.row, "fits": f.fits} for f in c.fields],
    }  # fmt: skip


def _plain(row: Row) -> dict[str, Any]:
    return {
        "name": row.name, "kind": row.kind, "fields": dict(row.fields), "source": row.source, "standing": row.standing,
        "ends": row.ends or None, "first_seen": row.first_seen or None, "last_seen": row.last_seen or None, "n": row.n,
        "residual_s": row.residual_s,
    }  # fmt: skip


def _more(row: Row) -> list[str]:
    """When, toward whom, how often, and for how long: as far as it is known."""
    seen = " to ".join(dict.fromkeys(filter(None, (row.first_seen, row.last_seen))))
    said = {
        "seen {}": clean(seen), "n = {:,}": row.n, "to {}": "both ends" if row.ends == "both" else row.ends,
        "blocks for {:g} s": row.residual_s,
    }  # fmt: skip
    return [words.format(value) for words, value in said.items() if value]
