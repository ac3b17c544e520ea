"""Verbs for authors of techniques."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Name = Annotated[str, typer.Argument(metavar="NAME", help="What is done, in small words with hyphens: stamped-reset.")]
Into = Annotated[Path, typer.Option("--into", metavar="DIR", help="Where its folder goes; here, if not told.")]


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    app.command("new-technique")(new_technique)


def new_technique(name: Name, into: Into = Path()) -> None:
    """Begin a technique of your own.

    Writes the technique, samples with their recipes, a censor for the laboratory and a test, all of which run at once.
    """
    from fingerprint.authors import scaffold

    typer.echo(scaffold.tell(scaffold.new_technique(name, into)))
