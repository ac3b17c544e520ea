"""``fingerprint incident``: from many captures and reports to one page. Parse, call, print."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fingerprint import cli, cli_store, cli_vantage

Paths = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="PATH…", help="Captures, reports, stores, OONI's files, told facts, or folders.", show_default=False
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
Service = Annotated[list[str] | None, typer.Option("--service", metavar="S", help="Only this one (repeatable).")]
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
    networks: cli_store.Table = None,
    networks_date: cli_store.Dated = None,
    parts: cli.Parts = None,
    service: Service = None,
    since: Since = None,
    until: Until = None,
    technique: cli.Only = None,
    settings: cli.Settings = None,
    plugins: cli.Plugins = None,
    jobs: cli.Jobs = None,
    with_vantage: cli.Vantage = False,
    vantage: cli_vantage.Name = None,
    provider: cli_vantage.Provider = None,
    asn: cli_vantage.Asn = None,
    country: cli_vantage.Country = None,
    place: cli_vantage.Place = None,
    note: cli_vantage.Note = None,
) -> None:
    """Say what happened: which services, in which roles, at which providers, when, and whether together.

    Made of captures, reports of `analyse --json`, stores of `watch`, measurements of OONI and what people told.
    """
    from fingerprint import analysing, assembling, durations

    how = assembling.Judging(
        registry=analysing.registry(plugins or (), settings or (), technique or ()),
        part_s=durations.seconds(parts, "--parts") if parts else None,
        vantage=cli_vantage.vantage(vantage, provider, asn, country, place, note),
        with_vantage=with_vantage,
    )
    only = assembling.only(service or (), since, until)
    wanted = assembling.Wanted(html=html, md=md, csv=csv, parquet=parquet, json=json, out=out)
    made = assembling.assembled(
        paths or (),
        how=how,
        only=only,
        networks=cli_store.networks(networks, networks_date),
        compare=compare or (),
        jobs=jobs,
    )
    raise typer.Exit(assembling.finish(*made, wanted))


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("incident")(incident)
