"""The options about what is sent, the same for every verb that sends, and what they come to."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from fingerprint.live.asking import Wish
    from fingerprint.plugins.registry import Registry

Targets = Annotated[list[str], typer.Argument(metavar="TARGET", help="A host, host:port, URL, address or service.")]
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
# What the GFW keeps up longest after a reset (gfw.report, 2023 to 2025).
RESIDUAL_S = 180.0
# Privileges belong to threads, and only the main one drops them: numpy, which is imported next, must not start others
# for linear algebra that nobody asks for.
ONE_THREAD = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


def loaded(plugins: list[Path] | None, settings: list[str] | None, technique: list[str] | None) -> Registry:
    """The techniques that were asked for."""
    for name in ONE_THREAD:
        os.environ.setdefault(name, "1")
    from fingerprint.verbs import analysing

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
