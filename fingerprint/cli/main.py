"""The command line: parse, call, print. What a verb does lives in `fingerprint.verbs` and is imported when it runs."""

from __future__ import annotations

from typing import Annotated

import typer

from fingerprint import __version__
from fingerprint.cli import (
    analyse,
    authors,
    convert,
    evidence,
    incident,
    judging_options,
    lab,
    probe,
    services,
    tables,
    watch,
)
from fingerprint.cli.sections import Verbs

app = typer.Typer(
    cls=Verbs,
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,  # plain help comes up in half the time
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    help="Says how a service is blocked, from the packets of a capture.",
    epilog="Start with: fingerprint demo",
)

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


analyse.register(app)


@app.command()
def demo(
    why: judging_options.Why = False,
    form: judging_options.Format = "text",
    json: judging_options.Json = False,
    out: judging_options.Out = None,
) -> None:
    """Judge a sample, and report on a simulated evening.

    Both come with the tool. With --why or another form, the sample's whole report alone.
    """
    from fingerprint.verbs import demonstration

    raise typer.Exit(demonstration.show(form="json" if json else form, why=why, out=out))


@app.command()
def techniques(plugins: judging_options.Plugins = None) -> None:
    """List the techniques that take part."""
    from fingerprint.verbs import explaining

    raise typer.Exit(explaining.list_techniques(plugins or ()))


@app.command()
def explain(technique: Technique, plugins: judging_options.Plugins = None) -> None:
    """Explain a technique, or a word of a report.

    What it looks for, when it is wrong, its thresholds and its clues.
    """
    from fingerprint.verbs import explaining

    explaining.explain(technique, plugins or ())


@app.command()
def doctor() -> None:
    """Check this machine, and say how to mend it."""
    from fingerprint.verbs import doctor as checks

    raise typer.Exit(checks.report())


for verbs in (probe, watch, authors, tables, incident, convert, evidence, services):
    verbs.register(app)
app.add_typer(lab.app, name="lab")
