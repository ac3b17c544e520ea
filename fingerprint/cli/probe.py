"""The verbs that send: ``probe``, ``run``, and ``forget`` for what they leave. Parse, call, print."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fingerprint.cli import judging_options, keeping_options, sending_options, vantage_options

Run = Annotated[list[Path], typer.Argument(metavar="RUN", help="The capture of a run.")]


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    app.command()(probe)
    app.command()(run)
    app.command()(forget)


def probe(
    targets: sending_options.Targets,
    interface: sending_options.Interface = None,
    write: sending_options.Write = None,
    control: sending_options.Controls = None,
    resolver: sending_options.Resolvers = None,
    technique: judging_options.Only = None,
    settings: judging_options.Settings = None,
    plugins: judging_options.Plugins = None,
    dry_run: sending_options.DryRun = False,
    yes: sending_options.Yes = False,
    budget: sending_options.Budgets = None,
    residual: sending_options.Residual = sending_options.RESIDUAL_S,
    order: sending_options.Order = "adaptive",
    seed: sending_options.Seed = None,
    capture_all: sending_options.CaptureAll = False,
    vantage: vantage_options.Name = None,
    provider: vantage_options.Provider = None,
    asn: vantage_options.Asn = None,
    country: vantage_options.Country = None,
    place: vantage_options.Place = None,
    note: vantage_options.Note = None,
) -> None:
    """Send, and record what comes back.

    Nothing is sent before you have agreed. The file can be judged anywhere, at any time.
    """
    registry = sending_options.loaded(plugins, settings, technique)
    here = vantage_options.vantage(vantage, provider, asn, country, place, note)
    asked = sending_options.wish(
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
    targets: sending_options.Targets,
    interface: sending_options.Interface = None,
    write: sending_options.Write = None,
    control: sending_options.Controls = None,
    resolver: sending_options.Resolvers = None,
    technique: judging_options.Only = None,
    settings: judging_options.Settings = None,
    plugins: judging_options.Plugins = None,
    dry_run: sending_options.DryRun = False,
    yes: sending_options.Yes = False,
    budget: sending_options.Budgets = None,
    residual: sending_options.Residual = sending_options.RESIDUAL_S,
    order: sending_options.Order = "adaptive",
    seed: sending_options.Seed = None,
    capture_all: sending_options.CaptureAll = False,
    form: judging_options.Format = "text",
    json: judging_options.Json = False,
    out: judging_options.Out = None,
    why: judging_options.Why = False,
    every: judging_options.All = False,
    with_vantage: judging_options.WithVantage = False,
    fail_on: judging_options.FailOn = None,
    vantage: vantage_options.Name = None,
    provider: vantage_options.Provider = None,
    asn: vantage_options.Asn = None,
    country: vantage_options.Country = None,
    place: vantage_options.Place = None,
    note: vantage_options.Note = None,
    networks: keeping_options.Table = None,
    networks_date: keeping_options.Dated = None,
) -> None:
    """Probe, then say how the targets are blocked.

    `probe` and `analyse` in one.
    """
    registry = sending_options.loaded(plugins, settings, technique)
    here = vantage_options.vantage(vantage, provider, asn, country, place, note)
    asked = sending_options.wish(
        targets, control, resolver, technique, budget, residual, order, seed, interface, capture_all=capture_all
    )
    from fingerprint.live import running
    from fingerprint.verbs import analysing

    if dry_run:
        raise typer.Exit(running.dry(asked, registry))
    states = analysing.states(fail_on or ())
    showing = analysing.Showing(why=why, all_ok=every, with_vantage=with_vantage)
    output = analysing.Output(form="json" if json else form, path=out, showing=showing)
    table = keeping_options.networks(networks, networks_date)  # read while there is a right to
    done = running.probed(asked, registry, capture=write, yes=yes, plugins=plugins or (), vantage=here)
    report = analysing.judged([str(done.capture)], registry, jobs=1, networks=table)
    code = analysing.finish(report, output, states)
    raise typer.Exit(code or done.code)


def forget(files: Run) -> None:
    """Delete runs: capture, script and sidecar, and nothing else."""
    from fingerprint.live import runs

    for file in files:
        for gone in runs.forget(file):
            typer.echo(f"deleted {gone}")
