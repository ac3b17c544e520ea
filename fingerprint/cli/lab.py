"""``fingerprint lab``: censors and innocents to try things on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="A laboratory of network namespaces.")

Censor = Annotated[str, typer.Option("--censor", metavar="NAME|FILE.py:NAME", help="Who stands on the way.")]
Hops = Annotated[int | None, typer.Option("--hops", min=2, max=12, metavar="N", help="Routers on the way.")]
Residual = Annotated[float | None, typer.Option("--residual", metavar="S", help="How long its blocks last.")]
Congestion = Annotated[str, typer.Option("--congestion", metavar="NAME", help="cubic, bbr or reno at both ends.")]
Quic = Annotated[bool | None, typer.Option("--quic/--no-quic", help="HTTP/3 as well; by default if aioquic is here.")]
Out = Annotated[Path, typer.Option("--out", metavar="DIR", help="Where recordings, store and captures go.")]
Jobs = Annotated[int | None, typer.Option("--jobs", min=1, metavar="N", help="Rounds side by side; one a core.")]
Command = Annotated[list[str], typer.Argument(metavar="-- COMMAND…", help="What the client runs.")]


@app.command("list")
def list_presets() -> None:
    """List who can stand on the way."""
    from fingerprint.lab import listing

    listing.show()


@app.command("run", context_settings={"allow_interspersed_args": False})
def run(
    command: Command,
    censor: Censor = "none",
    hops: Hops = None,
    residual: Residual = None,
    congestion: Congestion = "cubic",
    quic: Quic = None,
) -> None:
    """Run a command as the client of a laboratory.

    Nothing of it touches this machine's network, and nothing is left behind.
    """
    from fingerprint.lab.kernel import host
    from fingerprint.lab.laboratory import Settings

    settings = Settings.of(censor, hops=hops, residual_s=residual, congestion=congestion, quic=quic)
    raise typer.Exit(host.run(settings, command))


@app.command("evening")
def evening(out: Out, jobs: Jobs = None) -> None:
    """Play the evening of 17 May 2020, a simulation, and write its captures and its store.

    It takes some minutes; what is in the folder already is not played again.
    """
    import os

    from fingerprint.lab.evening import bundle
    from fingerprint.terminal import complain

    bundle.make(out, jobs=jobs or os.cpu_count() or 1, said=complain)
