"""The verb that goes on: ``watch``. Parse, call, print."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fingerprint.cli import judging_options, keeping_options, sending_options, vantage_options

Every = Annotated[str, typer.Option("--every", metavar="5m", help="A round that often.")]
Store = Annotated[Path, typer.Option("--store", metavar="DIR", help="Keep accounts and captures there.")]
For = Annotated[str | None, typer.Option("--for", metavar="24h", help="For that long; without an end if not given.")]
Rounds = Annotated[int | None, typer.Option("--rounds", min=1, metavar="N", help="That many rounds at most.")]
Jitter = Annotated[bool, typer.Option("--jitter/--no-jitter", help="Begin each round a little late, by chance.")]
Keep = Annotated[
    str, typer.Option("--keep", metavar="WHICH", help="Captures that stay: findings, all, none or the last N.")
]


def watch(
    targets: sending_options.Targets,
    every: Every,
    store: Store,
    for_: For = None,
    rounds: Rounds = None,
    jitter: Jitter = True,
    keep: Keep = "findings",
    interface: sending_options.Interface = None,
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
    networks: keeping_options.Table = None,
    networks_date: keeping_options.Dated = None,
    vantage: vantage_options.Name = None,
    provider: vantage_options.Provider = None,
    asn: vantage_options.Asn = None,
    country: vantage_options.Country = None,
    place: vantage_options.Place = None,
    note: vantage_options.Note = None,
) -> None:
    """Probe again and again: when it begins, and when it ends.

    What is found is kept. You agree once, for all rounds.
    Begun again after a crash it goes on; what it missed it does not make up for.
    """
    registry = sending_options.loaded(plugins, settings, technique)
    here = vantage_options.vantage(vantage, provider, asn, country, place, note)
    asked = sending_options.wish(
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
    table = keeping_options.networks(networks, networks_date)
    options = keeping_options.options({"networks": table})
    keeping = Keeping(store=store, made_by=made_by.made_by(registry, options), vantage=here)
    line = Line(wish=asked, registry=registry, vantage=here, plugins=tuple(plugins or ()), networks=table)
    running.tell_broken(registry)
    raise typer.Exit(beginning.begin(asked, rhythm, line, keeping, remaining.policy(keep), yes=yes))


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command()(watch)
