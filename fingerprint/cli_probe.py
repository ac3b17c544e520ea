"""The verbs that send: ``probe``, ``run``, and ``forget`` for what they leave. Parse, call, print."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fingerprint import cli, cli_store, cli_vantage

if TYPE_CHECKING:
    from fingerprint.live.asking import Wish
    from fingerprint.registry import Registry

Targets = Annotated[list[str], typer.Argument(metavar="TARGET...", help="A host, host:port, URL, address or service.")]
Interface = Annotated[str | None, typer.Option("-i", "--interface", metavar="IFACE", help="Send and record there.")]
Write = Annotated[Path | None, typer.Option("-w", "--write", metavar="RUN.pcapng", help="Record into this file.")]
Controls = Annotated[list[str] | None, typer.Option("--control", metavar="HOST", help="A name that nobody minds.")]
Resolvers = Annotated[
    list[str] | None, typer.Option("--resolver", metavar="IP", help="Ask this one, not the system's.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="List every packet and where it would go; send nothing.")]
Yes = Annotated[bool, typer.Option("--yes", help="Agree to what is going to be sent.")]
Budgets = Annotated[list[str] | None, typer.Option("--budget", metavar="500|20MB|300s", help="At most, per target.")]
Residual = Annotated[float, typer.Option("--residual", min=0.0, metavar="S", help="Wait that long after a trigger.")]
Order = Annotated[str, typer.Option("--order", metavar="NAME", help="adaptive or fixed.")]
Seed = Annotated[int | None, typer.Option("--seed", metavar="N", help="For the same order again.")]
CaptureAll = Annotated[
    bool, typer.Option("--capture-all", help="Record everything on the interface, not only the run.")
]
Run = Annotated[list[Path], typer.Argument(metavar="RUN...", help="The capture of a run.")]
# What the GFW keeps up longest after a reset (gfw.report, 2023 to 2025).
RESIDUAL_S = 180.0
# Privileges belong to threads, and only the main one drops them: numpy, which is imported next, must not start others
# for linear algebra that nobody asks for.
ONE_THREAD = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    app.command()(probe)
    app.command()(run)
    app.command()(forget)


def probe(
    targets: Targets,
    interface: Interface = None,
    write: Write = None,
    control: Controls = None,
    resolver: Resolvers = None,
    technique: cli.Only = None,
    settings: cli.Settings = None,
    plugins: cli.Plugins = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    budget: Budgets = None,
    residual: Residual = RESIDUAL_S,
    order: Order = "adaptive",
    seed: Seed = None,
    capture_all: CaptureAll = False,
    vantage: cli_vantage.Name = None,
    provider: cli_vantage.Provider = None,
    asn: cli_vantage.Asn = None,
    country: cli_vantage.Country = None,
    place: cli_vantage.Place = None,
    note: cli_vantage.Note = None,
) -> None:
    """Send, and record what comes back.

    Nothing is sent before you have agreed. The file can be judged anywhere, at any time.
    """
    registry = loaded(plugins, settings, technique)
    here = cli_vantage.vantage(vantage, provider, asn, country, place, note)
    asked = wish(
        targets, control, resolver, technique, budget, residual, order, seed, interface, capture_all=capture_all
    )
    from fingerprint.live import running

    if dry_run:
        raise typer.Exit(running.dry(asked, registry))
    done = running.probed(asked, registry, capture=write, yes=yes, plugins=plugins or (), vantage=here)
    running.tell_broken(registry)
    typer.echo(done.capture)
    running.tell(f"Next: fingerprint analyse {done.capture}")
    raise typer.Exit(done.code)


def run(
    targets: Targets,
    interface: Interface = None,
    write: Write = None,
    control: Controls = None,
    resolver: Resolvers = None,
    technique: cli.Only = None,
    settings: cli.Settings = None,
    plugins: cli.Plugins = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    budget: Budgets = None,
    residual: Residual = RESIDUAL_S,
    order: Order = "adaptive",
    seed: Seed = None,
    capture_all: CaptureAll = False,
    form: cli.Format = "text",
    json: cli.Json = False,
    out: cli.Out = None,
    why: cli.Why = False,
    every: cli.All = False,
    with_vantage: cli.Vantage = False,
    fail_on: cli.FailOn = None,
    vantage: cli_vantage.Name = None,
    provider: cli_vantage.Provider = None,
    asn: cli_vantage.Asn = None,
    country: cli_vantage.Country = None,
    place: cli_vantage.Place = None,
    note: cli_vantage.Note = None,
    networks: cli_store.Table = None,
    networks_date: cli_store.Dated = None,
) -> None:
    """Probe, then say how the targets are blocked: `probe` and `analyse` in one."""
    registry = loaded(plugins, settings, technique)
    here = cli_vantage.vantage(vantage, provider, asn, country, place, note)
    asked = wish(
        targets, control, resolver, technique, budget, residual, order, seed, interface, capture_all=capture_all
    )
    from fingerprint import analysing
    from fingerprint.live import running

    if dry_run:
        raise typer.Exit(running.dry(asked, registry))
    states = analysing.states(fail_on or ())
    showing = analysing.Showing(why=why, all_ok=every, with_vantage=with_vantage)
    output = analysing.Output(form="json" if json else form, path=out, showing=showing)
    table = cli_store.networks(networks, networks_date)  # read while there is a right to
    done = running.probed(asked, registry, capture=write, yes=yes, plugins=plugins or (), vantage=here)
    report = analysing.judged([str(done.capture)], registry, jobs=1, networks=table)
    code = analysing.finish(report, output, states)
    raise typer.Exit(code or done.code)


def forget(files: Run) -> None:
    """Delete runs: the capture, its script and sidecar, and nothing else."""
    from fingerprint import runs

    for file in files:
        for gone in runs.forget(file):
            typer.echo(f"deleted {gone}")


def loaded(plugins: list[Path] | None, settings: list[str] | None, technique: list[str] | None) -> Registry:
    """The techniques that were asked for."""
    for name in ONE_THREAD:
        os.environ.setdefault(name, "1")
    from fingerprint import analysing

    return analysing.registry(plugins or (), settings or (), technique or ())


def wish(
    targets: list[str],
    control: list[str] | None,
    resolver: list[str] | None,
    technique: list[str] | None,
    budget: list[str] | None,
    residual: float,
    order: str,
    seed: int | None,
    interface: str | None,
    *,
    capture_all: bool,
) -> Wish:
    """What was asked for, as data. Raises TargetError for a word that makes no sense."""
    import secrets
    import time

    from fingerprint import services
    from fingerprint.live import asking

    wanted = asking.wanted(targets, control or (), services.at_hand()[0], time.time_ns())
    return asking.Wish(
        targets=wanted.targets,
        controls=wanted.controls,
        sensitive=wanted.sensitive,
        resolvers=tuple(dict.fromkeys(map(asking.resolver, resolver or ()))),
        techniques=tuple(technique or ()),
        budget=asking.budget(budget or ()),
        residual_s=residual,
        order=asking.order(order),
        seed=secrets.randbelow(1 << 31) if seed is None else seed,
        interface=interface,
        capture_all=capture_all,
    )
