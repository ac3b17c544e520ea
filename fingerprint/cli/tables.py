"""The verbs about tables: ``injectors`` and ``signatures import``. Parse, call, print."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fingerprint.cli import judging_options

Match = Annotated[list[str] | None, typer.Option("--match", metavar="FILE", help="Compare this capture (repeatable).")]
Set = Annotated[Path, typer.Argument(metavar="FILE", help="OONI's CSV, or JSON of Censored Planet or Citizen Lab.")]
Json = Annotated[bool, typer.Option("--json", help="Every field, as JSON.")]
Name = Annotated[str | None, typer.Option("--name", metavar="WORD", help="What to call the set; the file's own name.")]

signatures = typer.Typer(no_args_is_help=True, help="Block pages and addresses as data.")


@signatures.callback()
def about() -> None:
    """Block pages and addresses as data."""


@signatures.command("import")
def bring(file: Set, name: Name = None) -> None:
    """Make a published set of signatures a table of your own.

    It stays on this machine, counts in every analysis, and every report names it.
    """
    from fingerprint.signatures import keeping

    raise typer.Exit(keeping.keep(file, name))


def injectors(match: Match = None, json: Json = False, plugins: judging_options.Plugins = None) -> None:
    """List known injectors, or compare forged packets with them.

    Field by field: what fits, what contradicts, and which captures may show the same device.
    """
    from fingerprint.injectors import listing
    from fingerprint.verbs import analysing

    if not match:
        raise typer.Exit(listing.show_table(as_json=json))
    raise typer.Exit(listing.show_matches(match, analysing.registry(plugins or (), (), ()), as_json=json))


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    app.command("injectors")(injectors)
    app.add_typer(signatures, name="signatures")
