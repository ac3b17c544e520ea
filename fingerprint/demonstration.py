"""``fingerprint demo``: the main job on a capture that comes with the tool."""

from __future__ import annotations

import sys
from importlib.resources import as_file, files

from captures.errors import CaptureError
from fingerprint import analysing, exits
from fingerprint.analysing import Output, Showing
from fingerprint.terminal import clean, console

# The sample in which a reset is forged: two innocent names pass, one is cut.
CASE = "sni_forged_reset"


def show(*, form: str = "text", why: bool = False) -> int:
    """Judge the sample, print the report and what to try next, and return the exit code."""
    output = Output(form=form, showing=Showing(why=why))
    folder = files("captures") / "samples" / CASE
    with as_file(folder) as case:
        found = sorted(case.glob("capture.*")) if case.is_dir() else []
        if not found:
            raise CaptureError(f"the sample {CASE} is not installed; install the package again, or run `make samples`")
        report = analysing.judged([str(found[0])], analysing.registry((), (), ()))
        about = case / "about.md"
        if form == "text" and about.exists():
            introduce(about.read_text(encoding="utf-8"), str(found[0].name))
    analysing.finish(report, output)
    if form == "text":
        suggest()
    return exits.ANSWERED if report.captures else exits.FAILED


def introduce(about: str, name: str) -> None:
    """What is in the sample, from its own description: the heading and the first paragraph."""
    paragraphs = [p.strip() for p in about.split("\n\n") if p.strip()]
    heading = paragraphs[0].lstrip("# ") if paragraphs else CASE
    out = console(sys.stdout)
    out.print(clean(f"$ fingerprint analyse {name}"), style="bold")
    out.print(clean(f"  {heading}"), style="dim")
    out.print()


def suggest() -> None:
    """What to try next."""
    out = console(sys.stdout)
    out.print()
    out.print("Try next:", style="bold")
    for command, means in (
        ("fingerprint demo --why", "the sum behind the verdict, line by line"),
        ("fingerprint analyse yours.pcapng", "the same for a capture of your own"),
        ("fingerprint explain sni-filtering", "what a technique looks for, and when it is wrong"),
    ):
        out.print(f"  {command:<36}{means}")
