"""A report for people: findings first, a few lines a target, every sentence with its packets, and what to do next."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from fingerprint.report import wording
from fingerprint.report.document import by_capture, listed
from fingerprint.report.privacy import Veil, file_name, veil
from fingerprint.technique import Cited
from fingerprint.terminal import ascii_only, clean, console
from fingerprint.verdict import taxonomy
from fingerprint.verdict.model import STATES, Mechanism, Report, Verdict, Weighed

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import IO

    from rich.console import Console

# Left column of a target's lines, wide enough for the longest label.
LABEL_WIDTH = 12
# Sentences of evidence shown for a mechanism; the others are counted, and --why shows all.
EVIDENCE_SHOWN = 4
ALTERNATIVES_SHOWN = 3
# Targets that work are counted, and named up to here.
OK_NAMED = 8
# Packet numbers printed with a sentence; JSON has all.
PACKETS_SHOWN = 6
# A device whose score is lower fits in few fields, or not in all.
ALIKE = 0.7
# Evidence that shifts the odds by less than this (natural log) decided nothing.
DECIDES = 0.1

# The mood in which a report is read: what matters most, first.
ORDER = ("blocked", "down", "insufficient", "invalid", "ok")
ALL_STATES = tuple(sorted(STATES, key=ORDER.index))


@dataclass(frozen=True, slots=True, kw_only=True)
class Showing:
    """What was asked to be seen."""

    why: bool = False
    all_ok: bool = False
    with_vantage: bool = False


def write(report: Report, out: IO[str], showing: Showing) -> None:
    """Write the report to ``out``, coloured on a terminal and plain in a pipe."""
    page = Page(console(out), veil(report, with_vantage=showing.with_vantage), showing, plain=ascii_only(out))
    page.headline(report)
    named = listed(report.verdicts, all_ok=showing.all_ok)
    for verdict in sorted((v for v in named if v.state != "ok"), key=lambda v: ALL_STATES.index(v.state)):
        page.verdict(verdict, several=len(report.captures) > 1)
    page.working([v for v in named if v.state == "ok"])
    page.captures(report)
    page.errors(report)
    page.last_line(report)


class Page:
    """A page being written, line by line."""

    def __init__(self, to: Console, hide: Veil, showing: Showing, *, plain: bool) -> None:
        self.to = to
        self.hide = hide
        self.showing = showing
        self.plain = plain

    def safe(self, text: str) -> str:
        """Text from a capture, as it may be shown."""
        text = clean(self.hide(text))
        return text.encode("ascii", "backslashreplace").decode() if self.plain else text

    def line(self, *parts: tuple[str, str] | str) -> None:
        """One line or, wrapped, several."""
        self.hung("", *parts)

    def labelled(self, label: str, *parts: tuple[str, str] | str) -> None:
        """``  trigger     tls.sni = example.org``, wrapped under itself."""
        self.hung(f"  {label:<{LABEL_WIDTH}}", *parts)

    def hung(self, label: str, *parts: tuple[str, str] | str) -> None:
        """A label and a text that hangs beside it, wrapped, with no blanks at the ends of lines."""
        from rich.text import Text

        text = Text()
        for part in parts:
            words, style = (part, "") if isinstance(part, str) else part
            text.append(self.safe(words), style)
        lines = text.wrap(self.to, max(20, self.to.width - len(label)), overflow="fold") if text else [text]
        for n, line in enumerate(lines):
            line.rstrip()
            margin = Text().append(" " * len(label) if n else label, "dim")
            self.to.print(margin.append_text(line), soft_wrap=True)

    def blank(self) -> None:
        """An empty line."""
        self.to.print()

    def symbol(self, state: str) -> str:
        """The state's sign."""
        return wording.STATES[state][1 if self.plain else 0]

    def headline(self, report: Report) -> None:
        """Who is blocked, in one sentence."""
        if not report.verdicts:
            self.line(("No service was contacted in what could be read.", "bold"))
            return
        parts: list[tuple[str, str] | str] = []
        for state in ALL_STATES:
            if n := sum(v.state == state for v in report.verdicts):
                style = wording.STATES[state][3]
                parts += [", " if parts else "", (f"{n:,} {wording.STATES[state][2]}", style)]
        self.line((f"{wording.count(len(report.verdicts), 'target')}: ", "bold"), *parts)

    def verdict(self, v: Verdict, *, several: bool) -> None:
        """A target that does not simply work."""
        symbol, _, word, style = wording.STATES[v.state]
        self.blank()
        reach = f" ({v.reach})" if v.reach not in ("none", "full") else ""
        role = f"  {v.service}/{v.role}" if v.service and v.role else f"  {v.service}" if v.service else ""
        vantage = f"  seen from {v.vantage}" if v.vantage else ""
        self.line(
            (f"{self.symbol(v.state) if self.plain else symbol} {word}", style),
            f"{reach}  ",
            (v.target, "bold"),
            (role + vantage, "dim"),
        )
        for m in v.mechanisms:
            self.mechanism(m, several=several)
        if v.cause:
            self.cause(v, several=several)
        self.others(v)
        self.consequences(v, several=several)
        for technique, e in self.notable(v):
            self.labelled("also seen", e, (f"  {technique}", "dim"))
        for step in v.next:
            self.labelled("next", (step, "italic"))

    def mechanism(self, m: Mechanism, *, several: bool) -> None:
        """How it is done, by whom and where, from which packets."""
        self.labelled("how", (m.node, "bold"), f"  {wording.how(m.node)}")
        self.labelled("confidence", wording.confidence(m))
        if m.trigger:
            meaning = wording.TRIGGERS.get(m.trigger.field)
            said = f"  {meaning}" if meaning else ""
            self.labelled("trigger", f"{m.trigger.field} = ", (m.trigger.value, "bold"), said)
        else:
            self.labelled("trigger", "none found")
        self.labelled("position", wording.POSITIONS.get(m.position, m.position), self.place(m))
        if m.shape:
            self.labelled("shape", wording.SHAPES.get(m.shape, m.shape))
        if m.rate_bps:
            self.labelled("rate", wording.rate(m.rate_bps))
        if m.burst_bytes:
            self.labelled("burst", wording.size(m.burst_bytes))
        if m.residual_s:
            self.labelled("residual", f"{m.residual_s.value:.0f} s more after a trigger")
        for i in m.injector[:2]:
            against = f", contradicts {', '.join(i.contradicts)}" if i.contradicts else ""
            few = ", so few that others may send the same" if i.score < ALIKE else ""
            said = f"fits {', '.join(i.fits)}{few}{against}" if i.fits else i.source
            self.labelled("resembles", i.name, (f"  {said}", "dim"))
        self.evidence(m.evidence, several=several)
        if self.showing.why:
            for n, line in enumerate(m.why):
                self.labelled("" if n else "why", line)

    def place(self, m: Mechanism) -> tuple[str, str]:
        """Where on the path, if it was measured."""
        if not m.location or m.location.hop is None:
            return "", ""
        link = f", on the link {m.location.link[0]}–{m.location.link[1]}" if m.location.link else ""
        number = f", AS{m.location.asn}" if m.location.asn else ""
        router = f" ({m.location.address}{number})" if m.location.address else ""
        return f"; hop {m.location.hop}{link}{router}", ""

    def evidence(self, weighed: tuple[Weighed, ...], *, several: bool) -> None:
        """The deciding packets: one line a clue, its strongest sighting first, others of the clue counted."""
        decisive = [w for w in weighed if w.log_odds > DECIDES] or list(weighed[:1])
        sightings: dict[str, list[Weighed]] = {}
        for w in sorted(decisive, key=lambda w: -w.log_odds):
            sightings.setdefault(w.evidence.clue.id, []).append(w)
        for n, same in enumerate(list(sightings.values())[:EVIDENCE_SHOWN]):
            again = f", and {wording.again(len(same) - 1)}" if len(same) > 1 else ""
            where = self.packets(same[0].evidence.packets, several=several)
            self.labelled("" if n else "evidence", same[0].evidence.says, (f"{where}{again}", "dim"))
        if len(sightings) > EVIDENCE_SHOWN and not self.showing.why:
            left = wording.count(len(sightings) - EVIDENCE_SHOWN, "clue")
            self.labelled("", (f"{left} more; --why shows every one with its weight", "dim"))

    def packets(self, cited: Iterable[Cited], *, several: bool) -> str:
        """``  packets 12, 14, 15``; with several files, which one."""
        places = by_capture(cited)
        said = []
        for capture, numbers in places:
            shown = ", ".join(map(str, numbers[:PACKETS_SHOWN])) + (", …" if len(numbers) > PACKETS_SHOWN else "")
            said.append(f"{shown} of file {capture + 1}" if several else shown)
        many = sum(len(numbers) for _, numbers in places) > 1
        return f"  {'packets' if many else 'packet'} {'; '.join(said)}" if said else ""

    def cause(self, v: Verdict, *, several: bool) -> None:
        """Why it is not called blocked."""
        assert v.cause
        p = f" ({wording.percent(v.cause.posterior)})" if v.cause.posterior is not None else ""
        self.labelled("because", v.cause.says + p)
        if v.cause.evidence:
            self.evidence(v.cause.evidence, several=several)
        seen = dict.fromkeys(finding.why for _, finding in v.inconclusive)
        packets = {finding.why: finding.packets for _, finding in reversed(v.inconclusive)}
        for n, reason in enumerate(list(seen)[:ALTERNATIVES_SHOWN]):
            self.labelled("" if n else "missing", reason, (self.packets(packets[reason], several=several), "dim"))

    def others(self, v: Verdict) -> None:
        """What else it could have been, and why not; explanations that fall to the same sentence share a line."""
        fallen: dict[str, list[str]] = {}
        for a in v.alternatives:
            named = taxonomy.INNOCENTS.get(a.hypothesis, a.hypothesis)
            fallen.setdefault(a.against, []).append(f"{named} ({wording.percent(a.posterior)})")
        label = "less likely" if v.mechanisms else "could be"
        read_above = {w.evidence.says for m in v.mechanisms for w in m.evidence}
        for n, (against, losers) in enumerate(list(fallen.items())[:ALTERNATIVES_SHOWN]):
            reason = "the evidence above speaks against it" if against in read_above else f"against it: {against}"
            reason = reason.replace(" it", " them") if len(losers) > 1 else reason
            self.labelled("" if n else label, ", ".join(losers), (f" – {reason}", "dim"))

    def consequences(self, v: Verdict, *, several: bool) -> None:
        """Failures that follow from another one: evidence for nothing else. Equal sentences share a line."""
        packets: dict[str, list[Cited]] = {}
        for says, cited in v.consequences:
            packets.setdefault(says, []).extend(cited)
        for n, (says, all_cited) in enumerate(list(packets.items())[:ALTERNATIVES_SHOWN]):
            self.labelled("" if n else "follows", says, (self.packets(all_cited, several=several), "dim"))

    def notable(self, v: Verdict) -> Iterator[tuple[str, str]]:
        """Facts that moved no verdict, each once."""
        counted: dict[tuple[str, str], int] = {}
        for technique, e in v.observations:
            counted[technique, e.says] = counted.get((technique, e.says), 0) + 1
        shown = list(counted.items()) if self.showing.why else list(counted.items())[:2]
        for (technique, says), n in shown:
            yield technique, says if n == 1 else f"{says} ({n} times)"

    def working(self, ok: list[Verdict]) -> None:
        """What works, in as few lines as possible."""
        if not ok:
            return
        self.blank()
        named = list(dict.fromkeys(v.target for v in ok))
        shown = named if self.showing.all_ok else named[:OK_NAMED]
        rest = f" and {len(named) - len(shown):,} more (--all lists them)" if len(named) > len(shown) else ""
        self.line(
            (f"{self.symbol('ok')} {wording.STATES['ok'][2]}", wording.STATES["ok"][3]), f"  {', '.join(shown)}{rest}"
        )

    def captures(self, report: Report) -> None:
        """The files, and what their quality forbids to conclude."""
        if not report.captures:
            return
        self.blank()
        for n, c in enumerate(report.captures, 1):
            number = f"file {n}: " if len(report.captures) > 1 else ""
            known = c.first_ns is not None and c.last_ns is not None
            span = f", {((c.last_ns or 0) - (c.first_ns or 0)) / 1e9:,.1f} s" if known else ""
            name = file_name(c.file, with_vantage=self.showing.with_vantage)
            at = f" from {day(c.first_ns)}" if c.first_ns is not None else ""
            self.line((f"{number}{name}: {wording.count(c.packets, 'packet')}{span}{at}", "dim"))
            if said := wording.vantage(c.vantage):
                self.line((f"  {said}", "yellow" if c.vantage.simulated else "dim"))
            for target, packets, decided, _ in c.run.targets if c.run else ():
                stood = f"; the verdict stood after {decided:,}" if decided else ""
                self.line((f"  {target}: {wording.count(packets, 'packet')} of the run{stood}", "dim"))
            for q in c.quality:
                self.line((f"  {q.issue}: {q.detail}", "yellow"))

    def errors(self, report: Report) -> None:
        """What could not be read, on the page too: half an answer must not look like a whole one."""
        for failure in report.errors:
            self.line(("! ", "bold red"), self.told(failure.file, failure.error))
        if report.partial:
            self.line(("! ", "bold red"), f"this run was cut short: {report.partial}")

    def told(self, file: str, error: str) -> str:
        """The error with its file in front, unless it already begins so."""
        name = file_name(file, with_vantage=self.showing.with_vantage)
        return error if error.startswith(f"{name}:") else f"{name}: {error}"

    def last_line(self, report: Report) -> None:
        """What to do next."""
        self.blank()
        self.line((advice(report, why=self.showing.why), "dim"))


def advice(report: Report, *, why: bool) -> str:
    """The last line: one step that helps with this very report."""
    states = {v.state for v in report.verdicts}
    if not report.captures:
        return "Next: mend what is named above; fingerprint demo shows a report on a capture that reads well."
    if not report.verdicts:
        return "Next: capture again while somebody tries what this is about; nothing of it is in these packets."
    if "blocked" in states and not why:
        return "Next: the same with --why shows the sum behind each verdict; --json has every packet number."
    if "blocked" in states:
        return "Next: open the packets above in Wireshark; their numbers are Wireshark's."
    if states & {"insufficient", "invalid"}:
        return "Next: the steps named above would settle what is open; --why shows what was weighed."
    if "down" in states:
        return "Next: measure from a second vantage; a fault of the server is there too."
    return "Next: nothing is blocked in this capture; --all lists every target, --json all that is known of it."


def day(time_ns: int) -> str:
    """Minute precision is enough for a reader; JSON has nanoseconds."""
    try:
        return f"{datetime.fromtimestamp(time_ns // 1_000_000_000, UTC):%Y-%m-%d %H:%M} UTC"
    except (OverflowError, ValueError, OSError):
        return "an unknown time"
