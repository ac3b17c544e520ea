"""``fingerprint services``, and what ``--service`` keeps. Parse, call, print."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from fingerprint.verdict.model import Report

Name = Annotated[str | None, typer.Argument(metavar="NAME", help="A service, for example twitter.", show_default=False)]
Json = Annotated[bool, typer.Option("--json", help="Every endpoint, as JSON.")]
At = Annotated[str | None, typer.Option("--at", metavar="DAY", help="As it was then, for example 2020-05-17.")]


def services(name: Name = None, at: At = None, json: Json = False) -> None:
    """List known services, or show one with its roles and hosts.

    Also their dates, controls and sources.
    """
    from fingerprint.services import listing

    if name is None:
        raise typer.Exit(listing.show_all(at, as_json=json))
    raise typer.Exit(listing.show_one(name, at, as_json=json))


def keeper(words: list[str] | None) -> Callable[[Report], Report]:
    """What keeps only the targets of some services. Raises TargetError for a service that does not exist."""
    if not words:
        return lambda report: report
    from fingerprint.services.choosing import chosen
    from fingerprint.terminal import complain

    asked = chosen(words)

    def keep(report: Report) -> Report:
        kept = asked.kept(report)
        seen = {v.service for v in kept.verdicts}
        for service in asked.services:
            if report.captures and service.id not in seen:
                complain(f"no name of {service.id} is in these captures, by the table of their time")
        return kept

    return keep


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("services")(services)
