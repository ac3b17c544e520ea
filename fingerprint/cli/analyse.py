"""``fingerprint analyse``: the main job. Parse, call, print."""

from __future__ import annotations

from functools import partial

import typer

from fingerprint.cli import judging_options, keeping_options, vantage_options
from fingerprint.cli.evidence import cutter
from fingerprint.cli.services import keeper


def analyse(
    files: judging_options.Files = None,
    read: judging_options.Read = None,
    together: judging_options.Together = False,
    parts: judging_options.Parts = None,
    technique: judging_options.Only = None,
    settings: judging_options.Settings = None,
    plugins: judging_options.Plugins = None,
    form: judging_options.Format = "text",
    json: judging_options.Json = False,
    out: judging_options.Out = None,
    why: judging_options.Why = False,
    every: judging_options.All = False,
    jobs: judging_options.Jobs = None,
    with_vantage: judging_options.WithVantage = False,
    fail_on: judging_options.FailOn = None,
    vantage: vantage_options.Name = None,
    provider: vantage_options.Provider = None,
    asn: vantage_options.Asn = None,
    country: vantage_options.Country = None,
    place: vantage_options.Place = None,
    note: vantage_options.Note = None,
    display_filter: judging_options.Filter = None,
    excerpt: judging_options.Excerpt = None,
    keylog: judging_options.Keylog = None,
    networks: keeping_options.Table = None,
    networks_date: keeping_options.Dated = None,
    store: keeping_options.Store = None,
    service: judging_options.Service = None,
) -> None:
    """Say how services in captures are blocked.

    Or that they are not, or that nobody can tell from these packets: then it says what is missing.
    """
    from fingerprint import durations
    from fingerprint.verbs import analysing

    part_s = durations.seconds(parts, "--parts") if parts else None
    registry = analysing.registry(plugins or (), settings or (), technique or ())
    states = analysing.states(fail_on or ())
    showing = analysing.Showing(why=why, all_ok=every, with_vantage=with_vantage)
    here = vantage_options.vantage(vantage, provider, asn, country, place, note)
    paths = [*(files or ()), *(read or ())]
    output = analysing.Output(form="json" if json else form, path=out, showing=showing, sources=tuple(paths))
    keep = keeper(service)
    cut = cutter(excerpt, paths, registry, part_s)
    judge = partial(
        analysing.judged,
        registry=registry,
        together=together,
        part_s=part_s,
        vantage=here,
        display_filter=display_filter,
        keylog=keylog,
        networks=keeping_options.networks(networks, networks_date),
    )
    report = keep(keeping_options.judged(paths, judge, store=store, jobs=jobs, anew=why, with_vantage=with_vantage))
    cut(report)
    raise typer.Exit(analysing.finish(report, output, states))


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command()(analyse)
