"""``fingerprint demo``: the main job on a capture that comes with the tool, then a whole evening of them."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from importlib.resources import as_file, files
from pathlib import Path

from captures.errors import CaptureError, TargetError
from fingerprint import exits
from fingerprint.report.wording import STATES, confidence, how
from fingerprint.terminal import ascii_only, clean, console, hang
from fingerprint.verbs import analysing
from fingerprint.verbs.analysing import Output, Showing
from fingerprint.verdict.model import Report, Verdict

# The sample in which a reset is forged: two innocent names pass, one is cut.
CASE = "sni_forged_reset"
# What every page of this tool says of itself; whatever does not is somebody else's file.
OURS = b'<meta name="generator" content="censorship-fingerprint '
PAGE = Path("fingerprint-incident.html")
HEAD_BYTES = 4096
EVENING = (
    "17 May 2020: Twitter, Periscope and Zoom failed in Pakistan, together, and nobody ever said how.",
    "This is a SIMULATION of that evening, with invented providers. Four of its captures are",
    "judged now; its other rounds lie in a store.",
)
FACTS = "What was really said in public about that evening, and nothing else:"


def show(*, form: str = "text", why: bool = False, out: Path | None = None) -> int:
    """One capture, then the evening: the page on it is written to ``out``. Returns the exit code.

    ``form`` other than text, and ``why``, give the capture's whole report and no evening; then that goes to ``out``.
    Raises TargetError where a file that is none of this tool's stands in the page's place.
    """
    page = out or PAGE
    if form != "text" or why:
        return whole(form=form, why=why, out=out)
    refuse_strangers(page)
    report, about = judged()
    introduce(about, report.captures[0].file)
    for verdict in report.verdicts:
        briefly(verdict)
    evening(page)
    suggest(page)
    return exits.ANSWERED


def whole(*, form: str, why: bool, out: Path | None) -> int:
    """The sample's report in full."""
    output = Output(form=form, path=out, showing=Showing(why=why))
    report, about = judged()
    if form == "text" and out is None:
        introduce(about, report.captures[0].file)
    analysing.finish(report, output)
    return exits.ANSWERED if report.captures else exits.FAILED


def judged() -> tuple[Report, str]:
    """The report on the sample, and what its own description says. Raises CaptureError where it is not installed."""
    with as_file(files("captures") / "samples" / CASE) as case:
        found = sorted(case.glob("capture.*")) if case.is_dir() else []
        if not found:
            raise CaptureError(f"the sample {CASE} is not installed; install the package again, or run `make samples`")
        report = analysing.judged([str(found[0])], analysing.registry((), (), ()))
        about = case / "about.md"
        return report, about.read_text(encoding="utf-8") if about.exists() else CASE


def introduce(about: str, name: str) -> None:
    """What is in the sample, from its own description: the heading."""
    out = console(sys.stdout)
    out.print(clean(f"$ fingerprint analyse {name}"), style="bold")
    out.print(clean(f"  {about.strip().splitlines()[0].lstrip('# ')}"), style="dim")
    out.print()


def briefly(verdict: Verdict) -> None:
    """A verdict in a few lines: state, how, how sure, and on which packets most of it rests."""
    out, plain = console(sys.stdout), ascii_only(sys.stdout)
    symbol, ascii_symbol, word, style = STATES[verdict.state]
    out.print(clean(f"{ascii_symbol if plain else symbol} {word}  {verdict.target}"), style=style)
    for mechanism in verdict.mechanisms:
        out.print(clean(f"  {mechanism.node}  {how(mechanism.node)}"))
        out.print(clean(f"  {confidence(mechanism)}"))
        for weighed in sorted(mechanism.evidence, key=lambda w: -w.log_odds)[:2]:
            numbers = ", ".join(str(c.number) for c in weighed.evidence.packets[:4])
            out.print(clean(f"  {weighed.evidence.says}  packets {numbers}, …"), style="dim")


def evening(page: Path) -> None:
    """The simulated evening from its captures and its store, as a page and a paragraph; then the public facts alone."""
    from fingerprint import pages
    from fingerprint.incident.making import EVERYTHING
    from fingerprint.verbs import assembling

    judging = assembling.Judging(registry=analysing.registry((), (), ()))
    out = console(sys.stdout)
    with ExitStack() as stack:
        folder = stack.enter_context(as_file(files("captures") / "evening"))
        kept = sorted(str(path) for path in folder.glob("*.pcapng.xz"))
        if not kept:
            raise CaptureError("the simulated evening is not installed; install the package again")
        out.print()
        out.print("$ fingerprint incident evening/*.pcapng.xz evening/store --html " + clean(str(page)), style="bold")
        for sentence in EVENING:
            out.print(f"  {sentence}", style="dim")
        out.print()
        incident, accounts, _ = assembling.assembled([*kept, str(folder / "store")], how=judging, only=EVERYTHING)
        with page.open("w", encoding="utf-8") as written:
            pages.write_html(incident, accounts, written)
        hang(out, "", incident.paragraph)
        out.print()
        out.print("$ fingerprint incident evening/public-facts.toml", style="bold")
        out.print(f"  {FACTS}", style="dim")
        out.print()
        told, _, _ = assembling.assembled([str(folder / "public-facts.toml")], how=judging, only=EVERYTHING)
        hang(out, "", f"{told.answer}: {told.headline}")


def refuse_strangers(page: Path) -> None:
    """Raises TargetError if something stands in the page's place that this tool did not write."""
    try:
        with page.open("rb") as file:
            ours = OURS in file.read(HEAD_BYTES)
    except FileNotFoundError:
        if not page.absolute().parent.is_dir():
            raise TargetError(f"{page}: there is no folder {page.parent}; make it first") from None
        return
    except OSError as error:
        raise TargetError(f"{page}: {error.strerror}; name another place with --out") from None
    if not ours:
        raise TargetError(f"{page} is there already and no page of this tool; move it, or name another with --out")


def suggest(page: Path) -> None:
    """What to try next."""
    out = console(sys.stdout)
    out.print()
    out.print("Try next:", style="bold")
    for command, means in (
        (f"open {page}", "the evening: matrix, time line, packets, what is not known"),
        ("fingerprint demo --why", "the sum behind the first verdict, line by line"),
        ("fingerprint analyse yours.pcapng", "the same for a capture of your own"),
        ("fingerprint explain sni-filtering", "what a technique looks for, and when it is wrong"),
    ):
        out.print(clean(f"  {command:<36}{means}"))
