"""The verbs about a verdict's packets: ``evidence`` and ``crosscheck``, and what `analyse` has of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

Filter = Annotated[
    str | None, typer.Option("-Y", "--display-filter", metavar="FILTER", help="Only conversations that match it.")
]
Keylog = Annotated[
    Path | None, typer.Option("--keylog", metavar="FILE", help="Secrets of TLS sessions of your own (SSLKEYLOGFILE).")
]
Evidence = Annotated[
    Path | None, typer.Option("-w", "--write", metavar="OUT.pcapng", help="Write the packets that decide, annotated.")
]
File = Annotated[str, typer.Argument(metavar="FILE", help="A capture.", show_default=False)]
Out = Annotated[Path | None, typer.Option("-o", "--out", metavar="OUT.pcapng", help="Write them there.")]
Report = Annotated[Path | None, typer.Option("--report", metavar="REPORT.json", help="A report made before, to check.")]
Json = Annotated[bool, typer.Option("--json", help="Every fact of every packet, as JSON.")]
Plugins = Annotated[list[Path] | None, typer.Option("--plugins", metavar="DIR|FILE", help="Techniques of your own.")]
Technique = Annotated[list[str] | None, typer.Option("--technique", metavar="ID", help="Only this one (repeatable).")]


def evidence(file: File, out: Out = None, technique: Technique = None, plugins: Plugins = None) -> None:
    """Cut out the packets that a verdict rests on, annotated.

    Opens in Wireshark, says the same when it is judged again, and names every cited packet by its number in FILE.
    """
    from fingerprint import analysing, cutting

    raise typer.Exit(cutting.evidence(file, out, analysing.registry(plugins or (), (), technique or ())))


def crosscheck(
    file: File,
    report: Report = None,
    display_filter: Filter = None,
    keylog: Keylog = None,
    json: Json = False,
    technique: Technique = None,
    plugins: Plugins = None,
) -> None:
    """Compare the cited packets with Wireshark's reading of them.

    Fact by fact: agree, disagree, not available. Exits with 1 on any disagreement, and if nothing could be compared.
    """
    from fingerprint import analysing
    from fingerprint.crosscheck import checking

    registry = analysing.registry(plugins or (), (), technique or ())
    second = checking.check(file, registry, report=report, display_filter=display_filter, keylog=keylog, as_json=json)
    raise typer.Exit(second)


def cutter(out: Path | None, files: list[str], registry: Any, part_s: float | None) -> Callable[[Any], None]:
    """What is to be done with a report once it is written: cut out its evidence, or nothing."""
    if out is None:
        return lambda _report: None
    from fingerprint import cutting

    cutting.check(out, files, part_s=part_s)
    return lambda report: cutting.after(files[0], out, report, registry)


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    app.command("evidence")(evidence)
    app.command("crosscheck")(crosscheck)
