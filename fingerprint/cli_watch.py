"""The verb that goes on: ``watch``. Parse, call, print."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fingerprint import cli, cli_probe, cli_store, cli_vantage

Every = Annotated[str, typer.Option("--every", metavar="5m", help="A round that often.")]
Store = Annotated[Path, typer.Option("--store", metavar="DIR", help="Keep accounts and captures there.")]
For = Annotated[str | None, typer.Option("--for", metavar="24h", help="For that long; without an end if not given.")]
Rounds = Annotated[int | None, typer.Option("--rounds", min=1, metavar="N", help="That many rounds at most.")]
Jitter = Annotated[bool, typer.Option("--jitter/--no-jitter", help="Begin each round a little late, by chance.")]
Keep = Annotated[
    str, typer.Option("--keep", metavar="WHICH", help="Captures that stay: findings, all, none or the last N.")
]


def watch(
    targets: cli_probe.Targets,
    every: Every,
    store: Store,
    for_: For = None,
    rounds: Rounds = None,
    jitter: Jitter = True,
    keep: Keep = "findings",
    interface: cli_probe.Interface = None,
    control: cli_probe.Controls = None,
    resolver: cli_probe.Resolvers = None,
    technique: cli.Only = None,
    settings: cli.Settings = None,
    plugins: cli.Plugins = None,
    dry_run: cli_probe.DryRun = False,
    yes: cli_probe.Yes = False,
    budget: cli_probe.Budgets = None,
    residual: cli_probe.Residual = cli_probe.RESIDUAL_S,
    order: cli_probe.Order = "adaptive",
    seed: cli_probe.Seed = None,
    networks: cli_store.Table = None,
    networks_date: cli_store.Dated = None,
    vantage: cli_vantage.Name = None,
    provider: cli_vantage.Provider = None,
    asn: cli_vantage.Asn = None,
    country: cli_vantage.Country = None,
    place: cli_vantage.Place = None,
    note: cli_vantage.Note = None,
) -> None:
    """Probe again and again, and keep what is found: when it begins, and when it ends.

    You agree once, for all rounds. Begun again after a crash it goes on; what it missed it does not make up for.
    """
    registry = cli_probe.loaded(plugins, settings, technique)
    here = cli_vantage.vantage(vantage, provider, asn, country, place, note)
    asked = cli_probe.wish(
        targets, control, resolver, technique, budget, residual, order, seed, interface, capture_all=False
    )
    from fingerprint import durations
    from fingerprint.live import running
    from fingerprint.store import made_by
    from fingerprint.store.resuming import Keeping
    from fingerprint.watching import beginning, remaining
    from fingerprint.watching.live import Line

    if dry_run:
        raise typer.Exit(running.dry(asked, registry))
    rhythm = beginning.Rhythm(
        every_s=durations.seconds(every, "--every"),
        for_s=durations.seconds(for_, "--for") if for_ else None,
        rounds=rounds,
        jitter=jitter,
    )
    table = cli_store.networks(networks, networks_date)
    options = cli_store.options({"networks": table})
    keeping = Keeping(store=store, made_by=made_by.made_by(registry, options), vantage=here)
    line = Line(wish=asked, registry=registry, vantage=here, plugins=tuple(plugins or ()), networks=table)
    running.tell_broken(registry)
    raise typer.Exit(beginning.begin(asked, rhythm, line, keeping, remaining.policy(keep), yes=yes))


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command()(watch)
