"""``fingerprint convert``: findings in the forms of others. Parse, call, print."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fingerprint.cli import judging_options

Sources = Annotated[
    list[str] | None,
    typer.Argument(metavar="FILE|DIR|-", help="Captures, reports, stores or files of OONI.", show_default=False),
]
To = Annotated[str, typer.Option("--to", metavar="NAME", help="ooni, csv, parquet, jsonl or json.")]
Out = Annotated[Path | None, typer.Option("-o", "--out", metavar="FILE", help="Write it there.")]


def convert(
    files: Sources = None,
    to: To = "json",
    out: Out = None,
    technique: judging_options.Only = None,
    settings: judging_options.Settings = None,
    plugins: judging_options.Plugins = None,
    with_vantage: judging_options.WithVantage = False,
) -> None:
    """Write findings in another form.

    OONI's measurements become reports, reports and captures become tables or measurements. Nothing is sent anywhere.
    """
    from fingerprint.accounts.captured import Judging
    from fingerprint.verbs import analysing, converting

    registry = analysing.registry(plugins or (), settings or (), technique or ())
    how = Judging(registry=registry, with_vantage=with_vantage)
    raise typer.Exit(converting.convert(files or (), how, form=to, out=out))


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("convert")(convert)
