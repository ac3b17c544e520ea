"""One target of a report as a page shows it: what was concluded, from which packets, and why not something else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from fingerprint.pages import ladder_drawing, phrases, plot
from fingerprint.report import wording
from fingerprint.technique import Interval

# Lists are cut so that a page stays a page; what is cut is counted.
EVIDENCE_SHOWN, ALTERNATIVES_SHOWN, NOTES_SHOWN, PACKETS_SHOWN, DEVICES_SHOWN = 8, 6, 4, 8, 3
# A device whose score is lower fits in few fields, or not in all (as in a report for people).
ALIKE = 0.7

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A ladder, drawn, with the words beside it."""

    title: str
    control: bool
    drawing: Markup
    display_filter: str
    file: str
    left_out: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Clue:
    """A sentence of evidence, where it stands in the capture, and what it weighs."""

    says: str
    where: str
    technique: str
    log_odds: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One mechanism. ``key`` is unique in the page."""

    key: str
    node: str
    words: str
    confidence: str
    facts: tuple[tuple[str, str], ...]
    clues: tuple[Clue, ...]
    clues_left_out: int
    ladders: tuple[Shown, ...]
    plot: Markup
    plot_says: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """Explanations that fell to one sentence."""

    names: str
    against: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Everything about one target. ``drawn`` is False where pictures were left out to keep the page small."""

    target: str
    sign: tuple[str, str, str]
    ways: tuple[Way, ...]
    because: str | None
    because_clues: tuple[Clue, ...]
    rejected: tuple[Rejected, ...]
    rejected_left_out: int
    missing: tuple[Clue, ...]
    next: tuple[str, ...]
    endpoints: tuple[str, ...]


def finding(document: Document, target: Document, key: str, *, drawn: bool = True) -> Finding:
    """A target of a report as it is shown. ``key`` is unique in the page and begins the ids of its pictures."""
    names = [c["file"] for c in document["captures"]]
    cause = target["cause"]
    ways = tuple(_way(m, names, f"{key}-{n}", drawn=drawn) for n, m in enumerate(target["mechanisms"], 1))
    rejected = _rejected(target["alternatives"], {c.says for way in ways for c in way.clues})
    missing = {i["why"]: i for i in reversed(target["inconclusive"])}
    return Finding(
        target=target["target"],
        sign=phrases.of_target(target),
        ways=ways,
        because=cause and _because(cause),
        because_clues=clues_of(cause["evidence"], names)[0] if cause else (),
        rejected=rejected[:ALTERNATIVES_SHOWN],
        rejected_left_out=max(len(rejected) - ALTERNATIVES_SHOWN, 0),
        missing=tuple(
            Clue(says=i["why"], where=where([i], names), technique=i["technique"], log_odds=None)
            for i in [*reversed(missing.values())][:NOTES_SHOWN]
        ),
        next=tuple(target["next"]),
        endpoints=tuple(target["endpoints"][:PACKETS_SHOWN]),
    )


def _because(cause: Document) -> str:
    p = f" ({phrases.probability(cause['posterior'])})" if cause["posterior"] is not None else ""
    return f"{cause['says']}{p}"


def _way(m: Document, names: Sequence[str], key: str, *, drawn: bool) -> Way:
    clues, left_out = clues_of(m["evidence"], names)
    curves = m.get("curves", ()) if drawn else ()
    return Way(
        key=key,
        node=m["mechanism"],
        words=wording.how(m["mechanism"]),
        confidence=confidence(m),
        facts=tuple(_facts(m)),
        clues=clues,
        clues_left_out=left_out,
        ladders=tuple(
            Shown(
                title=ladder["title"],
                control=ladder["control"],
                drawing=ladder_drawing.drawing(ladder, f"{key}-ladder-{n}"),
                display_filter=ladder["display_filter"],
                file=names[ladder["capture"]] if ladder["capture"] < len(names) else "",
                left_out=ladder_drawing.left_out(ladder),
            )
            for n, ladder in enumerate(m.get("ladders", ()) if drawn else (), 1)
        ),
        plot=plot.drawing(curves, f"{key}-plot"),
        plot_says=plot.windows(curves),
    )


def confidence(m: Document) -> str:
    """The posterior, whether its numbers were measured, and what it would be under other priors."""
    standing = f"calibrated on {m['calibrated'].get('n')} captures" if m["calibrated"] else "uncalibrated"
    others = ", ".join(
        f"{phrases.probability(p)} if {'1 failure in' if not n else '1 in'} {1 / float(at):,.0f}"
        f"{' is blocking' if not n else ''}"
        for n, (at, p) in enumerate(sorted(m["posterior_at"].items()))
    )
    return f"{phrases.probability(m['posterior'])}, {standing}" + (f"; {others}" if others else "")


def _facts(m: Document) -> list[tuple[str, str]]:
    """Label and words of every facet that is known."""
    out = list[tuple[str, str]]()
    if trigger := m["trigger"]:
        meaning = wording.TRIGGERS.get(trigger["field"], "")
        out.append(("Trigger", f"{trigger['field']} = {trigger['value']}" + (f" – {meaning}" if meaning else "")))
    else:
        out.append(("Trigger", "none found"))
    position = str(m["position"])
    out.append(("Position", wording.POSITIONS.get(position, position) + _place(m["location"])))
    if m["shape"]:
        out.append(("Shape", wording.SHAPES.get(m["shape"], str(m["shape"]))))
    if m["rate_interval_bps"]:
        out.append(("Rate", wording.rate(Interval(**m["rate_interval_bps"]))))
    if m["burst_interval_bytes"]:
        out.append(("Burst", wording.size(Interval(**m["burst_interval_bytes"]))))
    if m["residual_s"]:
        out.append(("Residual", f"{m['residual_s']:.0f} s more after a trigger"))
    for device in m["injector"][:DEVICES_SHOWN]:
        fits, against = ", ".join(device["fits"]), ", ".join(device["contradicts"])
        few = ", so few that others may send the same" if fits and device["score"] < ALIKE else ""
        said = f"fits {fits}{few}" if fits else device["source"]
        out.append(
            (
                "Resembles",
                f"{phrases.device(device['name'])} – {said}" + (f"; contradicts {against}" if against else ""),
            )
        )
    return out


def _place(location: Document | None) -> str:
    if not location or location["hop"] is None:
        return ""
    link = f", on the link {location['link'][0]}–{location['link'][1]}" if location["link"] else ""
    router = f" ({location['address']})" if location["address"] else ""
    return f"; hop {location['hop']}{link}{router}"


def clues_of(evidence: Sequence[Document], names: Sequence[str]) -> tuple[tuple[Clue, ...], int]:
    """One line a clue, its strongest sighting first, repeats of it counted; and how many clues are left out."""
    by: dict[str, list[Document]] = {}
    for e in sorted(evidence, key=lambda e: -e["log_odds"]):
        by.setdefault(e["clue"], []).append(e)
    lines = []
    for same in by.values():
        again = f" (and {wording.again(len(same) - 1)})" if len(same) > 1 else ""
        first = same[0]
        lines.append(
            Clue(
                says=first["says"],
                where=where([first], names) + again,
                technique=first["technique"],
                log_odds=first["log_odds"],
            )
        )
    return tuple(lines[:EVIDENCE_SHOWN]), max(len(lines) - EVIDENCE_SHOWN, 0)


def where(places: Sequence[Document], names: Sequence[str]) -> str:
    """``packets 29, 31 of alpha.pcap``; nothing where no packet was cited."""
    said = []
    for place in places:
        packets, file = place["packets"], place["capture"]
        if not packets:
            continue
        shown = ", ".join(map(str, packets[:PACKETS_SHOWN])) + (", …" if len(packets) > PACKETS_SHOWN else "")
        of = f" of {names[file]}" if file is not None and file < len(names) else ""
        said.append(f"{'packet' if len(packets) == 1 else 'packets'} {shown}{of}")
    return "; ".join(said)


def _rejected(alternatives: Sequence[Document], read_above: set[str]) -> tuple[Rejected, ...]:
    """Explanations by what speaks against them, so that a sentence stands once."""
    by: dict[str, list[str]] = {}
    for a in alternatives:
        by.setdefault(a["against"], []).append(
            f"{phrases.hypothesis(a['hypothesis'])} ({phrases.probability(a['posterior'])})"
        )
    return tuple(
        Rejected(names="; ".join(names), against="the evidence above" if against in read_above else against)
        for against, names in by.items()
    )
