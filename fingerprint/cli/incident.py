"""``fingerprint incident``: from many captures and reports to one page. Parse, call, print."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fingerprint.cli import judging_options, keeping_options, vantage_options

Paths = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="PATH", help="Captures, reports, stores, OONI's files, told facts, or folders.", show_default=False
    ),
]
Html = Annotated[Path | None, typer.Option("--html", metavar="OUT", help="Write one page that opens anywhere.")]
Md = Annotated[Path | None, typer.Option("--md", metavar="OUT", help="Write one page of prose, in Markdown.")]
Csv = Annotated[Path | None, typer.Option("--csv", metavar="OUT", help="Write a row for each sighting.")]
Parquet = Annotated[Path | None, typer.Option("--parquet", metavar="OUT", help="The same as Parquet.")]
Json = Annotated[bool, typer.Option("--json", help="Print the incident as JSON.")]
Out = Annotated[Path | None, typer.Option("-o", "--out", metavar="FILE", help="Write the JSON there.")]
Compare = Annotated[
    list[Path] | None, typer.Option("--compare", metavar="FILE", help="An earlier incident's JSON (repeatable).")
]
Service = Annotated[
    list[str] | None, typer.Option("--service", metavar="NAME", help="Only this service and controls (repeatable).")
]
Since = Annotated[str | None, typer.Option("--since", metavar="TIME", help="Nothing from before, in UTC.")]
Until = Annotated[str | None, typer.Option("--until", metavar="TIME", help="Nothing from after, in UTC.")]


def incident(
    paths: Paths = None,
    html: Html = None,
    md: Md = None,
    csv: Csv = None,
    parquet: Parquet = None,
    json: Json = False,
    out: Out = None,
    compare: Compare = None,
    networks: keeping_options.Table = None,
    networks_date: keeping_options.Dated = None,
    parts: judging_options.Parts = None,
    service: Service = None,
    since: Since = None,
    until: Until = None,
    technique: judging_options.Only = None,
    settings: judging_options.Settings = None,
    plugins: judging_options.Plugins = None,
    jobs: judging_options.Jobs = None,
    with_vantage: judging_options.WithVantage = False,
    vantage: vantage_options.Name = None,
    provider: vantage_options.Provider = None,
    asn: vantage_options.Asn = None,
    country: vantage_options.Country = None,
    place: vantage_options.Place = None,
    note: vantage_options.Note = None,
) -> None:
    """Say what happened, from many captures and reports.

    Which services failed, in which roles, at which providers, when, how, and whether together.
    Made of captures, reports of `analyse --json`, stores of `watch`, measurements of OONI and what people told.
    """
    from fingerprint import durations
    from fingerprint.verbs import analysing, assembling

    how = assembling.Judging(
        registry=analysing.registry(plugins or (), settings or (), technique or ()),
        part_s=durations.seconds(parts, "--parts") if parts else None,
        vantage=vantage_options.vantage(vantage, provider, asn, country, place, note),
        with_vantage=with_vantage,
    )
    only = assembling.only(service or (), since, until)
    wanted = assembling.Wanted(
        html=html,
        md=md,
        csv=csv,
        parquet=parquet,
        json=json,
        out=out,
        sources=(*(paths or ()), *map(str, compare or ())),
    )
    made = assembling.assembled(
        paths or (),
        how=how,
        only=only,
        networks=keeping_options.networks(networks, networks_date),
        compare=compare or (),
        jobs=jobs,
    )
    raise typer.Exit(assembling.finish(*made, wanted))


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("incident")(incident)
