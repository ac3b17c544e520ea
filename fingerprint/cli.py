"""The command line: parse, call, print. What a verb does lives elsewhere and is imported when it runs."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from fingerprint import __version__, cli_evidence, cli_services, cli_store, cli_vantage

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,  # plain help comes up in half the time
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    help="Says how a service is blocked, from the packets of a capture.",
    epilog="Start with: fingerprint demo",
)

Files = Annotated[
    list[str] | None,
    typer.Argument(metavar="FILE|DIR|GLOB|-", help="Captures: pcap or pcapng, also gz, xz, zst.", show_default=False),
]
Read = Annotated[list[str] | None, typer.Option("-r", "--read", metavar="FILE", help="The same, as tshark has it.")]
Together = Annotated[bool, typer.Option("--together", help="Let the controls of one file serve the others.")]
Parts = Annotated[str | None, typer.Option("--parts", metavar="10m", help="Judge long captures in parts this long.")]
Only = Annotated[list[str] | None, typer.Option("--technique", metavar="ID", help="Only this technique (repeatable).")]
Settings = Annotated[list[str] | None, typer.Option("--set", metavar="ID.FIELD=VALUE", help="Change a threshold.")]
Plugins = Annotated[list[Path] | None, typer.Option("--plugins", metavar="DIR|FILE", help="Techniques of your own.")]
Format = Annotated[str, typer.Option("--format", metavar="NAME", help="text, html, md, json, jsonl, csv or parquet.")]
Json = Annotated[bool, typer.Option("--json", help="The same as --format json.")]
Out = Annotated[Path | None, typer.Option("-o", "--out", metavar="FILE", help="Write the report there.")]
Why = Annotated[bool, typer.Option("--why", help="Show the sum behind each verdict, line by line.")]
All = Annotated[bool, typer.Option("--all", help="List every target that works, too.")]
Jobs = Annotated[int | None, typer.Option("--jobs", min=1, metavar="N", help="Files judged at once; as many as cores.")]
Vantage = Annotated[bool, typer.Option("--with-vantage", help="Keep the client's addresses in the report.")]
FailOn = Annotated[list[str] | None, typer.Option("--fail-on", metavar="STATE", help="Exit 10 if a target has it.")]
Technique = Annotated[str, typer.Argument(metavar="ID", help="A technique, mechanism or innocent explanation.")]


def version(asked: bool) -> None:  # noqa: FBT001  # typer calls it so
    """Print the version and stop."""
    if asked:
        typer.echo(f"censorship-fingerprint {__version__}")
        raise typer.Exit


Version = Annotated[bool, typer.Option("--version", is_eager=True, callback=version, help="Show it and exit.")]


@app.callback()
def top(_version: Version = False) -> None:
    """Says how a service is blocked, from the packets of a capture."""


@app.command()
def analyse(
    files: Files = None,
    read: Read = None,
    together: Together = False,
    parts: Parts = None,
    technique: Only = None,
    settings: Settings = None,
    plugins: Plugins = None,
    form: Format = "text",
    json: Json = False,
    out: Out = None,
    why: Why = False,
    every: All = False,
    jobs: Jobs = None,
    with_vantage: Vantage = False,
    fail_on: FailOn = None,
    vantage: cli_vantage.Name = None,
    provider: cli_vantage.Provider = None,
    asn: cli_vantage.Asn = None,
    country: cli_vantage.Country = None,
    place: cli_vantage.Place = None,
    note: cli_vantage.Note = None,
    display_filter: cli_evidence.Filter = None,
    evidence: cli_evidence.Evidence = None,
    keylog: cli_evidence.Keylog = None,
    networks: cli_store.Table = None,
    networks_date: cli_store.Dated = None,
    store: cli_store.Store = None,
    service: cli_services.Only = None,
) -> None:
    """Say how services in captures are blocked.

    Or that they are not, or that nobody can tell from these packets: then it says what is missing.
    """
    from fingerprint import analysing, durations

    part_s = durations.seconds(parts, "--parts") if parts else None
    registry = analysing.registry(plugins or (), settings or (), technique or ())
    states = analysing.states(fail_on or ())
    showing = analysing.Showing(why=why, all_ok=every, with_vantage=with_vantage)
    output = analysing.Output(form="json" if json else form, path=out, showing=showing)
    here = cli_vantage.vantage(vantage, provider, asn, country, place, note)
    paths = [*(files or ()), *(read or ())]
    keep = cli_services.keeper(service)
    cut = cli_evidence.cutter(evidence, paths, registry, part_s)
    judge = partial(
        analysing.judged,
        registry=registry,
        together=together,
        part_s=part_s,
        vantage=here,
        display_filter=display_filter,
        keylog=keylog,
        networks=cli_store.networks(networks, networks_date),
    )
    report = keep(cli_store.judged(paths, judge, store=store, jobs=jobs, anew=why, with_vantage=with_vantage))
    cut(report)
    raise typer.Exit(analysing.finish(report, output, states))


@app.command()
def demo(why: Why = False, form: Format = "text", json: Json = False, out: Out = None) -> None:
    """Judge a capture that comes with the tool, then write the report of a whole evening (a simulation)."""
    from fingerprint import demonstration

    raise typer.Exit(demonstration.show(form="json" if json else form, why=why, out=out))


@app.command()
def techniques(plugins: Plugins = None) -> None:
    """List the techniques that take part."""
    from fingerprint import explaining

    raise typer.Exit(explaining.list_techniques(plugins or ()))


@app.command()
def explain(technique: Technique, plugins: Plugins = None) -> None:
    """Explain a technique, or a word of a report.

    What it looks for, when it is wrong, its thresholds and its clues.
    """
    from fingerprint import explaining

    explaining.explain(technique, plugins or ())


@app.command()
def doctor() -> None:
    """Check this machine, and say how to mend it."""
    from fingerprint import doctor as checks

    raise typer.Exit(checks.report())


from fingerprint import cli_authors, cli_convert, cli_incident, cli_lab, cli_probe, cli_tables, cli_watch  # noqa: E402  # their options are built on those above

cli_probe.register(app)
cli_watch.register(app)
cli_authors.register(app)
cli_tables.register(app)
cli_incident.register(app)
cli_convert.register(app)
cli_evidence.register(app)
cli_services.register(app)
app.add_typer(cli_lab.app, name="lab")
