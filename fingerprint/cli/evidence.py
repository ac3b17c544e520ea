"""The verbs about a verdict's packets: ``evidence`` and ``crosscheck``, and what `analyse` has of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from fingerprint.cli import judging_options

File = Annotated[str, typer.Argument(metavar="FILE", help="A capture.", show_default=False)]
Out = Annotated[Path | None, typer.Option("-o", "--out", metavar="OUT.pcapng", help="Write them there.")]
Report = Annotated[Path | None, typer.Option("--report", metavar="REPORT.json", help="A report made before, to check.")]
Json = Annotated[bool, typer.Option("--json", help="Every fact of every packet, as JSON.")]


def evidence(
    file: File, out: Out = None, technique: judging_options.Only = None, plugins: judging_options.Plugins = None
) -> None:
    """Cut out the packets that a verdict rests on, annotated.

    Opens in Wireshark, says the same when it is judged again, and names every cited packet by its number in FILE.
    """
    from fingerprint.verbs import analysing, cutting

    raise typer.Exit(cutting.evidence(file, out, analysing.registry(plugins or (), (), technique or ())))


def crosscheck(
    file: File,
    report: Report = None,
    display_filter: judging_options.Filter = None,
    keylog: judging_options.Keylog = None,
    json: Json = False,
    technique: judging_options.Only = None,
    plugins: judging_options.Plugins = None,
) -> None:
    """Compare the cited packets with Wireshark's reading of them.

    Fact by fact: agree, disagree, not available. Exits with 1 on any disagreement, and if nothing could be compared.
    """
    from fingerprint.crosscheck import checking
    from fingerprint.verbs import analysing

    registry = analysing.registry(plugins or (), (), technique or ())
    second = checking.check(file, registry, report=report, display_filter=display_filter, keylog=keylog, as_json=json)
    raise typer.Exit(second)


def cutter(out: Path | None, files: list[str], registry: Any, part_s: float | None) -> Callable[[Any], None]:
    """What is to be done with a report once it is written: cut out its evidence, or nothing."""
    if out is None:
        return lambda _report: None
    from fingerprint.verbs import cutting

    cutting.check(out, files, part_s=part_s)
    return lambda report: cutting.after(files[0], out, report, registry)


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    app.command("evidence")(evidence)
    app.command("crosscheck")(crosscheck)
