"""The options that say where a capture was taken, the same for every verb that makes or reads one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from fingerprint.vantages.vantage import Vantage

Name = Annotated[str | None, typer.Option("--vantage", metavar="NAME", help="A name for where it was taken.")]
Provider = Annotated[str | None, typer.Option("--provider", metavar="NAME", help="Whose line that was.")]
Asn = Annotated[str | None, typer.Option("--asn", metavar="N", help="The provider's AS number.")]
Country = Annotated[str | None, typer.Option("--country", metavar="CC", help="The country's two letters.")]
Place = Annotated[str | None, typer.Option("--place", metavar="TEXT", help="A city or region, never an address.")]
Note = Annotated[str | None, typer.Option("--note", metavar="TEXT", help="What else a reader should know.")]


def vantage(
    name: str | None, provider: str | None, asn: str | None, country: str | None, place: str | None, note: str | None
) -> Vantage:
    """The vantage that the options name. Raises TargetError for a country or number that is none."""
    from captures.errors import TargetError
    from fingerprint.vantages import fields as vantage_fields

    told = {"name": name, "provider": provider, "asn": asn, "country": country, "place": place, "note": note}
    try:
        return vantage_fields.vantage(told)
    except ValueError as error:
        field, _, rest = str(error).partition(" ")
        raise TargetError(f"--{'vantage' if field == 'name' else field} {rest}") from None
